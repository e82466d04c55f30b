// Spans of a text as they are edited: pure. Places are UTF-16 units, as the browser counts; what comes
// in and goes out counts characters, as Python does.

import type { TaskSpec } from "../keymap";
import type { Json } from "../protocol";
import { pointOf, points } from "../text";

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  /** Whether the model said so and nobody touched it. */
  readonly suggested: boolean;
}

export interface Relation {
  readonly head: Span;
  readonly tail: Span;
  readonly label: string;
}

export interface Options {
  readonly overlap: "none" | "nested" | "any";
  readonly relations: readonly string[];
  readonly snap: boolean;
}

export const optionsOf = (task: TaskSpec) => task as unknown as Options;

export interface Draft {
  readonly text: string;
  readonly words: readonly (readonly [number, number])[];
  readonly spans: readonly Span[];
  readonly relations: readonly Relation[];
  /** The words from `anchor` to `caret` are selected. */
  readonly caret: number;
  readonly anchor: number;
  /** A span that the keys are about, in the place of the words. */
  readonly active: Span | null;
  /** The span that a relation starts from. */
  readonly head: Span | null;
  readonly before: Draft | null;
}

/** Words of a text, and signs, each as [start, end). */
export function wordsOf(text: string): readonly (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  if (typeof Intl !== "undefined" && "Segmenter" in Intl) {
    const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
    for (const { segment, index } of segmenter.segment(text)) {
      if (segment.trim()) found.push([index, index + segment.length]);
    }
    return found;
  }
  for (const match of text.matchAll(/[\p{L}\p{N}\p{M}_]+|[^\s]/gu)) {
    found.push([match.index, match.index + match[0].length]);
  }
  return found;
}

export function begin(text: string, value: Json | null, suggested: boolean): Draft {
  const starts = points(text);
  const parts = (value ?? []) as Json;
  const listed = Array.isArray(parts) ? parts : ((parts as Record<string, Json>)["spans"] ?? []);
  const spans: Span[] = [];
  for (const entry of Array.isArray(listed) ? (listed as Json[]) : []) {
    const { start, end, label } = entry as Readonly<Record<string, Json>>;
    if (typeof start !== "number" || typeof end !== "number" || typeof label !== "string") continue;
    const [from, to] = [starts[start], starts[end]];
    if (from !== undefined && to !== undefined)
      spans.push({ start: from, end: to, label, suggested });
  }
  const linked = Array.isArray(parts) ? [] : ((parts as Record<string, Json>)["relations"] ?? []);
  const relations: Relation[] = [];
  for (const entry of Array.isArray(linked) ? (linked as Json[]) : []) {
    const { head, tail, label } = entry as Readonly<Record<string, Json>>;
    const [from, to] = [spans[Number(head)], spans[Number(tail)]];
    if (from && to) relations.push({ head: from, tail: to, label: String(label) });
  }
  return {
    text,
    words: wordsOf(text),
    spans,
    relations,
    caret: 0,
    anchor: 0,
    active: null,
    head: null,
    before: null,
  };
}

/** The value as the kernel takes it. */
export function valueOf(task: TaskSpec, draft: Draft): Json {
  const starts = points(draft.text);
  const spans = sorted(draft.spans);
  const made = spans.map(({ start, end, label }) => ({
    start: pointOf(starts, start),
    end: pointOf(starts, end),
    label,
  }));
  if (!optionsOf(task).relations.length) return made;
  return {
    spans: made,
    relations: draft.relations.map(({ head, tail, label }) => ({
      head: spans.indexOf(head),
      tail: spans.indexOf(tail),
      label,
    })),
  };
}

export const sorted = (spans: readonly Span[]): readonly Span[] =>
  [...spans].sort((a, b) => a.start - b.start || b.end - a.end || (a.label < b.label ? -1 : 1));

/** Where the selected words begin and end; of the active span its own places. */
export function selection(draft: Draft): readonly [number, number] | null {
  if (draft.active) return [draft.active.start, draft.active.end];
  const first = draft.words[Math.min(draft.caret, draft.anchor)];
  const last = draft.words[Math.max(draft.caret, draft.anchor)];
  return first && last ? [first[0], last[1]] : null;
}

/** A selection grown to whole words, null if it holds none. */
export function snapped(
  draft: Draft,
  start: number,
  end: number,
): readonly [number, number] | null {
  const inside = draft.words.filter(([from, to]) => from < end && to > start);
  const [first, last] = [inside[0], inside.at(-1)];
  return first && last ? [first[0], last[1]] : null;
}

const overlaps = (a: Span, b: Span): boolean => a.start < b.end && b.start < a.end;
const within = (a: Span, b: Span): boolean => a.start >= b.start && a.end <= b.end;

