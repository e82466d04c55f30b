// What the editors do with keys: pure, apart from the last part, which puts them on a page.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as form from "../src/editors/form";
import * as freetext from "../src/editors/freetext";
import * as multilabel from "../src/editors/multilabel";
import * as pairs from "../src/editors/pairs";
import * as rating from "../src/editors/rating";
import * as spanning from "../src/editors/spanning";
import type { Effect, Logic } from "../src/editors/base";
import type { TaskSpec } from "../src/keymap";
import type { Shown } from "../src/modules";
import type { Json } from "../src/protocol";

const shown = (label: Json = null, suggestion: Json = null, data: object = {}): Shown => ({
  id: "1",
  name: "1",
  view: { kind: "text", data: data as Record<string, unknown>, buffers: 0 },
  buffers: [],
  label,
  suggestion:
    suggestion === null
      ? null
      : { label: suggestion, confidence: 0.9, ranking: [], marks: [], version: 1 },
});

const task = (kind: string, options: object = {}): TaskSpec => ({
  kind,
  classes: [],
  keys: {},
  question: null,
  ...options,
});

/** Press keys one after the other; the value that was sent, or the draft. */
function pressed<D>(logic: Logic<D>, spec: TaskSpec, start: Shown, ...keys: string[]) {
  let draft = logic.begin(spec, start);
  for (const key of keys) {
    const effect: Effect<D> = logic.press(spec, draft, key, false);
    if (effect && "submit" in effect) {
      const made = logic.value(spec, effect.submit);
      return "value" in made ? { sent: made.value } : { wrong: made.wrong };
    }
    if (effect && "draft" in effect) draft = effect.draft;
  }
  return { draft };
}

describe("several labels", () => {
  const spec = task("multilabel", {
    classes: ["animal", "cat", "dog", "car"],
    keys: { animal: "1", cat: "2", dog: "3", car: "4" },
    least: 1,
    most: 3,
    exclusive: [
      ["cat", "dog"],
      ["animal", "car"],
    ],
    parents: { cat: "animal", dog: "animal" },
  });

  it("toggles, with parents, children and rivals", () => {
    expect(multilabel.toggled(spec, [], "cat")).toEqual(["animal", "cat"]);
    expect(multilabel.toggled(spec, ["animal", "cat"], "dog")).toEqual(["animal", "dog"]);
    expect(multilabel.toggled(spec, ["animal", "cat"], "animal")).toEqual([]);
    expect(multilabel.toggled(spec, ["animal", "cat"], "car")).toEqual(["car"]);
  });

  it("sends what is on, in the order of the task", () => {
    expect(pressed(multilabel.logic, spec, shown(), "2", "enter")).toEqual({
      sent: ["animal", "cat"],
    });
    expect(pressed(multilabel.logic, spec, shown(), "enter")).toEqual({
      wrong: "Choose at least one label.",
    });
  });

  it("begins with the label, then with the suggestion", () => {
    expect(pressed(multilabel.logic, spec, shown(["car"], ["cat"]), "space")).toEqual({
      sent: ["car"],
    });
    expect(pressed(multilabel.logic, spec, shown(null, ["car"]), "space")).toEqual({
      sent: ["car"],
    });
  });

  it("never has two rivals or a child without its parent", () => {
    const names = fc.array(fc.constantFrom(...spec.classes), { maxLength: 12 });
    fc.assert(
      fc.property(names, (keys) => {
        const on = keys.reduce<readonly string[]>(
          (at, key) => multilabel.toggled(spec, at, key),
          [],
        );
        expect(on.includes("cat") && on.includes("dog")).toBe(false);
        expect(on.includes("animal") && on.includes("car")).toBe(false);
        if (on.includes("cat") || on.includes("dog")) expect(on).toContain("animal");
      }),
    );
  });
});

