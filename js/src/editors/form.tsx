// Several questions about one item: the keys go to one of them at a time, one submit sends all.

import type { FunctionComponent } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Editor, EditorHost, Made, Mounted, Shown } from "../modules";
import { pressName, type Press, type TaskSpec } from "../keymap";
import type { Json } from "../protocol";
import { LabelFace, Panel, Submit, classOf, type Logic, type ViewProps } from "./base";
import boxes from "./boxes";
import * as freetext from "./freetext";
import * as multilabel from "./multilabel";
import * as pairs from "./pairs";
import * as ranking from "./ranking";
import * as rating from "./rating";
import spans from "./spans";
import { Hint } from "../share";
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

/** What is drawn on the item is kept by its own editor, which says what would be sent. */
const drawn: Logic<Made> = {
  begin: () => ({ wrong: "The item cannot be marked." }),
  value: (_task, made) => made,
  press: () => null,
  keys: () => [],
};

const EDITORS: Readonly<Record<string, Editor>> = { boxes, spans };
const isDrawn = (task: TaskSpec): boolean => Object.hasOwn(EDITORS, task.kind);

const LOGICS: Readonly<Record<string, Logic<Draft>>> = {
  boxes: drawn,
  spans: drawn,
  pairs: pairs.logic,
  choice,
  binary: choice,
  multilabel: multilabel.logic,
  ranking: ranking.logic,
  rating: rating.logic,
  freetext: freetext.logic,
};

/** Their own keys are up and down; from question to question it is page up and page down. */
const UPRIGHT: ReadonlySet<string> = new Set(["rating", "ranking"]);

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
    if (!field && (key === "down" || key === "up") && !UPRIGHT.has(part.task.kind)) {
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

/** Puts the editor of a part that is drawn into its place, and keeps it. */
type Embed = (part: Part, controls: HTMLElement, shown: Shown) => void;

function View({
  task,
  draft,
  shown,
  wrong,
  set,
  submit,
  embed,
}: ViewProps<Answers> & { readonly embed: Embed }) {
  const parts = asked(task, draft);
  return (
    <>
      {specOf(task)
        .parts.filter((part) => parts.includes(part) || isDrawn(part.task))
        .map((part) => {
          const at = parts.indexOf(part);
          return (
            <fieldset
              key={part.name}
              hidden={at < 0}
              class={`nblabel-part${at === draft.at ? " nblabel-at" : ""}`}
              onFocusIn={() => at !== draft.at && set({ ...draft, at })}
            >
              <legend dir="auto">{part.task.question ?? part.name}</legend>
              <PartView
                part={part}
                draft={draft.drafts[part.name]}
                shown={partOf(shown, part.name)}
                embed={embed}
                set={(one) => set({ drafts: { ...draft.drafts, [part.name]: one }, at })}
              />
            </fieldset>
          );
        })}
      <Submit wrong={wrong} hint="" cap="Ctrl ↵" onSubmit={() => submit(draft)} />
    </>
  );
}

interface PartProps {
  readonly part: Part;
  readonly draft: Draft;
  readonly shown: Shown;
  readonly set: (draft: Draft) => void;
  readonly embed: Embed;
}

/** The controls of an editor that draws on the item. */
function Drawn({ part, shown, embed }: Pick<PartProps, "part" | "shown" | "embed">) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current) embed(part, box.current, shown);
  }, [shown.id, shown.view, shown.label, shown.suggestion?.version]);
  return <div ref={box} class="nblabel-controls" data-part={part.name} />;
}

const PartView: FunctionComponent<PartProps> = ({ part, draft, shown, set, embed }) => {
  const { task } = part;
  if (isDrawn(task)) return <Drawn part={part} shown={shown} embed={embed} />;
  switch (task.kind) {
    case "pairs":
      return <pairs.Sides task={task} draft={draft} shown={shown} pick={set} />;
    case "multilabel":
      return <multilabel.Toggles task={task} draft={draft} shown={shown} set={set} />;
    case "ranking":
      return <ranking.Ranks task={task} draft={draft} shown={shown} set={set} />;
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
              class={`nblabel-label nblabel-k${k % 10}${draft === name ? " nblabel-chosen" : ""}`}
              data-label={name}
              onClick={() => set(name)}
            >
              <LabelFace task={task} name={name} />
              <Hint share={null} suggested={shown.suggestion?.label === name} />
            </button>
          ))}
        </div>
      );
  }
};

