// Shapes as they are edited, and how an image is looked at: pure.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as d from "../src/editors/drawing";
import * as v from "../src/viewing";
import type { TaskSpec } from "../src/keymap";
import type { Json } from "../src/protocol";

const task: TaskSpec = {
  kind: "boxes",
  classes: ["cat", "dog"],
  keys: { cat: "1", dog: "2" },
  question: null,
  shapes: ["box", "polygon", "point"],
};
const empty = d.begin(task, null, false);
const pixel = { width: 1 / 100, height: 1 / 50 };

/** A fraction to six decimals, as the kernel keeps it. */
const share = fc.integer({ min: 0, max: 1e6 }).map((k) => k / 1e6);
const place = fc.tuple(share, share);
const label = fc.constantFrom(...task.classes);
const box = fc
  .tuple(place, place, label)
  .filter(([a, b]) => a[0] !== b[0] && a[1] !== b[1])
  .map(([a, b, label]) => ({ kind: "box" as const, label, points: d.between(a, b) }));
const polygon = fc
  .tuple(fc.array(place, { minLength: 3, maxLength: 8 }), label)
  .map(([points, label]) => ({ kind: "polygon" as const, label, points }));
const dot = fc
  .tuple(place, label)
  .map(([point, label]) => ({ kind: "point" as const, label, points: [point] }));
const shapes = fc.array(
  fc.oneof(box, polygon, dot).map((shape) => ({ ...shape, suggested: true })),
  { minLength: 1, maxLength: 6 },
);
const number = fc.double({ min: -2, max: 2, noNaN: true });
/** What a person may do, whatever comes. */
const action = fc.oneof(
  fc.tuple(number, number).map(
    ([x, y]) =>
      (one: d.Draft) =>
        d.moved(one, x, y, pixel),
  ),
  fc.tuple(number, number).map(
    ([x, y]) =>
      (one: d.Draft) =>
        d.resized(one, x, y, pixel),
  ),
  fc.tuple(fc.nat(3), number, number).map(
    ([k, x, y]) =>
      (one: d.Draft) =>
        d.dragged(one, k, [x, y], pixel),
  ),
  fc.tuple(number, number).map(
    ([x, y]) =>
      (one: d.Draft) =>
        d.opened(one, [x, y]),
  ),
  fc.constant((one: d.Draft) => d.closed(one) ?? one),
  fc.constant(d.nextCorner),
  fc.constant(d.split),
  fc.constant(d.removed),
  fc.constant((one: d.Draft) => d.chosen(one, d.nextShape(one, 1))),
  label.map((name) => (one: d.Draft) => d.labelled(one, name)),
  fc.constant((one: d.Draft) =>
    d.inserted(one, { left: 0, top: 0, width: 1, height: 1 }, { width: 100, height: 50 }),
  ),
);
const draft = shapes.map((made): d.Draft => ({ ...empty, shapes: made, active: 0 }));

/** What the kernel asks of a value. */
function legal(value: Json): void {
  for (const shape of value as readonly Readonly<Record<string, Json>>[]) {
    expect(task.classes).toContain(shape["label"]);
    const points = shape["points"] as readonly d.Point[] | undefined;
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(shape[name]));
    const numbers = points?.flat() ?? [x, y, ...(shape["shape"] === "box" ? [width, height] : [])];
    for (const one of numbers) {
      expect(one).toBeGreaterThanOrEqual(0);
      expect(one).toBeLessThanOrEqual(1);
    }
    if (points) expect(points.length).toBeGreaterThanOrEqual(3);
    if (shape["shape"] !== "box") continue;
    expect(width).toBeGreaterThan(0);
    expect(height).toBeGreaterThan(0);
    expect(Number(x) + Number(width)).toBeLessThanOrEqual(1 + 1e-9);
    expect(Number(y) + Number(height)).toBeLessThanOrEqual(1 + 1e-9);
  }
}

