import fc from "fast-check";
import { expect, test } from "vitest";
import { MOST_SHOWN, cut, segments } from "../src/text";

const text = fc.string({ unit: "binary", maxLength: 60 });
const mark = fc.tuple(
  fc.integer({ min: -5, max: 70 }),
  fc.integer({ min: -5, max: 70 }),
  fc.float(),
);

test("segments cover a text exactly, whatever the marks", () => {
  fc.assert(
    fc.property(text, fc.array(mark), (text, marks) => {
      const parts = segments(text, marks);
      expect(parts.map((part) => part.text).join("")).toBe(text);
      expect(parts.every((part) => part.text !== "")).toBe(true);
    }),
  );
});

test("marks are cut out at their places", () => {
  expect(
    segments("free money now", [
      [0, 4, 1],
      [5, 10, 0.25],
    ]),
  ).toEqual([
    { text: "free", weight: 1 },
    { text: " ", weight: 0 },
    { text: "money", weight: 0.25 },
    { text: " now", weight: 0 },
  ]);
  expect(segments("🎉 free", [[3, 7, 1]])).toEqual([
    { text: "🎉 ", weight: 0 },
    { text: "free", weight: 1 },
  ]);
  expect(segments("", [])).toEqual([]);
});

test("marks that overlap, stand outside or are empty are passed over", () => {
  const marks = [
    [2, 4, 1],
    [3, 5, 1],
    [4, 4, 1],
    [5, 99, 1],
    [-2, 1, 1],
  ] as const;
  expect(segments("abcdef", marks).filter((part) => part.weight)).toEqual([
    { text: "cd", weight: 1 },
  ]);
});

test("a cut text is a start of it and never splits a character of two units", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 40 }), (text, most) => {
      const shown = cut(text, most);
      expect(text.startsWith(shown)).toBe(true);
      expect(shown.length).toBeLessThanOrEqual(most);
      expect(shown.length).toBeGreaterThanOrEqual(Math.min(text.length, most) - 1);
      expect(() => encodeURIComponent(shown)).not.toThrow();
    }),
  );
  expect(cut("a🎉b", 2)).toBe("a");
  expect(cut("a🎉b", 3)).toBe("a🎉");
  expect(cut("x".repeat(MOST_SHOWN + 1)).length).toBe(MOST_SHOWN);
  expect(cut("x".repeat(MOST_SHOWN)).length).toBe(MOST_SHOWN);
});
