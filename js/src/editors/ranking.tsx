// Options put into order: digits give the next place, shift and arrows move, enter sends.

import { useId, useRef, useState } from "preact/hooks";
import type { Shown } from "../modules";
import { capOfLabel, type TaskSpec } from "../keymap";
import { Submit, classOf, controls, type Logic, type ViewProps } from "./base";
import css from "./ranking.css";

/** Which options have a place, the best first; several at one place are a tie. */
export interface Order {
  readonly places: readonly (readonly string[])[];
  /** The option that the arrows are at. */
  readonly at: string;
}

const hasTies = (task: TaskSpec): boolean => task["ties"] === true;

const inOrder = (task: TaskSpec, names: readonly string[]): readonly string[] =>
  task.classes.filter((name) => names.includes(name));

/** The options that have no place yet. */
const restOf = (task: TaskSpec, { places }: Order): readonly string[] =>
  task.classes.filter((name) => !places.some((place) => place.includes(name)));

/** All options as they stand below each other. */
export const listed = (task: TaskSpec, draft: Order): readonly string[] => [
  ...draft.places.flat(),
  ...restOf(task, draft),
];

/** The rank of an option; 0 if it has no place yet. What shares a place has the same. */
export function rankOf({ places }: Order, name: string): number {
  let before = 0;
  for (const place of places) {
    if (place.includes(name)) return before + 1;
    before += place.length;
  }
  return 0;
}

function placesOf(task: TaskSpec, value: unknown): Order["places"] | null {
  if (!Array.isArray(value)) return null;
  const places = value.map((entry: unknown) => (Array.isArray(entry) ? entry : [entry]));
  const names: unknown[] = places.flat();
  const all = names.length === task.classes.length && new Set(names).size === names.length;
  if (!all || !task.classes.every((name) => names.includes(name))) return null;
  return places as Order["places"];
}

const without = (places: Order["places"], name: string): Order["places"] =>
  places.map((place) => place.filter((one) => one !== name)).filter((place) => place.length);

/** The order after an option was put before the place of that number, alone. */
function put(draft: Order, name: string, before: number): Order {
  const here = draft.places.findIndex((place) => place.includes(name));
  const alone = here >= 0 && draft.places[here]?.length === 1;
  const places = [...without(draft.places, name)];
  places.splice(alone && here < before ? before - 1 : before, 0, [name]);
  return { places, at: name };
}

/** One more to the end, or out again. */
export function toggled(draft: Order, name: string): Order {
  if (rankOf(draft, name)) return { places: without(draft.places, name), at: name };
  return put(draft, name, draft.places.length);
}

/** The order after the option at hand went up (-1) or down (1). */
export function moved(task: TaskSpec, draft: Order, by: number): Order {
  const { places, at } = draft;
  const here = places.findIndex((place) => place.includes(at));
  if (here < 0) return by < 0 ? toggled(draft, at) : draft;
  if ((places[here]?.length ?? 0) > 1) return put(draft, at, by < 0 ? here : here + 1);
  if (by < 0) return here ? put(draft, at, here - 1) : draft;
  if (here + 1 < places.length) return put(draft, at, here + 2);
  // Below the last place are those that have none.
  return restOf(task, draft).length ? toggled(draft, at) : draft;
}

/** The order after the option at hand shares the place of the one above it, or no longer does. */
export function tied(task: TaskSpec, draft: Order): Order {
  const names = listed(task, draft);
  const above = names[names.indexOf(draft.at) - 1];
  const here = draft.places.findIndex((place) => place.includes(draft.at));
  const place = draft.places.findIndex((one) => above !== undefined && one.includes(above));
  if (place < 0 || above === undefined) return draft;
  if (place === here) return put(draft, draft.at, here + 1);
  const places = draft.places.map((one) => one.filter((name) => name !== draft.at));
  places[place] = [...inOrder(task, [...(places[place] ?? []), draft.at])];
  return { places: places.filter((one) => one.length), at: draft.at };
}

/** The order after an option was dropped where another one stands. */
export function dropped(task: TaskSpec, draft: Order, name: string, on: string): Order {
  if (name === on) return { ...draft, at: name };
  const target = draft.places.findIndex((place) => place.includes(on));
  if (target < 0) return toggled(draft, name); // among those that have no place
  const names = listed(task, draft);
  const down = names.indexOf(name) < names.indexOf(on) && rankOf(draft, name) > 0;
  return put(draft, name, down ? target + 1 : target);
}

