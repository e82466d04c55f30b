// Small guards from unknown to a shape; the generated protocol is built of them.

export type Guard = (value: unknown) => boolean;

export const any: Guard = () => true;
export const none: Guard = (value) => value === null;
export const bool: Guard = (value) => typeof value === "boolean";
export const int: Guard = (value) => Number.isSafeInteger(value);
export const num: Guard = (value) => typeof value === "number" && Number.isFinite(value);
export const str: Guard = (value) => typeof value === "string";

/** A label value: its shape is the business of its task alone. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export const json: Guard = (value) =>
  value === null ||
  ["string", "boolean"].includes(typeof value) ||
  num(value) ||
  (Array.isArray(value) ? value.every(json) : isRecord(value) && Object.values(value).every(json));

export const oneOf =
  (...values: unknown[]): Guard =>
  (value) =>
    values.includes(value);

export const either =
  (...guards: Guard[]): Guard =>
  (value) =>
    guards.some((guard) => guard(value));

export const optional =
  (guard: Guard): Guard =>
  (value) =>
    value === undefined || guard(value);

export const list =
  (of: Guard): Guard =>
  (value) =>
    Array.isArray(value) && value.every(of);

export const tuple =
  (...of: Guard[]): Guard =>
  (value) =>
    Array.isArray(value) &&
    value.length === of.length &&
    of.every((guard, k) => guard(value[k] as unknown));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const dict =
  (of: Guard): Guard =>
  (value) =>
    isRecord(value) && Object.values(value).every(of);

/** Fields beyond the named ones are left alone: a newer kernel may send more. */
export const object =
  (shape: Readonly<Record<string, Guard>>): Guard =>
  (value) =>
    isRecord(value) && Object.entries(shape).every(([name, guard]) => guard(value[name]));

/** Return the message, or the reason why it is none. */
export function parse<T>(
  raw: unknown,
  types: Readonly<Record<string, Guard>>,
  version: number,
): T | string {
  if (!isRecord(raw)) return "not an object";
  const { type, v } = raw;
  if (typeof type !== "string" || !Object.hasOwn(types, type)) {
    return `unknown type ${String(type).slice(0, 40)}`;
  }
  if (v !== version && type !== "refuse") return `protocol ${String(v).slice(0, 20)}`;
  return types[type]?.(raw) ? (raw as T) : `malformed ${type}`;
}
