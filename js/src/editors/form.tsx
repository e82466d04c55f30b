// Several questions about one item: the keys go to one of them at a time, one submit sends all.

import type { FunctionComponent } from "preact";
import type { Shown } from "../modules";
import type { TaskSpec } from "../keymap";
import type { Json } from "../protocol";
import { LabelFace, Submit, classOf, controls, type Logic, type ViewProps } from "./base";
import * as freetext from "./freetext";
import * as multilabel from "./multilabel";
import * as rating from "./rating";
import css from "./form.css";

interface Part {
  readonly name: string;
  readonly task: TaskSpec;
}

interface Spec {
  readonly parts: readonly Part[];
  readonly when: Readonly<Record<string, readonly [string, Json]>>;
}

const specOf = (task: TaskSpec) => task as unknown as Spec;

/** One class, as a question of a form. */
const choice: Logic<string> = {
  begin: (_task, shown) =>
    typeof shown.label === "string"
      ? shown.label
      : typeof shown.suggestion?.label === "string"
        ? shown.suggestion.label
        : "",
  value: (_task, draft) => (draft ? { value: draft } : { wrong: "Choose a label." }),
  press: (task, _draft, key) => {
    const name = classOf(task, key);
    return name === undefined ? null : { submit: name };
  },
  keys: () => [],
};

// A part has whatever draft its own logic makes.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Draft = any;

const LOGICS: Readonly<Record<string, Logic<Draft>>> = {
  choice,
  binary: choice,
  multilabel: multilabel.logic,
  rating: rating.logic,
  freetext: freetext.logic,
};

export interface Answers {
  readonly drafts: Readonly<Record<string, Draft>>;
  readonly at: number;
}

const NOTHING: Logic<Draft> = {
  begin: () => null,
  value: () => ({ wrong: "This kind of question cannot stand in a form." }),
  press: () => null,
  keys: () => [],
};

const logicOf = (part: Part): Logic<Draft> => LOGICS[part.task.kind] ?? NOTHING;

/** The parts that are asked, given what stands before them. */
export function asked(task: TaskSpec, { drafts }: Answers): readonly Part[] {
  const { parts, when } = specOf(task);
  const values = new Map<string, Json>();
  return parts.filter((part) => {
    const condition = when[part.name];
    if (condition) {
      const said = values.get(condition[0]);
      const expected = condition[1];
      const holds = Array.isArray(said) ? said.includes(expected as never) : said === expected;
      if (!holds) return false;
    }
    const made = logicOf(part).value(part.task, drafts[part.name]);
    if ("value" in made) values.set(part.name, made.value);
    return true;
  });
}

const partOf = (shown: Shown, name: string): Shown => ({
  ...shown,
  label: entry(shown.label, name),
  suggestion: shown.suggestion && {
    ...shown.suggestion,
    label: entry(shown.suggestion.label, name),
  },
});

const entry = (value: Json, name: string): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? ((value as Readonly<Record<string, Json>>)[name] ?? null)
    : null;

function onward(task: TaskSpec, draft: Answers): Answers | null {
  const { at } = draft;
  return at + 1 < asked(task, draft).length ? { ...draft, at: at + 1 } : null;
}