const told = (task: TaskSpec, draft: Order): string => {
  const rank = rankOf(draft, draft.at);
  const place = draft.places.find((one) => one.includes(draft.at)) ?? [];
  const tie = place.length > 1 ? ", a tie" : "";
  return rank
    ? `${draft.at}: place ${rank} of ${task.classes.length}${tie}.`
    : `${draft.at}: no place yet.`;
};

const capsOf = (task: TaskSpec): readonly string[] => {
  const caps = task.classes.map((name) => capOfLabel(task, name)).filter(Boolean);
  return caps.length > 2 ? [caps[0] ?? "", caps.at(-1) ?? ""] : caps;
};

export const logic: Logic<Order> = {
  begin: (task, shown: Shown) => {
    const places =
      placesOf(task, shown.label) ?? placesOf(task, shown.suggestion?.label) ?? ([] as const);
    return { places, at: places[0]?.[0] ?? task.classes[0] ?? "" };
  },
  value: (task, draft) => {
    const rest = restOf(task, draft);
    if (rest.length > 1) {
      return { wrong: `${rest.length} options have no place yet: “${rest.join("”, “")}”.` };
    }
    // The one that is left comes last.
    const places = rest.length ? [...draft.places, rest] : draft.places;
    return { value: places.map((place) => (place.length > 1 ? place : (place[0] ?? ""))) };
  },
  press: (task, draft, key) => {
    if (key === "enter" || key === "space") return { submit: draft };
    const say = (next: Order) => ({ draft: next, say: told(task, next) });
    const name = classOf(task, key);
    if (name !== undefined) return say(toggled(draft, name));
    if (key === "up" || key === "down") {
      const names = listed(task, draft);
      const at = names.indexOf(draft.at) + (key === "up" ? -1 : 1);
      return say({ ...draft, at: names[Math.max(0, Math.min(names.length - 1, at))] ?? "" });
    }
    const move = /^(?:shift|alt)\+(up|down)$/.exec(key);
    if (move) return say(moved(task, draft, move[1] === "up" ? -1 : 1));
    if (key === "=" && hasTies(task)) return say(tied(task, draft));
    if (key === "0" && draft.places.length) {
      return {
        draft: { places: [], at: task.classes[0] ?? "" },
        say: "No option has a place.",
      };
    }
    return null;
  },
  keys: (task) => [
    { keys: capsOf(task), does: "that option gets the next place, or none again" },
    { keys: ["up", "down"], does: "from option to option" },
    { keys: ["shift+up", "shift+down"], does: "move the option (alt too)" },
    ...(hasTies(task) ? [{ keys: ["="], does: "a tie with the option above" }] : []),
    { keys: ["0"], does: "start over" },
    { keys: ["enter", "space"], does: "send the order" },
  ],
};

/** The beginning of the field of an item that an option stands for; empty if it is no text. */
function textOf(shown: Shown, name: string): string {
  const parts = shown.view.kind === "several" ? shown.view.data["parts"] : null;
  if (!Array.isArray(parts)) return "";
  for (const part of parts as readonly { name?: unknown; view?: ViewPart }[]) {
    if (part.name !== name) continue;
    const text = part.view?.data?.["text"];
    return typeof text === "string" ? text.slice(0, MOST_SHOWN) : "";
  }
  return "";
}

interface ViewPart {
  readonly data?: Readonly<Record<string, unknown>>;
}

const MOST_SHOWN = 300;
/** A press that moves no further is a click. */
const STILL = 5;

interface Drag {
  readonly name: string;
  readonly from: number;
  readonly on: string | null;
}