describe("a rating", () => {
  const stars = task("rating", { points: [1, 2, 3, 4, 5], ends: ["", ""], scales: [] });
  const two = task("rating", { points: [0, 0.5, 1], ends: ["", ""], scales: ["food", "staff"] });

  it("is sent by a digit", () => {
    expect(pressed(rating.logic, stars, shown(), "4")).toEqual({ sent: 4 });
    expect(pressed(rating.logic, stars, shown(), "9", "enter")).toEqual({
      wrong: "Choose a point first.",
    });
  });

  it("moves within its scale", () => {
    expect(pressed(rating.logic, stars, shown(), "up", "up", "enter")).toEqual({ sent: 4 });
    expect(pressed(rating.logic, stars, shown(5), "up", "space")).toEqual({ sent: 5 });
    expect(pressed(rating.logic, stars, shown(null, 2), "pagedown", "enter")).toEqual({ sent: 1 });
  });

  it("goes from scale to scale", () => {
    expect(pressed(rating.logic, two, shown(), "1", "0", "enter")).toEqual({
      sent: { food: 1, staff: 0 },
    });
    expect(pressed(rating.logic, two, shown(), "tab", "1", "enter")).toEqual({
      wrong: "Rate “food” first.",
    });
  });
});

describe("a text", () => {
  const spec = task("freetext", { placeholder: "", lines: 3, required: true });

  it("keeps the keys to itself while it is written", () => {
    for (const key of ["z", "s", "enter", "space", "left"]) {
      expect(freetext.logic.press(spec, "abc", key, true)).toBeNull();
    }
    expect(freetext.logic.press(spec, "abc", "ctrl+enter", true)).toEqual({ submit: "abc" });
    expect(freetext.logic.press(spec, "abc", "enter", false)).toEqual({ focus: true });
    expect(freetext.logic.press(spec, "abc", "z", false)).toBeNull();
  });

  it("is not sent empty, if it must not", () => {
    expect(pressed(freetext.logic, spec, shown(), "ctrl+enter")).toHaveProperty("wrong");
    expect(pressed(freetext.logic, { ...spec, required: false }, shown(), "space")).toEqual({
      sent: "",
    });
    expect(pressed(freetext.logic, spec, shown(null, " as suggested "), "space")).toEqual({
      sent: "as suggested",
    });
  });
});

describe("a pair", () => {
  const spec = task("pairs", { classes: ["first", "second", "tie"], ties: true });

  it("names what the arrow points at, whichever stands there", () => {
    expect(pressed(pairs.logic, spec, shown(null, null, { swapped: false }), "left")).toEqual({
      sent: "first",
    });
    expect(pressed(pairs.logic, spec, shown(null, null, { swapped: true }), "left")).toEqual({
      sent: "second",
    });
    expect(pressed(pairs.logic, spec, shown(null, null, { swapped: true }), "right")).toEqual({
      sent: "first",
    });
    expect(pressed(pairs.logic, spec, shown(), "space")).toEqual({ sent: "tie" });
  });

  it("has no tie where none is allowed", () => {
    const strict = { ...spec, ties: false };
    expect(pairs.logic.press(strict, { value: "", swapped: false }, "space", false)).toHaveProperty(
      "say",
    );
  });
});

describe("a form", () => {
  const spec = task("form", {
    parts: [
      { name: "topic", task: task("choice", { classes: ["a", "b"], keys: { a: "1", b: "2" } }) },
      { name: "stars", task: task("rating", { points: [1, 2, 3], ends: ["", ""], scales: [] }) },
      { name: "why", task: task("freetext", { placeholder: "", lines: 1, required: true }) },
    ],
    when: { why: ["topic", "b"] },
  });

  it("goes on by itself and is sent by enter", () => {
    expect(pressed(form.logic, spec, shown(), "1", "3", "enter")).toEqual({
      sent: { topic: "a", stars: 3 },
    });
  });

  it("asks a part only where its condition holds", () => {
    expect(pressed(form.logic, spec, shown(), "2", "3", "ctrl+enter")).toEqual({
      wrong: "why: Write something, or skip the item.",
    });
    const before = shown({ topic: "b", stars: 1, why: "so" });
    expect(pressed(form.logic, spec, before, "ctrl+enter")).toEqual({
      sent: { topic: "b", stars: 1, why: "so" },
    });
    expect(pressed(form.logic, spec, before, "1", "ctrl+enter")).toEqual({
      sent: { topic: "a", stars: 1 },
    });
  });
});

