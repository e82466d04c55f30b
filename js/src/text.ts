// Text with marked words, as segments: pure.

export interface Segment {
  readonly text: string;
  /** 0 for plain text, else how strongly it speaks for the label, up to 1. */
  readonly weight: number;
}

/** Characters shown at once; more comes on request, so that a huge text cannot stall a key. */
export const MOST_SHOWN = 20_000;

/** Cut a text at its marks; marks that do not fit are passed over. */
export function segments(
  text: string,
  marks: readonly (readonly [number, number, number])[],
): readonly Segment[] {
  const out: Segment[] = [];
  let at = 0;
  for (const [start, end, weight] of marks) {
    if (start < at || end <= start || end > text.length) continue;
    if (start > at) out.push({ text: text.slice(at, start), weight: 0 });
    out.push({ text: text.slice(start, end), weight });
    at = end;
  }
  if (at < text.length) out.push({ text: text.slice(at), weight: 0 });
  return out;
}

/** Cut a text for display without splitting a character of two units. */
export function cut(text: string, most: number = MOST_SHOWN): string {
  if (text.length <= most) return text;
  const unit = text.charCodeAt(most - 1);
  return text.slice(0, unit >= 0xd800 && unit <= 0xdbff ? most - 1 : most);
}

/** Where the characters of a text begin, in UTF-16 units, and its end: places as Python counts. */
export function points(text: string): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) {
    starts.push(at);
  }
  starts.push(text.length);
  return starts;
}

/** The place, as Python counts, of a place in units; one inside a character counts as its start. */
export function pointOf(starts: readonly number[], unit: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= unit) low = middle;
    else high = middle - 1;
  }
  return low;
}
