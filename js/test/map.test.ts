// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import map from "../src/panels/map";
import { bytesOfColor, cssOf, paletteOf, scaleColor } from "../src/panels/map/colors";
import { CERTAIN, CLASSES, COLORS, colorAt, layerOf } from "../src/panels/map/painter";
import { stamp } from "../src/panels/map/pixels";
import { sizeOf } from "../src/panels/map/scene";
import { Selection } from "../src/panels/map/selection";
import { luminance } from "../src/theme";
import type { OverviewHost } from "../src/modules";

describe("the selection", () => {
  it("keeps what a circle leaves behind only if it was told to", () => {
    const heard: string[] = [];
    const chosen = new Selection(10, (place, on) => heard.push(`${on ? "+" : "-"}${place}`));
    chosen.around([1, 2]);
    chosen.around([2, 3]);
    expect(chosen.places()).toEqual([2, 3]);
    chosen.keep();
    chosen.around([5]);
    expect(chosen.places()).toEqual([2, 3, 5]);
    expect(chosen.size).toBe(3);
    // Whoever draws hears of the end of each change.
    const drawn = new Set<string>();
    for (const one of heard) one[0] === "+" ? drawn.add(one.slice(1)) : drawn.delete(one.slice(1));
    expect([...drawn].sort()).toEqual(["2", "3", "5"]);
  });

  it("adds, takes out and clears", () => {
    const chosen = new Selection(6);
    chosen.add([4, 1, 4]);
    expect(chosen.size).toBe(2);
    chosen.toggle(1);
    chosen.toggle(0);
    expect(chosen.places()).toEqual([0, 4]);
    chosen.around([0, 5]);
    chosen.around([]);
    expect(chosen.places()).toEqual([0, 4]);
    chosen.clear();
    expect([chosen.size, chosen.places(), chosen.has(4)]).toEqual([0, [], false]);
  });
});

describe("colors", () => {
  it("stand for codes: nothing, classes that begin again, a scale", () => {
    expect([0, 1, CLASSES, CLASSES + 1].map((code) => colorAt(code, false))).toEqual([
      0,
      1,
      CLASSES,
      1,
    ]);
    expect([0, 1, CERTAIN].map((code) => colorAt(code, true))).toEqual([0, 1, COLORS - 1]);
    expect([layerOf(0, 0), layerOf(3, 0), layerOf(0, 1)]).toEqual([0, 1, 2]);
  });

  it("are read as they are written", () => {
    expect(bytesOfColor(" #0072B2")).toEqual([0, 114, 178]);
    expect(bytesOfColor("rgb(1, 2, 3)")).toEqual([1, 2, 3]);
    expect(bytesOfColor("")).toEqual([119, 119, 119]);
  });

  for (const theme of ["light", "dark"] as const) {
    it(`go from unsure to certain by their lightness alone: ${theme}`, () => {
      const steps = Array.from({ length: 21 }, (_, k) => luminance(...scaleColor(theme, k / 20)));
      const ordered = [...steps].sort((a, b) => (theme === "light" ? a - b : b - a));
      expect(steps).toEqual(ordered);
      expect(Math.abs(steps[0]! - steps[20]!)).toBeGreaterThan(0.4);
    });
  }

  it("make a palette", () => {
    const { colors } = paletteOf(document.body, "light", true);
    expect(colors).toHaveLength(4 * COLORS);
    expect(cssOf(colors, COLORS - 1)).toBe(`rgb(${scaleColor("light", 1).join(", ")})`);
  });
});

describe("points", () => {
  it("are smaller where there are many, and grow as one comes closer", () => {
    expect(sizeOf(2000, 1)).toBeGreaterThan(sizeOf(100_000, 1));
    expect(sizeOf(1_000_000, 1)).toBeGreaterThan(1);
    expect(sizeOf(100_000, 20)).toBeGreaterThan(sizeOf(100_000, 1));
    expect(sizeOf(1, 4000)).toBeLessThanOrEqual(10);
  });

  it("are discs of about the right size, with a rim if they are selected", () => {
    for (const size of [1, 2, 5, 9.5]) {
      const { cover, dx } = stamp(size);
      const area = cover.reduce((sum, part) => sum + part, 0);
      expect(area).toBeGreaterThan(0.7 * (Math.PI / 4) * size ** 2);
      expect(area).toBeLessThan(1.5 * (Math.PI / 4) * size ** 2 + 0.5);
      expect(Math.max(...dx) + Math.min(...dx)).toBe(0);
    }
    const { dx, dy, rim } = stamp(9, 1.5);
    const middle = [...dx].findIndex((x, k) => x === 0 && dy[k] === 0);
    expect(rim[middle]).toBe(0);
    expect(Math.max(...rim)).toBe(1);
    expect(Math.max(...stamp(9).rim)).toBe(0);
  });
});

describe("where nothing can be drawn", () => {
  it("says calmly what there is instead, and still closes", () => {
    const box = document.createElement("div");
    let closed = 0;
    const host = {
      task: { kind: "choice", classes: ["a", "b"], keys: { a: "1", b: "2" }, question: null },
      shifted: false,
      say: () => undefined,
      chart: () => new Promise(() => undefined),
      piece: () => new Promise(() => undefined),
      show: () => Promise.resolve(""),
      label: () => undefined,
      open: () => undefined,
      close: () => closed++,
    } as unknown as OverviewHost;
    const mounted = map.mount(box, host);
    expect(box.textContent).toContain("session.projection()");
    const press = { shift: false, ctrl: false, alt: false, meta: false };
    for (const key of ["ArrowLeft", "+", "-", " ", "c", "t", "PageUp"]) {
      expect(mounted.press({ ...press, key })).toBe(true);
    }
    expect(mounted.press({ ...press, key: "1" })).toBe(false);
    mounted.label("a");
    mounted.press({ ...press, key: "Escape" });
    expect(closed).toBe(1);
    mounted.destroy();
    expect(box.querySelector(".nblabel-map")).toBe(null);
  });
});