describe("a drawing", () => {
  it("comes back as it was sent", () => {
    fc.assert(
      fc.property(draft, (one) => {
        const value = d.valueOf(one);
        legal(value);
        expect(d.valueOf(d.begin(task, value, true))).toEqual(value);
      }),
    );
  });

  it("is legal whatever is done to it", () => {
    fc.assert(
      fc.property(draft, fc.array(action, { maxLength: 20 }), (one, actions) => {
        legal(d.valueOf(actions.reduce((at, act) => act(at), one)));
      }),
    );
  });

  it("goes back step by step to what it was", () => {
    fc.assert(
      fc.property(draft, fc.array(action, { maxLength: 20 }), (one, actions) => {
        let at = actions.reduce((before, act) => act(before), one);
        for (let back = d.undone(at); back; back = d.undone(at)) at = back;
        expect(at.shapes).toEqual(one.shapes);
        expect(at.open).toEqual([]);
      }),
    );
  });

  it("passes over what is no shape", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        legal(
          d.valueOf({
            ...d.begin(task, value as Json, true),
            shapes: d.begin(task, value as Json, true).shapes.filter((s) => s.label === "cat"),
          }),
        );
      }),
    );
    const broken = [
      { shape: "box", label: "cat", x: 0.1, y: 0.1 },
      { shape: "box", label: "cat", x: "0.1", y: 0.1, width: 0.1, height: 0.1 },
      { shape: "polygon", label: "cat", points: [[0, 0]] },
      { shape: "circle", label: "cat", x: 0, y: 0 },
      { shape: "point", label: 3, x: 0, y: 0 },
      null,
    ];
    expect(d.begin(task, broken as Json, true).shapes).toEqual([]);
  });
});

describe("one shape", () => {
  const one = d.added(empty, "box", [
    [0.2, 0.2],
    [0.4, 0.6],
  ]);
  const sent = (made: d.Draft) => d.valueOf(made);

  it("is moved to the edge and no further, its size unchanged", () => {
    expect(sent(d.moved(one, 5, -5, pixel))).toEqual([
      { shape: "box", label: "cat", x: 0.8, y: 0, width: 0.2, height: 0.4 },
    ]);
  });

  it("is sized from its lower right corner, down to a pixel", () => {
    expect(sent(d.resized(one, 0.1, -1, pixel))).toEqual([
      { shape: "box", label: "cat", x: 0.2, y: 0.2, width: 0.3, height: 0.02 },
    ]);
  });

  it("may be pulled by one corner", () => {
    const first = d.nextCorner(one);
    expect(sent(d.moved(first, -0.1, 0.9, pixel))).toEqual([
      { shape: "box", label: "cat", x: 0.1, y: 0.58, width: 0.3, height: 0.02 },
    ]);
    expect(d.nextCorner(d.nextCorner(first)).corner).toBeNull();
  });

  it("turns over where a corner is dragged past the one across", () => {
    expect(sent(d.dragged(one, 0, [0.9, 0.7], pixel))).toEqual([
      { shape: "box", label: "cat", x: 0.4, y: 0.6, width: 0.5, height: 0.1 },
    ]);
  });

  it("moves in one step, as far as it went", () => {
    const far = d.moved(d.moved(one, 0.01, 0, pixel), 0.01, 0, pixel);
    expect(d.undone(far)?.shapes).toEqual(one.shapes);
    expect(d.undone(d.resized(far, 0.1, 0, pixel))?.shapes).toEqual(far.shapes);
  });

  it("is named, and so is the next", () => {
    const named = d.labelled(one, "dog");
    expect(named.shapes[0]?.label).toBe("dog");
    expect(d.added(named, "point", [[0, 0]]).shapes[1]?.label).toBe("dog");
    expect(d.labelled(empty, "dog").shapes).toEqual([]);
  });

  it("is a suggestion until it is touched", () => {
    const value = d.valueOf(one);
    const begun = d.chosen(d.begin(task, value, true), 0);
    expect(begun.shapes[0]?.suggested).toBe(true);
    expect(d.moved(begun, 0.1, 0, pixel).shapes[0]?.suggested).toBe(false);
    expect(d.labelled(begun, "dog").shapes[0]?.suggested).toBe(false);
  });
});

describe("a polygon", () => {
  const corners: readonly d.Point[] = [
    [0, 0],
    [1, 0],
    [1, 1],
  ];

  it("is closed from three corners on", () => {
    const two = corners.slice(0, 2).reduce(d.opened, empty);
    expect(d.closed(two)).toBeNull();
    const made = d.closed(d.opened(two, [1, 1]));
    expect(made && d.valueOf(made)).toEqual([{ shape: "polygon", label: "cat", points: corners }]);
    expect(made?.open).toEqual([]);
  });

  it("gets and loses corners, but keeps three", () => {
    const made = d.added(empty, "polygon", corners);
    const more = d.split({ ...made, corner: 0 });
    expect(more.shapes[0]?.points).toEqual([corners[0], [0.5, 0], corners[1], corners[2]]);
    expect(d.removed(more).shapes[0]?.points).toEqual(corners);
    expect(d.removed({ ...made, corner: 0 }).shapes).toEqual([]);
  });
});

