// What is seen of a line: which part of the axis, which ticks, which pixels.

/** The part of the axis on the screen, in shares of the whole. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export const WHOLE: Span = { from: 0, to: 1 };

/** What a key does to the part that is seen; null if nothing. `least` is the smallest share. */
export function moved(span: Span, key: string, least: number): Span | null {
  const width = span.to - span.from;
  switch (key) {
    case "+":
    case "=":
      return zoomed(span, 0.5, (span.from + span.to) / 2, least);
    case "-":
      return zoomed(span, 2, (span.from + span.to) / 2, least);
    case "shift+left":
      return shifted(span, -width / 4);
    case "shift+right":
      return shifted(span, width / 4);
    case "home":
      return WHOLE;
    default:
      return null;
  }
}

/** Zoom by a factor about a place that stays where it is. */
export function zoomed(span: Span, factor: number, about: number, least: number): Span {
  const width = span.to - span.from;
  const next = Math.min(1, Math.max(Math.min(least, 1), width * factor));
  const from = about - ((about - span.from) / width) * next;
  return shifted({ from, to: from + next }, 0);
}

/** Move by a share of the whole, within it. */
export function shifted(span: Span, by: number): Span {
  const width = span.to - span.from;
  const from = Math.min(1 - width, Math.max(0, span.from + by));
  return { from, to: from + width };
}

/** Round numbers within a range, about so many. */
export function ticks(low: number, high: number, about: number): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const raw = (high - low) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((k) => k * power >= raw) ?? 10);
  const made = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) made.push(k * step);
  return made;
}

/** A tick as it is written: no more digits than the distance of two needs. */
export function tickText(value: number, all: readonly number[]): string {
  const step = Math.abs((all[1] ?? 1) - (all[0] ?? 0)) || 1;
  const most = Math.max(...all.map(Math.abs), step);
  if (most >= 1e7 || step < 1e-5) return value.toExponential(2).replace("e+", "e");
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

/** An end of a range that is no round number, to a twentieth of the range. */
export function endText(value: number, low: number, high: number): string {
  const step = (high - low) / 20 || 1;
  const most = Math.max(Math.abs(low), Math.abs(high));
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  if (most >= 1e7 || digits > 5) {
    const told = Math.min(9, Math.max(1, Math.ceil(Math.log10(most / step))));
    return value.toExponential(told).replace("e+", "e");
  }
  return value.toFixed(digits).replace(/^-(?=[0.]*$)/, "");
}

/** Lowest and highest finite value between two places of a line; null if there is none. */
export function extremes(
  line: ArrayLike<number>,
  from: number,
  to: number,
): readonly [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (let k = Math.max(0, from); k < Math.min(line.length, to); k++) {
    const value = line[k] ?? NaN;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** Where a line is drawn, and the values at the ends of that place. */
export interface Band {
  readonly top: number;
  readonly bottom: number;
  readonly low: number;
  readonly high: number;
}

/** The lowest and highest of each line; null where it has no numbers. */
export type Ranges = readonly (readonly [number, number] | null)[];

/** One place for all lines, with what they all have in it. */
export function together(ranges: Ranges, top: number, bottom: number): Band[] {
  const found = ranges.flatMap((range) => range ?? []);
  let [low, high] = [Math.min(...found), Math.max(...found)];
  if (low === high) [low, high] = [low - 1, high + 1];
  return ranges.map(() => ({ top, bottom, low, high }));
}

/** A place for each line, one below the other, each about the middle of its line. */
export function below(ranges: Ranges, top: number, bottom: number, sameScale: boolean): Band[] {
  const widest = Math.max(...ranges.map((range) => (range ? range[1] - range[0] : 0)));
  const each = (bottom - top) / ranges.length;
  return ranges.map((range, k) => {
    const [low, high] = range ?? [0, 0];
    const half = ((sameScale ? widest : high - low) || 2) / 2;
    const middle = low + (high - low) / 2;
    const at = top + k * each;
    return { top: at, bottom: at + each, low: middle - half, high: middle + half };
  });
}
