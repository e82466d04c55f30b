// Shapes on an image as they are edited: pure. Places are fractions of the image.

import type { TaskSpec } from "../keymap";
import type { Json } from "../protocol";
import { clamp, type Rect, type Size } from "../viewing";

export type Kind = "box" | "polygon" | "point";
export type Point = readonly [number, number];

export interface Shape {
  readonly kind: Kind;
  readonly label: string;
  /** Of a box its upper left and its lower right corner. */
  readonly points: readonly Point[];
  /** Whether it was suggested and nobody touched it. */
  readonly suggested: boolean;
}

export interface Draft {
  readonly shapes: readonly Shape[];
  /** The shape that the keys are about. */
  readonly active: number | null;
  /** One corner of it, if only that is to be moved. */
  readonly corner: number | null;
  /** Corners of a polygon that is not closed yet. */
  readonly open: readonly Point[];
  /** What is drawn next, and its class. */
  readonly kind: Kind;
  readonly label: string;
  /** Several steps of one kind are taken back together. */
  readonly run: string;
  readonly before: Draft | null;
}

const KINDS: readonly Kind[] = ["box", "polygon", "point"];
/** As many as the kernel takes. */
export const MOST_SHAPES = 2000;
export const MOST_CORNERS = 2000;

export const kindsOf = (task: TaskSpec): readonly Kind[] =>
  KINDS.filter((kind) => (task["shapes"] as readonly string[]).includes(kind));

export function begin(task: TaskSpec, value: Json | null, suggested: boolean): Draft {
  const listed = Array.isArray(value) ? (value as readonly Json[]) : [];
  return {
    shapes: listed.flatMap((raw) => shapeOf(raw, suggested) ?? []),
    active: null,
    corner: null,
    open: [],
    kind: kindsOf(task)[0] ?? "box",
    label: task.classes[0] ?? "",
    run: "",
    before: null,
  };
}

function shapeOf(raw: Json, suggested: boolean): Shape | null {
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) return null;
  const { shape, label, x, y, width, height, points } = raw as Readonly<Record<string, Json>>;
  const kind = shape as Kind;
  if (typeof label !== "string" || !KINDS.includes(kind)) return null;
  let places: unknown[];
  if (kind === "polygon") places = Array.isArray(points) ? (points as unknown[]) : [];
  else if (kind === "point") places = [[x, y]];
  else
    places = [[x, y], typeof x === "number" ? [x + Number(width), Number(y) + Number(height)] : []];
  const sound = places.every(
    (place) => Array.isArray(place) && place.length === 2 && place.every(Number.isFinite),
  );
  if (!sound || (kind === "polygon" && places.length < 3)) return null;
  return { kind, label, points: (places as Point[]).map(inside), suggested };
}

const inside = ([x, y]: Point): Point => [clamp(x, 0, 1), clamp(y, 0, 1)];

/** To six decimals, as the kernel keeps them. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6;

/** The value as the kernel takes it, in the order in which the shapes were made. */
export function valueOf(draft: Draft): Json {
  return draft.shapes.map(({ kind, label, points }): Json => {
    if (kind === "polygon") return { shape: kind, label, points: points.map((p) => p.map(round)) };
    const [x, y] = (points[0] ?? [0, 0]).map(round) as [number, number];
    if (kind === "point") return { shape: kind, label, x, y };
    const [right, bottom] = (points[1] ?? [1, 1]).map(round) as [number, number];
    return { shape: kind, label, x, y, width: round(right - x), height: round(bottom - y) };
  });
}

