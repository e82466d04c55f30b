import { describe, expect, it } from "vitest";
import {
  Index,
  MOST_CLOSE,
  WHOLE,
  closer,
  moved,
  onMap,
  onScreen,
  revealed,
  shuffled,
  thinned,
  type Spot,
} from "../src/plane";

/** Always the same numbers, from -1 to 1. */
function cloud(count: number, seed = 1): Float32Array {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  };
  return Float32Array.from({ length: 2 * count }, next);
}

const at = (points: Float32Array, k: number): Spot => ({
  x: points[2 * k]!,
  y: points[2 * k + 1]!,
});
const all = (points: Float32Array) => Array.from({ length: points.length / 2 }, (_, k) => k);
const sorted = (found: readonly number[]) => [...found].sort((a, b) => a - b);

function isInside(corners: readonly Spot[], { x, y }: Spot): boolean {
  let inside = false;
  for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
    const [p, q] = [corners[a]!, corners[b]!];
    if (p.y > y !== q.y > y && x < ((q.x - p.x) * (y - p.y)) / (q.y - p.y) + p.x) inside = !inside;
  }
  return inside;
}

const ROOM = { width: 800, height: 500 };

describe("the camera", () => {
  it("shows the whole map, up is up", () => {
    expect(onScreen(WHOLE, ROOM, { x: 0, y: 0 })).toEqual({ x: 400, y: 250 });
    const corner = onScreen(WHOLE, ROOM, { x: 1, y: 1 });
    expect(corner.y).toBeGreaterThan(0);
    expect(corner.y).toBeLessThan(250);
    expect(corner.x).toBeGreaterThan(400);
  });

  it("finds the way back", () => {
    const camera = { x: 0.3, y: -0.2, zoom: 7 };
    const back = onMap(camera, ROOM, onScreen(camera, ROOM, { x: 0.31, y: -0.25 }));
    expect(back.x).toBeCloseTo(0.31, 10);
    expect(back.y).toBeCloseTo(-0.25, 10);
  });

  it("keeps what lies under the pointer while it comes closer", () => {
    const spot = { x: 430, y: 180 };
    const before = onMap(WHOLE, ROOM, spot);
    const near = closer(WHOLE, ROOM, 3, spot);
    expect(near.zoom).toBe(3);
    expect(onMap(near, ROOM, spot).x).toBeCloseTo(before.x, 10);
    expect(onMap(near, ROOM, spot).y).toBeCloseTo(before.y, 10);
  });

  it("has ends", () => {
    expect(closer(WHOLE, ROOM, 0.1, { x: 0, y: 0 })).toEqual(WHOLE);
    expect(closer(WHOLE, ROOM, 1e9, { x: 400, y: 250 }).zoom).toBe(MOST_CLOSE);
    expect(moved(WHOLE, ROOM, -1e6, 0).x).toBe(1);
  });

  it("moves no further than it has to", () => {
    const camera = { x: 0, y: 0, zoom: 4 };
    expect(revealed(camera, ROOM, { x: 0.1, y: 0.1 })).toEqual(camera);
    const seen = onScreen(revealed(camera, ROOM, { x: 0.9, y: 0 }), ROOM, { x: 0.9, y: 0 });
    expect(seen.x).toBeCloseTo(720, 6);
  });
});