interface Drawing {
  readonly mounted: Mounted;
  readonly place: HTMLElement;
  readonly controls: HTMLElement;
}

/** A form; where a part is drawn on the item, the form has its place in the card. */
class Form extends Panel<Answers> {
  private readonly drawings = new Map<string, Drawing>();
  /** While an editor is told what to show, what it says of that is no change by hand. */
  private showing = false;

  constructor(
    private readonly stage: HTMLElement | null,
    controls: HTMLElement,
    host: EditorHost,
  ) {
    const embed: Embed = (part, at, shown) => this.embed(part, at, shown);
    const FormView = (props: ViewProps<Answers>) => <View {...props} embed={embed} />;
    super(
      logic,
      FormView,
      [css, multilabel.css, ranking.css, rating.css, freetext.css, pairs.css].join(""),
      controls,
      host,
    );
  }

  override press(press: Press, target: EventTarget | null): boolean {
    const key = pressName(press);
    const drawing = this.current && this.drawings.get(this.current.name);
    const passes = ["ctrl+enter", "pagedown", "pageup"].includes(key);
    if (drawing && !passes && drawing.mounted.press(press, target)) return true;
    return super.press(press, target);
  }

  override destroy(): void {
    for (const name of [...this.drawings.keys()]) this.remove(name);
    super.destroy();
  }

  protected override set(draft: Answers): void {
    super.set(draft);
    this.arrange();
  }

  private get current(): Part | undefined {
    return this.draft ? asked(this.host.task, this.draft)[this.draft.at] : undefined;
  }

  private embed(part: Part, controls: HTMLElement, shown: Shown): void {
    if (this.drawings.get(part.name)?.controls !== controls) {
      this.remove(part.name);
      const place = document.createElement("div");
      this.stage?.append(place);
      // Whoever draws answers that question.
      place.addEventListener("pointerdown", () => this.go(part.name), { capture: true });
      const host: EditorHost = {
        task: part.task,
        say: (text) => this.host.say(text),
        home: () => this.host.home(),
        submit: () => this.onward(),
        changed: (made) => this.changed(part.name, made),
      };
      const mounted = EDITORS[part.task.kind]?.mount({ stage: place, controls }, host);
      if (mounted) this.drawings.set(part.name, { mounted, place, controls });
    }
    this.showing = true;
    this.drawings.get(part.name)?.mounted.show(shown);
    this.showing = false;
    this.arrange();
  }

  private remove(name: string): void {
    const drawing = this.drawings.get(name);
    drawing?.mounted.destroy();
    drawing?.place.remove();
    this.drawings.delete(name);
  }

  private go(name: string): void {
    const { draft } = this;
    const at = draft ? asked(this.host.task, draft).findIndex((part) => part.name === name) : -1;
    if (draft && at >= 0 && at !== draft.at) this.set({ ...draft, at });
  }

  private changed(name: string, made: Made): void {
    const { draft } = this;
    if (!draft) return;
    const next = { ...draft, drafts: { ...draft.drafts, [name]: made } };
    if (this.showing) this.draft = next;
    else this.set(next);
  }

  private onward(): void {
    const next = this.draft && onward(this.host.task, this.draft);
    if (next) this.set(next);
    else if (this.draft) this.submit(this.draft);
  }

  /** One drawing is seen, also where its question is not asked: it is what shows the item. */
  private arrange(): void {
    const seen = [this.current?.name ?? "", ...this.drawings.keys()].find((name) =>
      this.drawings.has(name),
    );
    for (const [name, { place }] of this.drawings) place.hidden = name !== seen;
  }
}

const editor: Editor = {
  stage: (task) => specOf(task).parts.some((part) => isDrawn(part.task)),
  mount: ({ stage, controls }, host) => new Form(stage, controls, host),
};

export default editor;