/** The options in their order, and buttons for what the keys do. */
export function Ranks({
  task,
  draft,
  shown,
  set,
}: Pick<ViewProps<Order>, "task" | "draft" | "shown" | "set">) {
  const list = useRef<HTMLUListElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const id = useId();
  const names = listed(task, draft);
  const first = restOf(task, draft)[0];

  const under = (y: number): string | null => {
    const rows = [...(list.current?.children ?? [])];
    const k = rows.findIndex((row) => y < row.getBoundingClientRect().bottom);
    return names[k < 0 ? rows.length - 1 : k] ?? null;
  };
  const onMove = (event: PointerEvent) => {
    if (!drag) return;
    if (drag.on === null && Math.abs(event.clientY - drag.from) < STILL) return;
    setDrag({ ...drag, on: under(event.clientY) });
  };
  const onUp = () => {
    if (!drag) return;
    setDrag(null);
    if (drag.on !== null) set(dropped(task, draft, drag.name, drag.on));
    else set(rankOf(draft, drag.name) ? { ...draft, at: drag.name } : toggled(draft, drag.name));
  };

  return (
    <div class="nblabel-ranking">
      <ul
        ref={list}
        class="nblabel-ranks"
        role="listbox"
        tabIndex={0}
        aria-label={task.question ?? "options, the best first"}
        aria-activedescendant={`${id}-${task.classes.indexOf(draft.at)}`}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={() => setDrag(null)}
      >
        {names.map((name) => {
          const rank = rankOf(draft, name);
          const place = draft.places.find((one) => one.includes(name)) ?? [];
          const text = textOf(shown, name);
          const marks = [
            name === draft.at ? "nblabel-at" : "",
            rank ? "nblabel-placed" : "",
            place.length > 1 && place[0] !== name ? "nblabel-tied" : "",
            name === first && draft.places.length ? "nblabel-first-open" : "",
            drag?.on === name && drag.name !== name ? "nblabel-target" : "",
            drag?.on && drag.name === name ? "nblabel-dragged" : "",
          ];
          return (
            <li
              key={name}
              id={`${id}-${task.classes.indexOf(name)}`}
              role="option"
              aria-selected={name === draft.at}
              aria-label={`${rank ? `place ${rank}` : "no place yet"}: ${name}`}
              aria-keyshortcuts={capOfLabel(task, name) || undefined}
              class={`nblabel-rank ${marks.filter(Boolean).join(" ")}`}
              data-option={name}
              data-rank={rank}
              onPointerDown={(event) => {
                if (event.button) return;
                // A finger scrolls, but for the grip.
                const grip = (event.target as Element).closest(".nblabel-rank-grip");
                if (event.pointerType !== "touch" || grip) {
                  list.current?.setPointerCapture(event.pointerId);
                }
                setDrag({ name, from: event.clientY, on: null });
              }}
            >
              <span class="nblabel-rank-grip" aria-hidden="true">
                ⠿
              </span>
              <span class={rank ? "nblabel-place nblabel-given" : "nblabel-place"}>
                {rank || "–"}
              </span>
              <span class="nblabel-option">
                <span class="nblabel-name" dir="auto">
                  {name}
                </span>
                {text && (
                  <span class="nblabel-excerpt" dir="auto">
                    {text}
                  </span>
                )}
              </span>
              {place.length > 1 && <span class="nblabel-tie">tie</span>}
              {capOfLabel(task, name) && <kbd>{capOfLabel(task, name)}</kbd>}
            </li>
          );
        })}
      </ul>
      <div class="nblabel-moves" role="group" aria-label={`move ${draft.at}`}>
        <button
          type="button"
          class="nblabel-button"
          onClick={() => set(moved(task, draft, -1))}
          aria-label={`move ${draft.at} up`}
        >
          up <kbd>⇧↑</kbd>
        </button>
        <button
          type="button"
          class="nblabel-button"
          onClick={() => set(moved(task, draft, 1))}
          aria-label={`move ${draft.at} down`}
        >
          down <kbd>⇧↓</kbd>
        </button>
        {hasTies(task) && (
          <button type="button" class="nblabel-button" onClick={() => set(tied(task, draft))}>
            tie <kbd>=</kbd>
          </button>
        )}
        <button
          type="button"
          class="nblabel-button"
          disabled={!draft.places.length}
          onClick={() => set({ places: [], at: task.classes[0] ?? "" })}
        >
          start over <kbd>0</kbd>
        </button>
      </div>
    </div>
  );
}

function View(props: ViewProps<Order>) {
  const { task, draft, wrong, submit } = props;
  const rest = restOf(task, draft);
  const hint =
    rest.length > 1
      ? `${task.classes.length - rest.length} of ${task.classes.length} have a place`
      : rest.length
        ? `“${rest[0]}” comes last`
        : "all have a place";
  return (
    <>
      <Ranks {...props} />
      <Submit wrong={wrong} hint={hint} onSubmit={() => submit(draft)} />
    </>
  );
}

export { css };
export default controls(logic, View, css);