export const logic: Logic<Answers> = {
  begin: (task, shown) => ({
    drafts: Object.fromEntries(
      specOf(task).parts.map((part) => [
        part.name,
        logicOf(part).begin(part.task, partOf(shown, part.name)) as Draft,
      ]),
    ),
    at: 0,
  }),
  value: (task, draft) => {
    const made: Record<string, Json> = {};
    for (const part of asked(task, draft)) {
      const one = logicOf(part).value(part.task, draft.drafts[part.name]);
      if ("wrong" in one) return { wrong: `${part.name}: ${one.wrong}` };
      made[part.name] = one.value;
    }
    return { value: made };
  },
  press: (task, draft, key, field) => {
    if (key === "ctrl+enter") return { submit: draft };
    const parts = asked(task, draft);
    const part = parts[draft.at];
    if (!part) return null;
    if (!field && (key === "down" || key === "up") && part.task.kind !== "rating") {
      const at = Math.max(0, Math.min(parts.length - 1, draft.at + (key === "down" ? 1 : -1)));
      return { draft: { ...draft, at }, say: parts[at]?.name ?? "" };
    }
    if (!field && (key === "pagedown" || key === "pageup")) {
      const at = Math.max(0, Math.min(parts.length - 1, draft.at + (key === "pagedown" ? 1 : -1)));
      return { draft: { ...draft, at }, say: parts[at]?.name ?? "" };
    }
    const own = logicOf(part).press(part.task, draft.drafts[part.name], key, field);
    const settled = own && "submit" in own ? own.submit : undefined;
    if (!own && !field && (key === "enter" || key === "space")) {
      const next = onward(task, draft);
      return next ? { draft: next } : { submit: draft };
    }
    if (!own) return null;
    if ("focus" in own) return own;
    if (settled === undefined && !("draft" in own)) return own;
    const changed: Answers = {
      ...draft,
      drafts: { ...draft.drafts, [part.name]: settled ?? ("draft" in own ? own.draft : null) },
    };
    if (settled === undefined) return { ...own, draft: changed };
    const next = onward(task, changed);
    // The last answer may still be looked at: only enter sends the form.
    if (next) return { draft: next, say: asked(task, next)[next.at]?.name ?? "" };
    return key === "enter" ? { submit: changed } : { draft: changed };
  },
  keys: () => [
    { keys: ["enter"], does: "the next question, or send" },
    { keys: ["pagedown", "pageup"], does: "from question to question" },
    { keys: ["ctrl+enter"], does: "send the form" },
  ],
};

function View({ task, draft, shown, wrong, set, submit }: ViewProps<Answers>) {
  const parts = asked(task, draft);
  return (
    <>
      {parts.map((part, k) => (
        <fieldset
          key={part.name}
          class={`nblabel-part${k === draft.at ? " nblabel-at" : ""}`}
          onFocusIn={() => k !== draft.at && set({ ...draft, at: k })}
        >
          <legend dir="auto">{part.task.question ?? part.name}</legend>
          <PartView
            part={part}
            draft={draft.drafts[part.name]}
            shown={partOf(shown, part.name)}
            set={(one) => set({ drafts: { ...draft.drafts, [part.name]: one }, at: k })}
          />
        </fieldset>
      ))}
      <Submit wrong={wrong} hint="" cap="Ctrl ↵" onSubmit={() => submit(draft)} />
    </>
  );
}

interface PartProps {
  readonly part: Part;
  readonly draft: Draft;
  readonly shown: Shown;
  readonly set: (draft: Draft) => void;
}

const PartView: FunctionComponent<PartProps> = ({ part, draft, shown, set }) => {
  const { task } = part;
  switch (task.kind) {
    case "multilabel":
      return <multilabel.Toggles task={task} draft={draft} shown={shown} set={set} />;
    case "rating":
      return <rating.Scales task={task} draft={draft} shown={shown} set={set} />;
    case "freetext":
      return <freetext.Field task={task} draft={draft} label={part.name} set={set} />;
    default:
      return (
        <div class="nblabel-labels" role="radiogroup" aria-label={part.name}>
          {task.classes.map((name, k) => (
            <button
              key={name}
              type="button"
              role="radio"
              aria-checked={draft === name}
              class={`nblabel-label nblabel-k${k % 10}${shown.suggestion?.label === name ? " nblabel-suggested" : ""}${draft === name ? " nblabel-chosen" : ""}`}
              data-label={name}
              onClick={() => set(name)}
            >
              <LabelFace task={task} name={name} />
            </button>
          ))}
        </div>
      );
  }
};

export default controls(logic, View, css + multilabel.css + rating.css + freetext.css);
