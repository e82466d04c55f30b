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