describe("the index", () => {
  for (const count of [0, 1, 7, 5000]) {
    const points = cloud(count);
    const index = new Index(points);

    it(`finds what a box, a circle and a lasso hold among ${count}`, () => {
      const box = { left: -0.4, right: 0.1, low: -0.2, high: 0.9 };
      expect(sorted(index.inBox(box))).toEqual(
        all(points).filter((k) => {
          const { x, y } = at(points, k);
          return x >= -0.4 && x <= 0.1 && y >= -0.2 && y <= 0.9;
        }),
      );
      expect(sorted(index.within({ x: 0.2, y: 0.1 }, 0.33))).toEqual(
        all(points).filter((k) => {
          const { x, y } = at(points, k);
          return (x - 0.2) ** 2 + (y - 0.1) ** 2 <= 0.33 ** 2;
        }),
      );
      // One that crosses itself, and one that goes around everything.
      const star = [0, 2, 4, 1, 3].map((k) => ({
        x: 0.8 * Math.sin((k * 2 * Math.PI) / 5),
        y: 0.8 * Math.cos((k * 2 * Math.PI) / 5),
      }));
      expect(sorted(index.inPolygon(star))).toEqual(
        all(points).filter((k) => isInside(star, at(points, k))),
      );
      const around = [
        { x: -2, y: -2 },
        { x: 2, y: -2 },
        { x: 2, y: 2 },
        { x: -2, y: 2 },
      ];
      expect(index.inPolygon(around)).toHaveLength(count);
      expect(index.inPolygon(around.slice(0, 2))).toEqual([]);
    });

    it(`finds the nearest and the next among ${count}`, () => {
      for (const spot of [
        { x: 0, y: 0 },
        { x: 0.71, y: -0.43 },
        { x: -3, y: 4 },
      ]) {
        const far = (k: number) => Math.hypot(at(points, k).x - spot.x, at(points, k).y - spot.y);
        const nearest = all(points).sort((a, b) => far(a) - far(b))[0] ?? null;
        expect(index.nearest(spot)).toBe(nearest);
        expect(index.nearest(spot, 1e-9)).toBe(null);
        for (const [dx, dy] of [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ] as const) {
          const costs = all(points).map((k) => {
            const [x, y] = [at(points, k).x - spot.x, at(points, k).y - spot.y];
            const along = x * dx + y * dy;
            const aside = Math.abs(x * dy - y * dx);
            return along < 0.02 || aside > along ? Infinity : along + 2 * aside;
          });
          const least = Math.min(Infinity, ...costs);
          const found = index.towards(spot, [dx, dy], 0.02);
          if (least === Infinity) expect(found).toBe(null);
          else expect(costs[found!]).toBeCloseTo(least, 10);
        }
      }
    });
  }

  it("knows points that lie on each other and at the rim", () => {
    const points = new Float32Array([1, 1, 1, 1, -1, -1, 0.5, 0.5, 0.5, 0.5]);
    const index = new Index(points);
    expect(index.within({ x: 1, y: 1 }, 0)).toEqual([0, 1]);
    expect(index.inBox({ left: -1, right: 1, low: -1, high: 1 })).toHaveLength(5);
    expect(index.towards({ x: 0.5, y: 0.5 }, [1, 0], 1e-6)).toBe(0);
  });

  it("looks at few of a million points for a small lasso", () => {
    const points = cloud(1_000_000);
    const index = new Index(points);
    const ring = Array.from({ length: 300 }, (_, k) => ({
      x: 0.3 + 0.01 * Math.cos((k * 2 * Math.PI) / 300),
      y: -0.2 + 0.01 * Math.sin((k * 2 * Math.PI) / 300),
    }));
    const found = sorted(index.inPolygon(ring));
    const circle = sorted(index.within({ x: 0.3, y: -0.2 }, 0.01));
    expect(found.length).toBeGreaterThan(50);
    expect(circle.length - found.length).toBeLessThan(5);
    expect(found.every((k) => circle.includes(k))).toBe(true);
  });
});

describe("paths and orders", () => {
  it("drops corners that are too close", () => {
    const path = [0, 1, 2, 3, 10, 10.5].map((x) => ({ x, y: 0 }));
    expect(thinned(path, 3).map(({ x }) => x)).toEqual([0, 3, 10]);
    expect(thinned([], 3)).toEqual([]);
  });

  it("shuffles to the same order each time, with every place once", () => {
    const order = shuffled(1000);
    expect([...order]).toEqual([...shuffled(1000)]);
    expect(sorted([...order])).toEqual(Array.from({ length: 1000 }, (_, k) => k));
    expect(order.slice(0, 100).filter((k) => k < 100).length).toBeLessThan(30);
  });
});
