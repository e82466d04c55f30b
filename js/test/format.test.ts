import fc from "fast-check";
import { expect, test } from "vitest";
import { brief, count, curvePath, fileName, percent, range, rate } from "../src/format";

test("counts are grouped", () => {
  expect([0, 999, 12345].map(count)).toEqual(["0", "999", "12,345"]);
});

test("a percentage is 0 or 100 only when it is", () => {
  expect([0, 0.001, 0.473, 0.996, 1].map(percent)).toEqual([
    "0 %",
    "<1 %",
    "47 %",
    ">99 %",
    "100 %",
  ]);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
      if (share > 0) expect(percent(share)).not.toBe("0 %");
      if (share < 1) expect(percent(share)).not.toBe("100 %");
    }),
  );
});

test("ranges of times have one unit, or two where they must", () => {
  expect(range(12 * 60, 15 * 60)).toBe("12 to 15 min");
  expect(range(0, 0)).toBe("1 s");
  expect(range(80, 130)).toBe("80 s to 2 min");
  expect(range(3600 * 2, 3600 * 2.2)).toBe("2 h");
  expect(range(86400 * 2, 86400 * 3)).toBe("2 to 3 days");
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (s) => {
      expect(range(s, s)).toMatch(/^[1-9]\d* (s|min|h|days)$/);
    }),
  );
});

test("rates are per minute or per hour, and never endless", () => {
  expect(rate(2.5)).toBe("24 per min");
  expect(rate(60)).toBe("60 per h");
  expect(rate(0)).toBe("1200 per min");
});

test("the last part of a path, of either system", () => {
  expect(fileName("/home/ana/labels.sqlite")).toBe("labels.sqlite");
  expect(fileName("C:\\Users\\ana\\labels.sqlite")).toBe("labels.sqlite");
  expect(fileName("labels.sqlite")).toBe("labels.sqlite");
});

test("a curve of two points or more, within its box", () => {
  expect(curvePath([], 86, 20)).toEqual({ line: "", band: "" });
  expect(curvePath([[1, 0.5, 0.4, 0.6]], 86, 20)).toEqual({ line: "", band: "" });
  const { line, band } = curvePath(
    [
      [20, 0.6, 0.4, 0.8],
      [40, 0.7, 0.5, 0.9],
    ],
    86,
    20,
  );
  expect(line).toBe("M1.0 11.8L85.0 8.2");
  expect(band).toBe("M1.0 19.0L85.0 15.4L85.0 1.0L1.0 4.6Z");
  const point = fc.tuple(
    fc.nat(5000),
    fc.constant(0.5),
    fc.double({ min: 0, max: 0.5, noNaN: true }),
    fc.double({ min: 0.5, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(point, { minLength: 2 }), (points) => {
      const sorted = [...points].sort((a, b) => a[0] - b[0]);
      const { line, band } = curvePath(sorted, 86, 20);
      for (const pair of `${line}${band}`.match(/[\d.-]+ [\d.-]+/g) ?? []) {
        const [x, y] = pair.split(" ").map(Number);
        expect(x).toBeGreaterThanOrEqual(1);
        expect(x).toBeLessThanOrEqual(85);
        expect(y).toBeGreaterThanOrEqual(1);
        expect(y).toBeLessThanOrEqual(19);
      }
    }),
  );
});

test("a name is cut in its middle", () => {
  expect(brief("IMG_0815.png", 18)).toBe("IMG_0815.png");
  expect(brief("holidays in Rome 0815.png", 18)).toBe("holidays… 0815.png");
  expect([...brief("😀".repeat(40), 18)].length).toBe(18);
});
