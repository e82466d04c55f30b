// What the keys do to a sound or a video, and what is said of it: no page needed.

/** Where a sound or a video is: seconds, seconds in all, times the natural speed. */
export interface Place {
  readonly at: number;
  readonly length: number;
  readonly speed: number;
  /** Frames a second, of a video. */
  readonly rate?: number;
}

export type Turn = { readonly toggle: true } | { readonly at: number } | { readonly speed: number };

export const SPEEDS: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const STEP = 2;

/** What a key means; null if nothing. They are keys that no label and no command can have. */
export function turn(place: Place, key: string): Turn | null {
  switch (key) {
    case "shift+space":
      return { toggle: true };
    case "shift+left":
      return { at: Math.max(0, place.at - STEP) };
    case "shift+right":
      return { at: Math.min(place.length, place.at + STEP) };
    case ",":
    case "<":
      return place.rate ? { at: frameAt(place, place.rate, -1) } : null;
    case ".":
    case ">":
      return place.rate ? { at: frameAt(place, place.rate, 1) } : null;
    case "home":
      return { at: 0 };
    case "-":
      return { speed: nextSpeed(place.speed, -1) };
    case "+":
    case "=":
      return { speed: nextSpeed(place.speed, 1) };
    default:
      return null;
  }
}

/** The middle of the frame before or after this one. */
function frameAt({ at, length }: Place, rate: number, by: -1 | 1): number {
  const last = Math.max(0, Math.round(length * rate) - 1);
  const frame = Math.floor(at * rate + 1e-3) + by;
  return (Math.min(last, Math.max(0, frame)) + 0.5) / rate;
}

function nextSpeed(speed: number, by: -1 | 1): number {
  const found = by > 0 ? SPEEDS.find((s) => s > speed) : SPEEDS.filter((s) => s < speed).at(-1);
  return found ?? speed;
}

/** Minutes and seconds, with tenths for what is short. */
export function clock(seconds: number, tenths: boolean): string {
  if (!Number.isFinite(seconds)) return "–";
  const shown = tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds);
  const minutes = Math.floor(shown / 60);
  const rest = (shown - minutes * 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
  return `${minutes}:${rest}`;
}
