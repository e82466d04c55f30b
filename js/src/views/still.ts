// Hooks that keep the frame still: most of what a key changes is drawn by what stands in the frame.

import { computed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Controller } from "../controller";
import { current, type State } from "../state";

/** What every answer changes, and the frame around the item does not show. */
type Moving =
  | ("items" | "queue" | "returned" | "trail" | "judged" | "untold" | "cursor")
  | ("since" | "position" | "unsaved" | "said");

/** All that is not: a field that is forgotten here is an error of types. */
const SHOWN: { readonly [key in Exclude<keyof State, Moving>]: true } = {
  phase: true,
  link: true,
  refusal: true,
  annotator: true,
  about: true,
  more: true,
  reopened: true,
  absent: true,
  grid: true,
  parked: true,
  pages: true,
  dry: true,
  status: true,
  rank: true,
  outside: true,
  suggest: true,
  panel: true,
  notice: true,
};
const shown = Object.keys(SHOWN) as (keyof typeof SHOWN)[];

const isStill = (before: State, now: State): boolean =>
  now.panel === "none" &&
  current(before) !== null &&
  current(now) !== null &&
  shown.every((key) => now[key] === before[key]);

/**
 * The state as it was when anything last changed that the frame shows. Where what is said or done
 * must know the item on the screen, look at the state itself.
 */
export function useStill({ state }: Controller): State {
  const still = useMemo(() => {
    let last = state.peek();
    return computed(() => {
      const now = state.value;
      if (!isStill(last, now)) last = now;
      return last;
    });
  }, [state]);
  return still.value;
}

/** Labels are unsaved, and models in training, for some milliseconds: only what lasts is shown. */
const LATE_MS = 600;

/** How many labels are unsaved, as long as some have been for a while. */
export function useUnsaved(controller: Controller): number {
  const [shown, show] = useState(0);
  const watch = useMemo(() => {
    const { state } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let late = false;
    const start = () => {
      if (timer !== undefined || !state.peek().unsaved) return;
      timer = setTimeout(() => {
        late = true;
        show(state.peek().unsaved);
      }, LATE_MS);
    };
    return () => {
      const { unsaved } = state.value;
      if (!unsaved) {
        clearTimeout(timer);
        timer = undefined;
        late = false;
      } else if (timer === undefined) {
        controller.afterPaint(start);
      }
      show(late ? unsaved : 0);
    };
  }, [controller]);
  useSignalEffect(watch);
  return shown;
}

/** Whether something has been going on for a while. */
export function useLate(going: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!going) {
      setLate(false);
      return undefined;
    }
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [going]);
  return late && going;
}
