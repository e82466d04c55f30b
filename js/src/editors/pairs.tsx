// Which of two is better: the arrow that points at it, space for neither.

import type { Shown } from "../modules";
import type { TaskSpec } from "../keymap";
import { Hint, Share } from "../share";
import { controls, type Logic, type ViewProps } from "./base";
import css from "./pairs.css";

/** As the data counts them, whichever stands on the left. */
export type Preferred = "first" | "second" | "tie" | "";

const SIDES = ["first", "second"] as const;

export const isSwapped = (shown: Shown): boolean => shown.view.data["swapped"] === true;

/** What stands on the left and on the right. */
export const sides = (swapped: boolean): readonly Preferred[] =>
  swapped ? [SIDES[1], SIDES[0]] : SIDES;

/** What is preferred, and whether the sides are swapped. */
interface Draft {
  readonly value: Preferred;
  readonly swapped: boolean;
}

const isPreferred = (value: unknown): value is Preferred =>
  value === "first" || value === "second" || value === "tie";

export const logic: Logic<Draft> = {
  begin: (_task, shown) => ({
    value: isPreferred(shown.label) ? shown.label : "",
    swapped: isSwapped(shown),
  }),
  value: (_task, { value }) =>
    value ? { value } : { wrong: "Choose the left or the right one first." },
  press: (task, draft, key) => {
    const [left, right] = sides(draft.swapped);
    if (key === "left" || key === "1") return { submit: { ...draft, value: left ?? "" } };
    if (key === "right" || key === "2") return { submit: { ...draft, value: right ?? "" } };
    if (key === "space" || key === "0") {
      if (task["ties"] === true) return { submit: { ...draft, value: "tie" } };
      return { say: "Neither is no answer here: choose left or right." };
    }
    return null;
  },
  keys: (task) => [
    { keys: ["left", "1"], does: "the left one" },
    { keys: ["right", "2"], does: "the right one" },
    ...(task["ties"] === true ? [{ keys: ["space", "0"], does: "neither is better" }] : []),
  ],
};

/** A button for each side; `pick` hears of the one that is preferred. */
export function Sides({
  task,
  draft,
  shown,
  pick,
}: Pick<ViewProps<Draft>, "task" | "draft" | "shown"> & { readonly pick: (draft: Draft) => void }) {
  const [left, right] = sides(draft.swapped);
  const shares = new Map(shown.suggestion?.ranking ?? []);
  const button = (value: Preferred, name: string, cap: string) => {
    const share = shares.get(value) ?? null;
    const chosen = draft.value === value ? " nblabel-chosen" : "";
    return (
      <button
        type="button"
        class={`nblabel-label nblabel-k${value === "tie" ? 8 : 0}${chosen}`}
        data-label={value}
        aria-pressed={draft.value === value}
        onClick={() => pick({ ...draft, value })}
      >
        <kbd>{cap}</kbd>
        <span class="nblabel-name">{name}</span>
        <Share share={share} />
        <Hint share={share} suggested={shown.suggestion?.label === value} />
      </button>
    );
  };
  return (
    <div class="nblabel-prefer" role="group" aria-label={task.question ?? "which is better"}>
      {button(left ?? "", "left", "←")}
      {task["ties"] === true && button("tie", "neither", "␣")}
      {button(right ?? "", "right", "→")}
    </div>
  );
}

function View(props: ViewProps<Draft>) {
  return (
    <>
      <Sides {...props} pick={props.submit} />
      {props.wrong && (
        <p class="nblabel-wrong" role="alert">
          {props.wrong}
        </p>
      )}
    </>
  );
}

export { css };
export default controls(logic, View, css);