/** With a span more; those that may not stand beside it go. */
export function added(
  task: TaskSpec,
  draft: Draft,
  start: number,
  end: number,
  label: string,
): Draft {
  const made: Span = { start, end, label, suggested: false };
  const { overlap } = optionsOf(task);
  const twin = draft.spans.find((s) => s.start === start && s.end === end && s.label === label);
  const kept = draft.spans.filter((span) => {
    if (span === twin || span === draft.active) return false;
    if (!overlaps(span, made) || overlap === "any") return true;
    const same = span.start === start && span.end === end;
    return overlap === "nested" && !same && (within(span, made) || within(made, span));
  });
  const last = draft.words.findIndex(([from]) => from >= end);
  const caret = last < 0 ? draft.words.length - 1 : last;
  return {
    ...without(
      draft,
      draft.spans.filter((span) => !kept.includes(span)),
      draft.active && made,
    ),
    spans: [...kept, made],
    active: null,
    caret,
    anchor: caret,
    before: draft,
  };
}

/** Relations go with their spans; those of a span that is only renamed go over to it. */
function without(draft: Draft, gone: readonly Span[], heir: Span | null): Draft {
  const over = (span: Span): Span => (heir && span === draft.active ? heir : span);
  const relations = draft.relations
    .map((r) => ({ ...r, head: over(r.head), tail: over(r.tail) }))
    .filter((r) => !gone.includes(r.head) && !gone.includes(r.tail));
  return { ...draft, relations, head: draft.head && gone.includes(draft.head) ? null : draft.head };
}

export function removed(draft: Draft, span: Span): Draft {
  return {
    ...without(draft, [span], null),
    spans: draft.spans.filter((one) => one !== span),
    active: null,
    before: draft,
  };
}

/** The next span from where the keys are, round and round. */
export function nextSpan(draft: Draft, by: 1 | -1): Draft {
  const spans = sorted(draft.spans);
  if (!spans.length) return draft;
  let place: number;
  if (draft.active) place = (spans.indexOf(draft.active) + by + spans.length) % spans.length;
  else {
    const at = draft.words[draft.caret]?.[0] ?? 0;
    const later = spans.findIndex((span) => span.start >= at);
    place = by > 0 ? Math.max(later, 0) : (later < 0 ? spans.length : later || spans.length) - 1;
  }
  const active = spans[place] ?? null;
  return { ...draft, active, ...caretAt(draft, active?.start ?? 0) };
}

/** The words that begin at or after a place. */
export function caretAt(draft: Draft, unit: number): { caret: number; anchor: number } {
  const place = draft.words.findIndex(([, end]) => end > unit);
  const caret = place < 0 ? Math.max(0, draft.words.length - 1) : place;
  return { caret, anchor: caret };
}

export function moved(draft: Draft, by: number, extend: boolean): Draft {
  const most = Math.max(0, draft.words.length - 1);
  const caret = Math.max(0, Math.min(most, draft.caret + by));
  return { ...draft, active: null, caret, anchor: extend ? draft.anchor : caret };
}

/** Begin a relation at the active span, or end it there. */
export function linked(task: TaskSpec, draft: Draft, label: string): Draft {
  const { active, head } = draft;
  if (!active) return draft;
  if (!head) return { ...draft, head: active };
  if (head === active) return { ...draft, head: null };
  const same = (r: Relation) => r.head === head && r.tail === active && r.label === label;
  const relations = draft.relations.some(same)
    ? draft.relations.filter((r) => !same(r))
    : [...draft.relations, { head, tail: active, label }];
  return { ...draft, relations, head: null, before: draft };
}

/** A piece of the text with the spans over it, the outermost first. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly spans: readonly Span[];
  readonly selected: boolean;
  readonly caret: boolean;
}

/** The text cut wherever anything begins or ends. */
export function pieces(draft: Draft): readonly Piece[] {
  const chosen = selection(draft);
  const caret = draft.active ? null : draft.words[draft.caret];
  const cuts = new Set([0, draft.text.length]);
  for (const { start, end } of draft.spans) cuts.add(start).add(end);
  for (const place of [...(chosen ?? []), ...(caret ?? [])]) cuts.add(place);
  const places = [...cuts].sort((a, b) => a - b);
  const spans = sorted(draft.spans);
  const made: Piece[] = [];
  for (let k = 0; k + 1 < places.length; k++) {
    const [start, end] = [places[k] ?? 0, places[k + 1] ?? 0];
    made.push({
      start,
      end,
      spans: spans.filter((span) => span.start <= start && span.end >= end),
      selected: chosen !== null && chosen[0] <= start && chosen[1] >= end,
      caret: caret !== null && caret !== undefined && caret[0] <= start && caret[1] >= end,
    });
  }
  return made;
}
