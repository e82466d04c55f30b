// Numbers and labels as people read them: pure.

import type { Json } from "./guard";

const grouped = new Intl.NumberFormat("en-US");

/** 12345 as 12,345. */
export const count = (n: number): string => grouped.format(n);

/** How many items have a label; a label may be called "constructor". */
export const countOf = (
  status: { readonly counts: Readonly<Record<string, number>> },
  name: string,
): number => (Object.hasOwn(status.counts, name) ? (status.counts[name] ?? 0) : 0);

/** How far a training is that is long enough to say so, from 0 to 1; else null. */
export const lengthy = (status: {
  readonly training: string;
  readonly progress?: number | null;
}): number | null => (status.training === "training" ? (status.progress ?? null) : null);

/** 0.473 as 47 %; never 0 or 100 for what is neither. */
export function percent(share: number): string {
  const whole = Math.round(share * 100);
  if (whole === 0 && share > 0) return "<1 %";
  if (whole === 100 && share < 1) return ">99 %";
  return `${whole} %`;
}

function duration(seconds: number): { n: number; unit: string } {
  if (seconds < 90) return { n: Math.max(1, Math.round(seconds)), unit: "s" };
  if (seconds < 90 * 60) return { n: Math.round(seconds / 60), unit: "min" };
  if (seconds < 36 * 3600) return { n: Math.round(seconds / 3600), unit: "h" };
  return { n: Math.round(seconds / 86400), unit: "days" };
}

/** A range of times, such as "12 to 15 min". */
export function range(low: number, high: number): string {
  const a = duration(low);
  const b = duration(high);
  if (a.unit === b.unit) return a.n === b.n ? `${a.n} ${a.unit}` : `${a.n} to ${b.n} ${a.unit}`;
  return `${a.n} ${a.unit} to ${b.n} ${b.unit}`;
}

/** Median seconds per label as a rate, such as "24 per min". */
export function rate(median: number): string {
  const perMinute = 60 / Math.max(median, 0.05);
  return perMinute >= 1.5
    ? `${Math.round(perMinute)} per min`
    : `${Math.round(perMinute * 60)} per h`;
}

/** Last part of a path. */
export const fileName = (path: string): string => path.replace(/^.*[\\/]/s, "");

/** A name of at most so many characters: its beginning and its end, which files differ in. */
export function brief(name: string, most: number): string {
  const all = [...name];
  const half = (most - 1) / 2;
  if (all.length <= most) return name;
  return `${all.slice(0, Math.floor(half)).join("")}…${all.slice(-Math.ceil(half)).join("")}`;
}

/** Points of a learning curve and its band, in a box of the given size. */
export function curvePath(
  points: readonly (readonly [number, number, number, number])[],
  width: number,
  height: number,
): { line: string; band: string } {
  if (points.length < 2) return { line: "", band: "" };
  const xs = points.map((p) => p[0]);
  const first = xs[0] ?? 0;
  const span = Math.max(1, (xs.at(-1) ?? 1) - first);
  const low = Math.min(...points.map((p) => p[2]));
  const high = Math.max(...points.map((p) => p[3]));
  const x = (n: number) => 1 + ((n - first) / span) * (width - 2);
  const y = (v: number) => 1 + (1 - (v - low) / Math.max(high - low, 1e-9)) * (height - 2);
  const at = (n: number, v: number) => `${x(n).toFixed(1)} ${y(v).toFixed(1)}`;
  const line = points.map((p) => at(p[0], p[1]));
  const lower = points.map((p) => at(p[0], p[2]));
  const upper = points.map((p) => at(p[0], p[3])).reverse();
  return { line: `M${line.join("L")}`, band: `M${[...lower, ...upper].join("L")}Z` };
}

/** A label in a few words, whatever its shape. */
export function describeValue(value: Json): string {
  if (typeof value === "string") return value || "empty text";
  if (value === null) return "nothing";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) {
    if (!value.length) return "none";
    const names = value.filter((entry): entry is string => typeof entry === "string");
    if (names.length === value.length) return names.join(", ");
    const labels = value.map((entry: Json) =>
      typeof entry === "object" && entry !== null && "label" in entry
        ? String(entry["label"])
        : "?",
    );
    const counts = new Map<string, number>();
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    return [...counts].map(([label, n]) => (n > 1 ? `${n} × ${label}` : label)).join(", ");
  }
  const parts = value as { readonly [name: string]: Json };
  if (Array.isArray(parts["spans"])) return describeValue(parts["spans"] as Json);
  return Object.entries(parts)
    .map(([name, part]) => `${name}: ${describeValue(part)}`)
    .join("; ");
}