describe("a shape made by a key", () => {
  const view = { left: 0, top: 0, width: 1, height: 1 };

  it("lies on whole pixels in the middle", () => {
    const made = d.inserted(empty, view, { width: 8, height: 8 });
    expect(d.valueOf(made)).toEqual([
      { shape: "box", label: "cat", x: 0.375, y: 0.375, width: 0.25, height: 0.25 },
    ]);
  });

  it("does not hide the one before, and is one step", () => {
    const first = d.inserted(empty, view, { width: 8, height: 8 });
    const second = d.inserted(first, view, { width: 8, height: 8 });
    expect(second.shapes[1]?.points).not.toEqual(second.shapes[0]?.points);
    expect(d.undone(second)?.shapes).toEqual(first.shapes);
  });

  it("goes from shape to shape and out again", () => {
    const two = d.inserted(d.inserted(empty, view, pixel), view, { width: 8, height: 8 });
    const none = d.chosen(two, null);
    expect(d.nextShape(none, 1)).toBe(0);
    expect(d.nextShape(none, -1)).toBe(1);
    expect(d.nextShape(two, 1)).toBeNull();
    expect(d.nextShape(d.chosen(two, 0), -1)).toBeNull();
    expect(d.nextShape(empty, 1)).toBeNull();
  });
});

describe("a look", () => {
  const side = fc.integer({ min: 20, max: 2000 });
  const sizes = fc.record({ width: side, height: side });
  const looks = fc
    .tuple(
      sizes,
      sizes,
      fc.array(fc.tuple(share, share, fc.double({ min: 0.3, max: 3, noNaN: true }))),
    )
    .map(([frame, size, steps]) => ({
      frame,
      size,
      sight: steps.reduce(
        (at, [x, y, factor]) =>
          v.zoomed(frame, size, at, factor, [x * frame.width, y * frame.height]),
        v.PLAIN,
      ),
    }));

  it("covers its frame, or lies inside it in the middle", () => {
    fc.assert(
      fc.property(looks, ({ frame, size, sight }) => {
        const rect = v.placed(frame, size, sight);
        for (const [room, from, length] of [
          [frame.width, rect.left, rect.width],
          [frame.height, rect.top, rect.height],
        ] as const) {
          if (length <= room) expect(from).toBeCloseTo((room - length) / 2, 6);
          else {
            expect(from).toBeLessThanOrEqual(1e-6);
            expect(from + length).toBeGreaterThanOrEqual(room - 1e-6);
          }
        }
        expect(rect.width / rect.height).toBeCloseTo(size.width / size.height, 6);
      }),
    );
  });

  it("keeps what is under the pointer, where the image covers the frame", () => {
    const frame = { width: 400, height: 300 };
    const size = { width: 800, height: 600 };
    const near = v.zoomed(frame, size, v.PLAIN, 4);
    const at = [100, 50] as const;
    const [before, after] = [near, v.zoomed(frame, size, near, 1.5, at)].map((sight) => {
      const rect = v.placed(frame, size, sight);
      return [(at[0] - rect.left) / rect.width, (at[1] - rect.top) / rect.height];
    });
    expect(after?.[0]).toBeCloseTo(before?.[0] ?? NaN, 9);
    expect(after?.[1]).toBeCloseTo(before?.[1] ?? NaN, 9);
  });

  it("shows the place that is to be seen", () => {
    fc.assert(
      fc.property(looks, place, ({ frame, size, sight }, point) => {
        const view = v.inView(frame, size, v.revealed(frame, size, sight, point));
        expect(point[0]).toBeGreaterThanOrEqual(view.left - 1e-6);
        expect(point[0]).toBeLessThanOrEqual(view.left + view.width + 1e-6);
        expect(point[1]).toBeGreaterThanOrEqual(view.top - 1e-6);
        expect(point[1]).toBeLessThanOrEqual(view.top + view.height + 1e-6);
      }),
    );
  });

  it("goes back to how it was", () => {
    const frame = { width: 400, height: 300 };
    const press = (sight: v.Sight, key: string) => v.sightKey(frame, frame, sight, key) ?? sight;
    const looked = ["+", "+", "b", "l"].reduce(press, v.PLAIN);
    expect(looked).toMatchObject({ zoom: 1.5625, brightness: 1.1, contrast: 0.9 });
    expect(v.filterOf(looked)).toBe("brightness(1.1) contrast(0.9)");
    expect(["0", "o"].reduce(press, looked)).toEqual(v.PLAIN);
    expect(v.sightKey(frame, frame, looked, "q")).toBeNull();
  });

  it("moves by arrows only where there is more to see", () => {
    const frame = { width: 400, height: 300 };
    expect(v.panKey(frame, frame, v.PLAIN, "left")).toBeNull();
    const near = v.zoomed(frame, frame, v.PLAIN, 2);
    expect(v.panKey(frame, frame, near, "right")?.x).toBeGreaterThan(near.x);
    expect(v.panKey(frame, frame, near, "shift+up")?.y).toBeLessThan(near.y);
    expect(v.panKey(frame, frame, near, "home")).toBeNull();
  });
});
