// @vitest-environment happy-dom
// What a map asks of the kernel, and when its points may move.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChartWish } from "../src/modules";
import { Source } from "../src/panels/map/source";
import type { Charted } from "../src/protocol";

const chart = (change: Partial<Charted>): Charted => ({
  v: 1,
  type: "charted",
  client: "p",
  re: "r",
  method: "pca",
  state: "ready",
  points: 3,
  part: "xy/pca/1",
  progress: null,
  text: "",
  layers: [{ name: "label", part: "label/1", names: ["a", "b"] }],
  ids: [],
  ...change,
});

class Kernel {
  now: Partial<Record<Charted["method"], Partial<Charted>>> = { pca: {} };
  wishes: ChartWish[] = [];
  reads: string[] = [];
  parts: Record<string, ArrayBufferLike> = {
    "xy/pca/1": new Float32Array([0, 0, 1, 1, -1, -1]).buffer,
    "xy/pca/2": new Float32Array([0, 0, 1, 1, -1, -1, 0.5, 0.5]).buffer,
    "xy/umap/1": new Float32Array([1, 0, 0, 1, 0, 0]).buffer,
    "label/1": new Uint16Array([0, 1, 2]).buffer,
    "label/2": new Uint16Array([2, 1, 2]).buffer,
  };
  hold: Promise<void> | null = null;

  chart = async (wish: ChartWish): Promise<Charted> => {
    this.wishes.push(wish);
    const ids = (wish.places ?? []).map((place) => `id${place}`);
    return chart({ method: wish.method, ...this.now[wish.method], ids });
  };

  /** Five bytes at a time. */
  piece = async (name: string, start: number) => {
    this.reads.push(name);
    await this.hold;
    const whole = this.parts[name];
    if (!whole) throw new Error("not any more");
    const bytes = new DataView(whole.slice(start, start + 5));
    return { bytes, total: whole.byteLength };
  };
}

let kernel: Kernel;
let source: Source;
let points: number[][];
let told: string[];
let ready: string[];
let colors: number;

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new Kernel();
  [points, told, ready, colors] = [[], [], [], 0];
  source = new Source(kernel, {
    tell: (text) => told.push(text),
    points: (all) => points.push([...all]),
    colors: () => colors++,
    heard: () => undefined,
    ready: (method) => ready.push(method),
  });
});
afterEach(() => {
  source.close();
  vi.useRealTimers();
});

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

describe("a map", () => {
  it("is computed, asked about until it is there, and read in pieces", async () => {
    kernel.now.pca = { state: "computing", points: 0, part: "xy/pca/0", progress: 0.4, layers: [] };
    source.show("pca");
    await settle();
    expect(kernel.wishes[0]).toMatchObject({ method: "pca", begin: true, cancel: false });
    expect(told.at(-1)).toBe("Laying out the items … 40 %");
    expect(points).toEqual([]);
    kernel.now.pca = {};
    await settle(1000);
    expect(points).toEqual([[0, 0, 1, 1, -1, -1]]);
    expect(told.at(-1)).toBe("");
    expect([...source.layer("label")!.codes]).toEqual([0, 1, 2]);
    expect([0, 1, 2].map((place) => source.nameOf("label", place))).toEqual([null, "a", "b"]);
    const asked = kernel.wishes.length;
    await settle(5000);
    expect(kernel.wishes).toHaveLength(asked);
  });

  it("says why there is none", async () => {
    kernel.now.pca = { state: "failed", points: 0, part: "", text: "There are no features." };
    source.show("pca");
    await settle();
    expect(told.at(-1)).toBe("There are no features.");
  });

  it("never moves by itself", async () => {
    source.show("pca");
    await settle();
    kernel.now.pca = { points: 4, part: "xy/pca/2" };
    source.changed();
    await settle(1000);
    expect(points).toHaveLength(1);
    source.show("pca");
    await settle();
    expect(points.map((all) => all.length)).toEqual([6, 8]);
  });

  it("tells of what was computed beside it, and shows it when it is asked to", async () => {
    source.show("pca");
    await settle();
    kernel.now.umap = { state: "computing", points: 0, part: "xy/umap/0", progress: null };
    void source.ask("umap", true);
    await settle();
    kernel.now.umap = { part: "xy/umap/1" };
    await settle(1000);
    expect(ready).toEqual(["umap"]);
    expect(points).toHaveLength(1);
    source.show("umap");
    await settle();
    expect(points.at(-1)).toEqual([1, 0, 0, 1, 0, 0]);
  });
});

describe("colors", () => {
  it("are read again only if they have changed", async () => {
    source.show("pca");
    await settle();
    const before = kernel.reads.length;
    source.changed();
    await settle(1000);
    expect(kernel.reads).toHaveLength(before);
    kernel.now.pca = { layers: [{ name: "label", part: "label/2", names: ["a", "b"] }] };
    source.changed();
    await settle(1000);
    expect(source.nameOf("label", 0)).toBe("b");
  });

  it("follow a label at once, and nothing older takes their place", async () => {
    source.show("pca");
    await settle();
    let go = () => undefined as void;
    kernel.hold = new Promise((done) => (go = done));
    kernel.now.pca = { layers: [{ name: "label", part: "label/2", names: ["a", "b"] }] };
    source.changed();
    await settle(1000);
    source.patch([2], "c");
    expect(source.nameOf("label", 2)).toBe("c");
    kernel.parts["label/3"] = new Uint16Array([2, 1, 3]).buffer;
    kernel.now.pca = { layers: [{ name: "label", part: "label/3", names: ["a", "b", "c"] }] };
    go();
    await settle();
    expect(source.nameOf("label", 2)).toBe("c");
    await settle(1000);
    expect([0, 1, 2].map((place) => source.nameOf("label", place))).toEqual(["b", "a", "c"]);
  });

  it("that change while they are read are asked for anew, but not for ever", async () => {
    source.show("pca");
    await settle();
    kernel.now.pca = { layers: [{ name: "label", part: "label/gone", names: [] }] };
    source.changed();
    await settle(20_000);
    expect(kernel.reads.filter((name) => name === "label/gone").length).toBeLessThan(10);
    expect(told.at(-1)).toContain("cannot be read");
  });
});

it("items are asked for by place, once", async () => {
  source.show("pca");
  await settle();
  expect(await source.idsOf([2, 0])).toEqual(["id2", "id0"]);
  const asked = kernel.wishes.length;
  expect(await source.idsOf([0])).toEqual(["id0"]);
  expect(kernel.wishes).toHaveLength(asked);
});
