// A swipe over the item: right accepts, left rejects. Only by touch; a mouse selects text.

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** In pixels: as far, and twice as far as up or down. */
const FAR = 60;

/** What is moved by hand itself, or is for pressing. */
const OWN = "canvas, video, iframe, a, button, summary, .nblabel-look, [style*=transform]";

export function useSwipe(
  card: RefObject<HTMLElement | null>,
  swiped: ((to: "left" | "right") => void) | null,
): void {
  useEffect(() => {
    const el = card.current;
    if (!el || !swiped) return undefined;
    const abort = new AbortController();
    const { signal } = abort;
    let from: PointerEvent | null = null;
    // The page scrolls up and down as ever; a sideways move is heard here.
    el.style.touchAction = "pan-y pinch-zoom";
    const on = (
      name: "pointerdown" | "pointerup" | "pointercancel",
      does: (e: PointerEvent) => void,
    ) => el.addEventListener(name, does, { signal });
    on("pointerdown", (event) => {
      const own = (event.target as Element).closest(OWN);
      from = event.pointerType === "touch" && event.isPrimary && !own ? event : null;
    });
    on("pointercancel", () => (from = null));
    on("pointerup", (event) => {
      if (from?.pointerId !== event.pointerId) return;
      const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
      from = null;
      if (Math.abs(x) >= FAR && Math.abs(x) > 2 * Math.abs(y)) swiped(x > 0 ? "right" : "left");
    });
    return () => {
      abort.abort();
      el.style.touchAction = "";
    };
  }, [swiped]);
}