export function bounds({ points }: Shape): Rect {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Corners as they are drawn, clockwise from the upper left. */
export function outline({ kind, points }: Shape): readonly Point[] {
  const [a, b] = points;
  if (kind !== "box" || !a || !b) return points;
  return [a, [b[0], a[1]], b, [a[0], b[1]]];
}

/** A box between two places, whichever comes first. */
export const between = (a: Point, b: Point): readonly Point[] => [
  inside([Math.min(a[0], b[0]), Math.min(a[1], b[1])]),
  inside([Math.max(a[0], b[0]), Math.max(a[1], b[1])]),
];

/** A step that can be taken back; of one run only as a whole. */
const step = (draft: Draft, change: Partial<Draft>, run = ""): Draft => ({
  ...draft,
  ...change,
  run,
  before: run && run === draft.run ? draft.before : draft,
});

export const undone = (draft: Draft): Draft | null =>
  draft.before && { ...draft.before, run: "", kind: draft.kind, label: draft.label };

export const chosen = (
  draft: Draft,
  active: number | null,
  corner: number | null = null,
): Draft => ({
  ...draft,
  active,
  corner,
  run: "",
});

/** The shape after the active one, or before it; null past the last, where nothing is active. */
export function nextShape(draft: Draft, by: 1 | -1): number | null {
  const at = draft.active === null ? (by > 0 ? 0 : draft.shapes.length - 1) : draft.active + by;
  return at in draft.shapes ? at : null;
}

export const activeOf = (draft: Draft): Shape | null =>
  draft.active === null ? null : (draft.shapes[draft.active] ?? null);

/** With the active shape changed by a person. */
function edited(draft: Draft, change: Partial<Shape>, run = ""): Draft {
  const shapes = draft.shapes.map((shape, k) =>
    k === draft.active ? { ...shape, ...change, suggested: false } : shape,
  );
  return step(draft, { shapes }, run && `${run} ${draft.active}`);
}

/** With a shape more, which is active; as it was where there are as many as there may be. */
export function added(draft: Draft, kind: Kind, points: readonly Point[]): Draft {
  if (draft.shapes.length >= MOST_SHAPES) return draft;
  const made: Shape = { kind, label: draft.label, points: points.map(inside), suggested: false };
  return step(draft, {
    shapes: [...draft.shapes, made],
    active: draft.shapes.length,
    corner: null,
    open: [],
  });
}

/** A class for the active shape, and for what is drawn next. */
export function labelled(draft: Draft, label: string): Draft {
  const shape = activeOf(draft);
  const next = { ...draft, label, run: "" };
  return shape && shape.label !== label ? { ...edited(draft, { label }), label } : next;
}

/** Without the active shape, or without its corner, if one is chosen that can go. */
export function removed(draft: Draft): Draft {
  const shape = activeOf(draft);
  if (!shape) return draft;
  if (draft.corner !== null && shape.kind === "polygon" && shape.points.length > 3) {
    const points = shape.points.filter((_, k) => k !== draft.corner);
    return { ...edited(draft, { points }), corner: draft.corner % points.length };
  }
  const shapes = draft.shapes.filter((one) => one !== shape);
  return step(draft, { shapes, active: null, corner: null });
}

/** The active shape moved as a whole, or its chosen corner; it stays on the image. */
export function moved(draft: Draft, dx: number, dy: number, least: Size): Draft {
  const shape = activeOf(draft);
  if (!shape) return draft;
  if (draft.corner !== null) {
    const at = shape.points[draft.corner];
    return at ? pulled(draft, draft.corner, [at[0] + dx, at[1] + dy], least) : draft;
  }
  const { left, top, width, height } = bounds(shape);
  const x = clamp(dx, -left, 1 - left - width);
  const y = clamp(dy, -top, 1 - top - height);
  return edited(draft, { points: shape.points.map(([a, b]) => inside([a + x, b + y])) }, "move");
}

/** One corner of the active shape at another place; a box keeps at least one pixel. */
function pulled(draft: Draft, corner: number, to: Point, least: Size): Draft {
  const shape = activeOf(draft);
  if (!shape) return draft;
  const place = inside(to);
  const points = shape.points.map((point, k) => (k === corner ? place : point));
  const [a, b] = points;
  if (shape.kind === "box" && a && b) {
    const { width, height } = bounds(shape);
    // A box may have come smaller than a pixel.
    const [x, y] = [Math.min(least.width, width), Math.min(least.height, height)];
    if (corner === 0) points[0] = inside([Math.min(a[0], b[0] - x), Math.min(a[1], b[1] - y)]);
    else points[1] = inside([Math.max(b[0], a[0] + x), Math.max(b[1], a[1] + y)]);
  }
  return edited(draft, { points }, `corner ${corner}`);
}

/** A drawn corner (see `outline`) dragged; the corner across stays, also when it is passed. */
export function dragged(draft: Draft, handle: number, to: Point, least: Size): Draft {
  const shape = activeOf(draft);
  if (!shape) return draft;
  if (shape.kind !== "box") return pulled(draft, handle, to, least);
  const across = outline(shape)[(handle + 2) % 4];
  if (!across) return draft;
  const points = between(across, to);
  const { width, height } = bounds({ ...shape, points });
  return width < 1e-6 || height < 1e-6 ? draft : edited(draft, { points }, `corner ${handle}`);
}

/** The active shape larger or smaller, its upper left corner fixed; points have no size. */
export function resized(draft: Draft, dx: number, dy: number, least: Size): Draft {
  const shape = activeOf(draft);
  if (!shape || shape.kind === "point") return draft;
  const { left, top, width, height } = bounds(shape);
  const side = (length: number, by: number, from: number, lowest: number) =>
    clamp(length + by, Math.min(lowest, length), Math.max(1 - from, length));
  const x = width && side(width, dx, left, least.width) / width;
  const y = height && side(height, dy, top, least.height) / height;
  const points = shape.points.map(([a, b]) => inside([left + (a - left) * x, top + (b - top) * y]));
  return edited(draft, { points }, "size");
}

/** Corner after corner of the active shape, then the whole again. */
export function nextCorner(draft: Draft): Draft {
  const shape = activeOf(draft);
  if (!shape || shape.kind === "point") return draft;
  const corner = draft.corner === null ? 0 : draft.corner + 1;
  return { ...draft, corner: corner < shape.points.length ? corner : null, run: "" };
}

/** One corner more, half way to the next. */
export function split(draft: Draft): Draft {
  const shape = activeOf(draft);
  if (shape?.kind !== "polygon" || shape.points.length >= MOST_CORNERS) return draft;
  const at = draft.corner ?? shape.points.length - 1;
  const [a, b] = [shape.points[at], shape.points[(at + 1) % shape.points.length]];
  if (!a || !b) return draft;
  const points = [...shape.points];
  points.splice(at + 1, 0, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  return { ...edited(draft, { points }), corner: at + 1 };
}

/** One corner more of the polygon under way. */
export const opened = (draft: Draft, at: Point): Draft =>
  draft.open.length >= MOST_CORNERS
    ? draft
    : step(draft, { open: [...draft.open, inside(at)], active: null, corner: null });

/** The polygon under way as a shape; null before it has three corners. */
export const closed = (draft: Draft): Draft | null =>
  draft.open.length < 3 ? null : added(draft, "polygon", draft.open);

export const shortened = (draft: Draft): Draft => step(draft, { open: draft.open.slice(0, -1) });

export const abandoned = (draft: Draft): Draft => step(draft, { open: [] });

/** A new shape in the middle of what is in view, on whole pixels, beside one that is there. */
export function inserted(draft: Draft, view: Rect, size: Size): Draft {
  const side = (start: number, length: number, pixels: number) => {
    const long = clamp(Math.round((length * pixels) / 4), 1, pixels);
    const from = clamp(Math.round((start + length / 2) * pixels - long / 2), 0, pixels - long);
    return [from / pixels, (from + long) / pixels] as const;
  };
  const [x1, x2] = side(view.left, view.width, size.width);
  const [y1, y2] = side(view.top, view.height, size.height);
  let made = added(draft, draft.kind, start(draft.kind, x1, y1, x2, y2));
  const taken = new Set(draft.shapes.map((shape) => JSON.stringify(shape.points)));
  for (let k = 0; k < 20 && taken.has(JSON.stringify(activeOf(made)?.points)); k++) {
    const next = moved(made, 1 / size.width, 1 / size.height, { width: 0, height: 0 });
    made = { ...next, before: made.before, run: "" };
  }
  return made;
}

function start(kind: Kind, x1: number, y1: number, x2: number, y2: number): readonly Point[] {
  if (kind === "point") return [[(x1 + x2) / 2, (y1 + y2) / 2]];
  const corners = between([x1, y1], [x2, y2]);
  return kind === "box"
    ? corners
    : outline({ kind: "box", points: corners, label: "", suggested: false });
}

const share = (value: number): string => `${Math.round(value * 1000) / 10} %`;

/** A shape in words. */
export function inWords(shape: Shape): string {
  const { left, top, width, height } = bounds(shape);
  const place = `left ${share(left)}, top ${share(top)}`;
  const extent = shape.kind === "point" ? "" : `, ${share(width)} wide, ${share(height)} high`;
  const corners = shape.kind === "polygon" ? ` of ${shape.points.length} corners` : "";
  return `${shape.label}, ${shape.kind}${corners}, ${place}${extent}${shape.suggested ? ", suggested" : ""}`;
}