describe("spans", () => {
  const spec = task("spans", { classes: ["a", "b"], overlap: "none", relations: [], snap: true });
  const nested = { ...spec, overlap: "nested" };
  const text = "🎉 Ana López met Bo in Zürich 😀";

  it("count as Python counts", () => {
    const draft = spanning.begin(text, [{ start: 2, end: 11, label: "a" }], true);
    expect(draft.spans).toEqual([{ start: 3, end: 12, label: "a", suggested: true }]);
    expect(text.slice(3, 12)).toBe("Ana López");
    expect(spanning.valueOf(spec, draft)).toEqual([{ start: 2, end: 11, label: "a" }]);
  });

  it("come back as they went out, in any text", () => {
    const places = fc.tuple(fc.string({ unit: "grapheme", minLength: 1 }), fc.nat(), fc.nat());
    fc.assert(
      fc.property(places, ([some, one, other]) => {
        const length = [...some].length;
        const [start, end] = [one % length, 1 + (other % length)].sort((p, q) => p - q) as [
          number,
          number,
        ];
        fc.pre(start < end);
        const value = [{ start, end, label: "a" }];
        expect(spanning.valueOf(spec, spanning.begin(some, value, false))).toEqual(value);
      }),
    );
  });

  it("are marked word by word", () => {
    let draft = spanning.begin(text, null, false);
    draft = spanning.moved(draft, 1, false);
    draft = spanning.moved(draft, 1, true);
    const [start, end] = spanning.selection(draft) ?? [0, 0];
    expect(text.slice(start, end)).toBe("Ana López");
    draft = spanning.added(spec, draft, start, end, "b");
    expect(spanning.valueOf(spec, draft)).toEqual([{ start: 2, end: 11, label: "b" }]);
    const after = spanning.selection(draft) ?? [0, 0];
    expect(text.slice(...after)).toBe("met");
    expect(draft.before?.spans).toEqual([]);
  });

  it("make room for one another as the task allows", () => {
    const draft = spanning.begin("one two three", [{ start: 0, end: 7, label: "a" }], false);
    const inside = spanning.added(nested, draft, 4, 7, "b");
    expect(inside.spans).toHaveLength(2);
    expect(spanning.added(spec, draft, 4, 7, "b").spans).toHaveLength(1);
    expect(spanning.added(nested, draft, 4, 13, "b").spans).toHaveLength(1);
    expect(spanning.added({ ...spec, overlap: "any" }, draft, 4, 13, "b").spans).toHaveLength(2);
  });

  it("are renamed with their relations, and removed with them", () => {
    const linked = { ...spec, relations: ["of"] };
    let draft = spanning.begin(
      "one two three",
      {
        spans: [
          { start: 0, end: 3, label: "a" },
          { start: 8, end: 13, label: "a" },
        ],
        relations: [{ head: 0, tail: 1, label: "of" }],
      },
      false,
    );
    draft = spanning.nextSpan(draft, 1);
    expect(spanning.selection(draft)).toEqual([0, 3]);
    const renamed = spanning.added(linked, draft, 0, 3, "b");
    expect(spanning.valueOf(linked, renamed)).toEqual({
      spans: [
        { start: 0, end: 3, label: "b" },
        { start: 8, end: 13, label: "a" },
      ],
      relations: [{ head: 0, tail: 1, label: "of" }],
    });
    const last = spanning.nextSpan(draft, 1);
    expect(spanning.selection(last)).toEqual([8, 13]);
    expect(spanning.removed(last, last.active as spanning.Span).relations).toEqual([]);
  });

  it("are walked through in both directions", () => {
    const value = [
      { start: 0, end: 3, label: "a" },
      { start: 4, end: 7, label: "a" },
      { start: 8, end: 13, label: "b" },
    ];
    let draft = spanning.begin("one two three", value, false);
    const seen = [];
    for (const by of [1, 1, 1, 1, -1, -1] as const) {
      draft = spanning.nextSpan(draft, by);
      seen.push(draft.active?.start);
    }
    expect(seen).toEqual([0, 4, 8, 0, 8, 4]);
    expect(spanning.nextSpan(spanning.begin("one two three", value, false), -1).active?.start).toBe(
      8,
    );
  });

  it("cut the text without losing any of it", () => {
    const span = fc.record({
      start: fc.nat(30),
      end: fc.nat(30),
      label: fc.constantFrom("a", "b"),
    });
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
        const draft = spanning.begin(
          text,
          spans.filter((s) => s.start < s.end) as unknown as Json,
          false,
        );
        const whole = spanning.pieces(draft).map((piece) => text.slice(piece.start, piece.end));
        expect(whole.join("")).toBe(text);
      }),
    );
  });
});
