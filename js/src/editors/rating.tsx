// A number on a scale, or several: digits set a point, up and down move it.

import type { Shown } from "../modules";
import type { TaskSpec } from "../keymap";
import type { Json } from "../protocol";
import { Submit, controls, type Logic, type ViewProps } from "./base";
import css from "./rating.css";

interface Scale {
  readonly points: readonly number[];
  readonly ends: readonly [string, string];
  readonly scales: readonly string[];
}

const scaleOf = (task: TaskSpec) => task as unknown as Scale;

/** Points so far, null where there is none, and which scale the keys go to. */
export interface Ratings {
  readonly values: readonly (number | null)[];
  readonly at: number;
}

/** So many points stand as buttons; more of them are a slider. */
const MOST_BUTTONS = 11;

const namesOf = (task: TaskSpec): readonly string[] =>
  scaleOf(task).scales.length ? scaleOf(task).scales : [""];

function valuesOf(task: TaskSpec, value: Json | undefined): readonly (number | null)[] | null {
  if (value === null || value === undefined) return null;
  const named: Readonly<Record<string, Json>> =
    typeof value === "object" && !Array.isArray(value)
      ? (value as Readonly<Record<string, Json>>)
      : { "": value };
  return namesOf(task).map((name) => (typeof named[name] === "number" ? named[name] : null));
}

function set({ values, at }: Ratings, value: number, onward: boolean): Ratings {
  const next = values.map((old, k) => (k === at ? value : old));
  return { values: next, at: onward ? Math.min(at + 1, values.length - 1) : at };
}

function nudged(task: TaskSpec, draft: Ratings, by: number): Ratings {
  const { points } = scaleOf(task);
  const now = draft.values[draft.at] ?? null;
  const middle = Math.floor((points.length - 1) / 2);
  const place = now === null ? middle : points.indexOf(now) + by;
  return set(draft, points[Math.max(0, Math.min(points.length - 1, place))] ?? 0, false);
}

const STEPS: Readonly<Record<string, number>> = { up: 1, down: -1, pageup: 10, pagedown: -10 };

export const logic: Logic<Ratings> = {
  begin: (task, shown: Shown) => ({
    values:
      valuesOf(task, shown.label) ??
      valuesOf(task, shown.suggestion?.label) ??
      namesOf(task).map(() => null),
    at: 0,
  }),
  value: (task, { values }) => {
    const names = namesOf(task);
    const missing = values.findIndex((value) => value === null);
    if (missing >= 0) {
      return {
        wrong: names[missing] ? `Rate “${names[missing]}” first.` : "Choose a point first.",
      };
    }
    if (!scaleOf(task).scales.length) return { value: values[0] ?? null };
    return { value: Object.fromEntries(names.map((name, k) => [name, values[k] ?? null])) };
  },
  press: (task, draft, key) => {
    const { points } = scaleOf(task);
    if (key === "enter" || key === "space") return { submit: draft };
    const step = STEPS[key];
    if (step !== undefined) {
      const next = nudged(task, draft, step);
      return { draft: next, say: String(next.values[next.at]) };
    }
    if (key === "tab" || key === "shift+tab") {
      const at = draft.at + (key === "tab" ? 1 : -1);
      if (at < 0 || at >= draft.values.length) return null;
      return { draft: { ...draft, at }, say: namesOf(task)[at] ?? "" };
    }
    const point = /^[0-9]$/.test(key) ? points.find((one) => one === Number(key)) : undefined;
    if (point === undefined) return null;
    const next = set(draft, point, true);
    if (draft.values.length === 1) return { submit: next };
    return { draft: next, say: `${namesOf(task)[draft.at] ?? ""} ${point}` };
  },
  keys: (task) => [
    ...(scaleOf(task).points.some((point) => point >= 0 && point <= 9)
      ? [{ keys: ["0", "9"], does: "the point of that number" }]
      : []),
    { keys: ["up", "down"], does: "a point more or less" },
    ...(scaleOf(task).scales.length ? [{ keys: ["tab"], does: "the next scale" }] : []),
    { keys: ["enter", "space"], does: "send the rating" },
  ],
};

/** The scales; `onPoint` hears of a point that settles the only one. */
export function Scales({
  task,
  draft,
  shown,
  set: change,
  onPoint,
}: Pick<ViewProps<Ratings>, "task" | "draft" | "shown" | "set"> & {
  readonly onPoint?: (draft: Ratings) => void;
}) {
  const { points, ends } = scaleOf(task);
  const names = namesOf(task);
  const suggested = valuesOf(task, shown.suggestion?.label);
  return (
    <div class="nblabel-scales">
      {names.map((name, k) => {
        const value = draft.values[k] ?? null;
        const here = { ...draft, at: k };
        const current = names.length > 1 && draft.at === k ? " nblabel-at" : "";
        return (
          <div
            key={name}
            class={`nblabel-scale${current}`}
            role="group"
            aria-label={name || "rating"}
          >
            {name && (
              <span class="nblabel-scale-name" dir="auto">
                {name}
              </span>
            )}
            <span class="nblabel-end" dir="auto">
              {ends[0]}
            </span>
            {points.length <= MOST_BUTTONS ? (
              <div class="nblabel-points" role="radiogroup">
                {points.map((point) => (
                  <button
                    key={point}
                    type="button"
                    role="radio"
                    aria-checked={value === point}
                    class={`nblabel-point${suggested?.[k] === point ? " nblabel-suggested" : ""}${value === point ? " nblabel-chosen" : ""}`}
                    onClick={() => {
                      const next = set(here, point, true);
                      if (names.length === 1 && onPoint) onPoint(next);
                      else change(next);
                    }}
                  >
                    {point}
                  </button>
                ))}
              </div>
            ) : (
              <div class="nblabel-slide">
                <input
                  type="range"
                  tabIndex={-1}
                  aria-label={name || "rating"}
                  min={points[0]}
                  max={points.at(-1)}
                  step={(points[1] ?? 1) - (points[0] ?? 0)}
                  value={value ?? points[Math.floor((points.length - 1) / 2)]}
                  data-empty={value === null}
                  onInput={(event) =>
                    change(set(here, nearest(points, Number(event.currentTarget.value)), false))
                  }
                />
                <output>{value ?? "–"}</output>
              </div>
            )}
            <span class="nblabel-end" dir="auto">
              {ends[1]}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function View(props: ViewProps<Ratings>) {
  const { draft, wrong, submit } = props;
  return (
    <>
      <Scales {...props} onPoint={submit} />
      <Submit wrong={wrong} hint="" onSubmit={() => submit(draft)} />
    </>
  );
}

export { css };

function nearest(points: readonly number[], value: number): number {
  return points.reduce(
    (a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a),
    points[0] ?? 0,
  );
}

export default controls(logic, View, css);
