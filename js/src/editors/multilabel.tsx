// Any number of classes: each key toggles one, enter sends them.

import type { Shown } from "../modules";
import { capOfLabel, type TaskSpec } from "../keymap";
import { Columns, Hint, Share } from "../share";
import { LabelFace, Submit, classOf, controls, type Logic, type ViewProps } from "./base";
import css from "./multilabel.css";

export type Chosen = readonly string[];

interface Rules {
  readonly least: number;
  readonly most: number;
  readonly exclusive: readonly (readonly string[])[];
  readonly parents: Readonly<Record<string, string>>;
}

const rules = (task: TaskSpec) => task as unknown as Rules;

function ancestors(task: TaskSpec, name: string): readonly string[] {
  const { parents } = rules(task);
  const found: string[] = [];
  for (let at = parents[name]; at !== undefined && !found.includes(at); at = parents[at]) {
    found.push(at);
  }
  return found;
}

/** The classes after one was toggled: its parents come with it, its children and rivals go. */
export function toggled(task: TaskSpec, chosen: Chosen, name: string): Chosen {
  const next = new Set(chosen);
  if (next.has(name)) {
    for (const other of chosen) {
      if (other === name || ancestors(task, other).includes(name)) next.delete(other);
    }
  } else {
    for (const one of [name, ...ancestors(task, name)]) {
      for (const group of rules(task).exclusive) {
        if (!group.includes(one)) continue;
        for (const rival of group) {
          if (rival === one) continue;
          for (const other of [...next]) {
            if (other === rival || ancestors(task, other).includes(rival)) next.delete(other);
          }
        }
      }
      next.add(one);
    }
  }
  return task.classes.filter((one) => next.has(one));
}

const listOf = (value: unknown): Chosen | null =>
  Array.isArray(value) && value.every((one) => typeof one === "string") ? (value as Chosen) : null;

export const logic: Logic<Chosen> = {
  begin: (_task, shown: Shown) => listOf(shown.label) ?? listOf(shown.suggestion?.label) ?? [],
  value: (task, chosen) => {
    const { least, most } = rules(task);
    if (chosen.length < least) {
      return { wrong: `Choose at least ${least === 1 ? "one label" : `${least} labels`}.` };
    }
    if (chosen.length > most) return { wrong: `Choose at most ${most}.` };
    return { value: chosen };
  },
  press: (task, chosen, key) => {
    if (key === "enter" || key === "space") return { submit: chosen };
    const name = classOf(task, key);
    if (name === undefined) return null;
    const draft = toggled(task, chosen, name);
    return { draft, say: `${name} ${draft.includes(name) ? "on" : "off"}.` };
  },
  keys: () => [{ keys: ["enter", "space"], does: "send the labels that are on" }],
};

/** The classes, each a button that is on or off. */
export function Toggles({
  task,
  draft,
  shown,
  set,
}: Pick<ViewProps<Chosen>, "task" | "draft" | "shown" | "set">) {
  const shares = new Map(shown.suggestion?.ranking ?? []);
  const suggested = listOf(shown.suggestion?.label) ?? [];
  return (
    <Columns classes={task.classes}>
      {task.classes.map((name, k) => {
        const share = shares.get(name) ?? null;
        const on = draft.includes(name);
        return (
          <button
            key={name}
            type="button"
            role="checkbox"
            aria-checked={on}
            aria-keyshortcuts={capOfLabel(task, name) || undefined}
            class={`nblabel-label nblabel-toggle nblabel-k${k % 10}${on ? " nblabel-chosen" : ""}`}
            data-label={name}
            title={name}
            onClick={() => set(toggled(task, draft, name))}
          >
            <LabelFace task={task} name={name} />
            <Share share={share} />
            <span class="nblabel-check" aria-hidden="true">
              {on ? "✓" : ""}
            </span>
            <Hint share={share} suggested={suggested.includes(name)} />
          </button>
        );
      })}
    </Columns>
  );
}

function View(props: ViewProps<Chosen>) {
  const { task, draft, wrong, submit } = props;
  const { least, most } = rules(task);
  const hint =
    most < task.classes.length || least
      ? `${draft.length} of ${least ? `${least} to ` : "at most "}${most}`
      : draft.length
        ? `${draft.length} on`
        : "none on";
  return (
    <>
      <Toggles {...props} />
      <Submit wrong={wrong} hint={hint} onSubmit={() => submit(draft)} />
    </>
  );
}

export { css };
export default controls(logic, View, css);
