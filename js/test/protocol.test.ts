/// <reference types="vite/client" />
// The messages that both sides read, from tests/protocol/golden.

import { describe, expect, test } from "vitest";
import * as g from "../src/guard";
import { Channel } from "../src/channel";
import { VERSION, isEvent, isHello, isWant, parse, type EventPart } from "../src/protocol";
import { FakeWorld, ModelKernel, want } from "./helpers";

type Files = Record<string, unknown>;
const files = (found: Files) =>
  Object.entries(found).map(([path, json]) => [path.split("/").at(-1)!, json] as const);

const kernel = files(
  import.meta.glob("../../tests/protocol/golden/kernel/*.json", { eager: true, import: "default" }),
);
const badKernel = files(
  import.meta.glob("../../tests/protocol/golden/bad_kernel/*.json", {
    eager: true,
    import: "default",
  }),
);
const page = new Map(
  files(
    import.meta.glob("../../tests/protocol/golden/page/*.json", { eager: true, import: "default" }),
  ),
);

describe("messages of the kernel", () => {
  test("are there", () => {
    expect(kernel.length).toBeGreaterThan(5);
    expect(badKernel.length).toBeGreaterThan(5);
    expect(page.size).toBeGreaterThan(3);
  });

  test.each(kernel)("%s is read, and stays as it is", (_, message) => {
    expect(parse(message)).toBe(message);
  });

  test.each(badKernel)("%s is passed over, with the reason", (_, bad) => {
    const { code, message } = bad as { code: string; message: unknown };
    const start: Record<string, string> = {
      shape: "not an object",
      type: "unknown type",
      version: "protocol",
      field: "malformed",
    };
    expect(start).toHaveProperty(code);
    expect(parse(message)).toMatch(new RegExp(`^${start[code]}`));
  });

  test("a reason is short, whatever was sent", () => {
    expect(parse({ type: "x".repeat(999), v: 1 })).toHaveLength("unknown type ".length + 40);
    expect(String(parse({ type: "ack", v: "x".repeat(999) })).length).toBeLessThan(40);
    expect(parse({ type: "__proto__", v: 1 })).toMatch(/^unknown/);
    expect(parse({ type: "constructor", v: 1 })).toMatch(/^unknown/);
  });
});

/** The shape of a value: names of the fields and kinds of what is in them. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]));
}

describe("messages of the page", () => {
  test.each([...page].filter(([name]) => /^(hello|event)/.test(name)))(
    "%s is one",
    (_, message) => {
      const { type } = message as { type: string };
      expect(type === "hello" ? isHello(message) : isEvent(message)).toBe(true);
    },
  );

  test("have exactly the shape of the golden ones", () => {
    const sent: Record<string, unknown>[] = [];
    const world = new FakeWorld();
    const model = new ModelKernel(["42", "7"]);
    const channel = new Channel(
      { send: (message) => void sent.push(JSON.parse(JSON.stringify(message))) },
      world,
      { message: () => undefined, unsaved: () => undefined, slow: () => undefined },
    );
    channel.open("s");
    for (const reply of model.handle(sent[0] as never)) channel.receive(reply, []);
    const golden = page.get("event.json") as { events: EventPart[] };
    const drafts = golden.events.map(({ seq: _, ...draft }) => draft);
    channel.say(drafts);
    channel.ask(want({ keep: ["42", "7"], held: ["42", "7", '["a", "1"]'] }));
    expect(sent.map((message) => message["type"])).toEqual(["hello", "event", "want"]);
    expect(sent.map(shape)).toEqual(
      ["hello.json", "event.json", "want.json"].map((name) => shape(page.get(name))),
    );
    expect(sent[1]).toEqual({ ...golden, client: channel.client, id: sent[1]!["id"] });
    expect(sent.every((message) => message["v"] === VERSION)).toBe(true);
    expect(isWant(sent[2])).toBe(true);
  });
});

describe("guards", () => {
  test("tell kinds apart", () => {
    expect([1, 1.5, "1", true, null, 2 ** 60].map(g.int)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect([1.5, NaN, Infinity, "1"].map(g.num)).toEqual([true, false, false, false]);
    expect([true, 1, null].map(g.bool)).toEqual([true, false, false]);
    expect(g.any(undefined)).toBe(true);
    expect([null, undefined].map(g.none)).toEqual([true, false]);
    expect(["a", 1].map(g.str)).toEqual([true, false]);
  });

  test("compose", () => {
    expect(g.list(g.int)([1, 2])).toBe(true);
    expect(g.list(g.int)([1, "2"])).toBe(false);
    expect(g.list(g.int)({ length: 0 })).toBe(false);
    expect(g.tuple(g.int, g.str)([1, "a"])).toBe(true);
    expect(g.tuple(g.int, g.str)([1, "a", 2])).toBe(false);
    expect(g.tuple(g.int)("1")).toBe(false);
    expect(g.dict(g.int)({ a: 1 })).toBe(true);
    expect(g.dict(g.int)({ a: "1" })).toBe(false);
    expect(g.dict(g.int)([1])).toBe(false);
    expect(g.oneOf("a", "b")("b")).toBe(true);
    expect(g.oneOf("a", "b")("c")).toBe(false);
    expect(g.either(g.int, g.none)(null)).toBe(true);
    expect(g.either(g.int, g.none)("x")).toBe(false);
    expect([undefined, 1].map(g.optional(g.int))).toEqual([true, true]);
    expect([null, "1"].map(g.optional(g.int))).toEqual([false, false]);
    const point = g.object({ x: g.int });
    expect(point({ x: 1, more: "of a newer kernel" })).toBe(true);
    expect(point({ y: 1 })).toBe(false);
    expect(point(null)).toBe(false);
  });
});
