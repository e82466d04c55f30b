// What the keys do to a sound, and what is said of it: no page needed.

/** Where a sound is: seconds, seconds in all, times the natural speed. */
export interface Place {
  readonly at: number;
  readonly length: number;
  readonly speed: number;
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

/** Lowest and highest value of equal parts of a sound, -1 to 1, one after the other. */
export function peaksOf(samples: ArrayLike<number>, parts: number): Float32Array {
  const n = Math.min(parts, samples.length);
  const made = new Float32Array(2 * n);
  for (let k = 0; k < n; k++) {
    const end = Math.floor(((k + 1) * samples.length) / n);
    let low = Infinity;
    let high = -Infinity;
    for (let i = Math.floor((k * samples.length) / n); i < end; i++) {
      const value = samples[i] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    made[2 * k] = low;
    made[2 * k + 1] = high;
  }
  return made;
}

const TYPES: ReadonlySet<unknown> = new Set(
  "wav mpeg mp4 flac ogg webm".split(" ").map((name) => `audio/${name}`),
);

/** A blob belongs to the notebook's origin: only types that hold no script. */
export const typeOf = (mime: unknown): string => (TYPES.has(mime) ? (mime as string) : "audio/wav");
