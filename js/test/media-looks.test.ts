// @vitest-environment jsdom
// Videos, documents, maps and tables: what their keys do, what they fetch, what they show as text.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Look, MountedLook, Piece, Shown } from "../src/modules";
import { around, gridStep, moved, panned, project, written } from "../src/looks/mercator";
import { turn } from "../src/looks/playing";
import { whole } from "../src/looks/stream";

for (const name of ["video", "player", "pdf", "map", "table"])
  vi.doMock(`../src/looks/${name}.css`, () => ({ default: "" }));
const { default: video, rateOf, typeOf } = await import("../src/looks/video");
const { default: pdf, turned } = await import("../src/looks/pdf");
const { default: map } = await import("../src/looks/map");
const { default: table } = await import("../src/looks/table");

const view = (text: string) => new DataView(new TextEncoder().encode(text).buffer as ArrayBuffer);

const shown = (kind: string, data: object, buffers: DataView[] = []): Shown => ({
  id: "1",
  name: "1",
  view: { kind, data: data as Record<string, unknown>, buffers: buffers.length },
  buffers,
  label: null,
  suggestion: null,
});

/** A kernel that has one part, and gives three bytes of it at a time. */
const served =
  (text: string, asked: unknown[] = []) =>
  (name: string, start: number): Promise<Piece> => {
    asked.push([name, start]);
    return Promise.resolve({ bytes: view(text.slice(start, start + 3)), total: text.length });
  };

const settle = () => new Promise((done) => setTimeout(done, 5));
const press = (mounted: MountedLook, key: string, shift = false) =>
  mounted.press?.({ key, shift, ctrl: false, alt: false, meta: false });

let el: HTMLElement;
const made: Blob[] = [];
const said: string[] = [];
const mount = (look: Look) => look.mount(el, { say: (text) => void said.push(text) });

beforeEach(() => {
  el = document.createElement("div");
  document.body.replaceChildren(el);
  made.length = said.length = 0;
  // Neither of them is in jsdom.
  URL.createObjectURL = (blob) => `blob:${made.push(blob as Blob)}`;
  URL.revokeObjectURL = () => undefined;
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(() => Promise.resolve());
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(() => undefined);
  vi.spyOn(HTMLMediaElement.prototype, "load").mockImplementation(() => undefined);
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(() => null);
});
afterEach(() => vi.restoreAllMocks());

describe("a part that comes in pieces", () => {
  const { signal } = new AbortController();

  it("is put together in order, and says how far it is", async () => {
    const [asked, heard]: unknown[][] = [[], []];
    const item = { ...shown("video", {}), piece: served("abcdefgh", asked) };
    const parts = await whole(item, "x", signal, (...far) => heard?.push(far));
    expect(parts.map((part) => new TextDecoder().decode(part))).toEqual(["abc", "def", "gh"]);
    expect(asked).toEqual([
      ["x", 0],
      ["x", 3],
      ["x", 6],
    ]);
    expect(heard).toEqual([
      [3, 8],
      [6, 8],
      [8, 8],
    ]);
  });

  it("that changes or ends while it is read is no part", async () => {
    let total = 8;
    const changing = (_: string, start: number) =>
      Promise.resolve({ bytes: view("abc"), total: start ? total : total-- });
    const nothing = () => Promise.resolve({ bytes: undefined, total: 8 });
    for (const piece of [changing, nothing])
      await expect(whole({ ...shown("video", {}), piece }, "", signal)).rejects.toThrow("changed");
    await expect(whole(shown("video", {}), "", signal)).rejects.toThrow("cannot ask");
  });
});

describe("a video", () => {
  it("goes on by frames, to the middle of each", () => {
    const place = { at: 0.5, length: 2, speed: 1, rate: 10 };
    expect(turn(place, ".")).toEqual({ at: 0.65 });
    expect(turn(place, ",")).toEqual({ at: 0.45 });
    expect(turn({ ...place, at: 0.65 }, ">")).toEqual({ at: 0.75 });
    expect(turn({ ...place, at: 0 }, "<")).toEqual({ at: 0.05 });
    expect(turn({ ...place, at: 2 }, ".")).toEqual({ at: 1.95 });
    expect(turn({ at: 0, length: 2, speed: 1 }, ".")).toBeNull();
  });

  it("has the rate of its shortest step", () => {
    expect(rateOf(1, 1.04)).toBe(25);
    expect(rateOf(1, 1)).toBeNull();
    expect(rateOf(1, 3)).toBeNull();
    expect(rateOf(NaN, 3)).toBeNull();
  });

  it("is never a page of its own", () => {
    expect(typeOf("video/webm")).toBe("video/webm");
    for (const mime of ["text/html", "image/svg+xml", null]) expect(typeOf(mime)).toBe("video/mp4");
  });

  it("that came with its item is played at once", () => {
    const mounted = mount(video);
    const data = {
      mime: "video/webm",
      name: "<b>.webm",
      autoplay: true,
      streamed: false,
      rate: 10,
    };
    mounted.show(shown("video", data, [view("film")]));
    expect(made.map(({ type, size }) => [type, size])).toEqual([["video/webm", 4]]);
    expect(HTMLMediaElement.prototype.play).toHaveBeenCalledTimes(1);
    expect(el.querySelector(".nblabel-media-name")?.textContent).toBe("<b>.webm");
    const player = el.querySelector("video")!;
    Object.defineProperty(player, "duration", { value: 2 });
    expect(press(mounted, ".")).toBe(true);
    expect(player.currentTime).toBeCloseTo(0.15);
    expect(press(mounted, "1")).toBe(false);
    mounted.destroy();
  });

  it("that is large is fetched when it is shown, and no longer than that", async () => {
    const mounted = mount(video);
    const data = { mime: "video/mp4", name: "", streamed: true, size: 8, poster: "image/png" };
    const poster = view("png");
    let answer: (piece: Piece) => void = () => undefined;
    let signal: AbortSignal | undefined;
    const piece = (_: string, __: number, until?: AbortSignal) => {
      signal = until;
      return new Promise<Piece>((done) => (answer = done));
    };
    mounted.show({ ...shown("video", data, [poster]), piece });
    expect(el.querySelector("img")?.hidden).toBe(false);
    expect(el.querySelector(".nblabel-coming")?.textContent).toContain("loading");
    mounted.show({ ...shown("video", data), id: "2", piece: served("filmfilm") });
    expect(signal?.aborted).toBe(true);
    answer({ bytes: view("old"), total: 3 });
    await settle();
    expect(made.map(({ type, size }) => [type, size])).toEqual([
      ["image/png", 3],
      ["video/mp4", 8],
    ]);
    expect(el.querySelector("img")?.hidden).toBe(true);
  });

  it("that cannot be had says why", async () => {
    const mounted = mount(video);
    const piece = () => Promise.reject(new Error("FileNotFoundError: <i>gone</i>"));
    mounted.show({ ...shown("video", { streamed: true, size: 1 }), piece });
    await settle();
    const alert = el.querySelector('[role="alert"]');
    expect(alert?.textContent).toContain("<i>gone</i>");
    expect(alert?.children).toHaveLength(0);
  });
});

describe("a document", () => {
  it("is turned within its pages", () => {
    expect(turned(1, 3, "shift+right")).toBe(2);
    expect(turned(3, 3, "shift+right")).toBe(3);
    expect(turned(1, 3, "shift+left")).toBe(1);
    expect(turned(2, 3, "end")).toBe(3);
    expect(turned(2, 3, "home")).toBe(1);
    expect(turned(2, 3, "1")).toBeNull();
  });

  it("fetches a page when it is looked at, and once", async () => {
    const mounted = mount(pdf);
    const asked: unknown[] = [];
    const data = { mime: "image/png", name: "a.pdf", pages: 3 };
    mounted.show({ ...shown("pdf", data, [view("one")]), piece: served("two", asked) });
    const place = () => el.querySelector("output")?.textContent;
    expect([place(), el.querySelector("img")?.alt]).toEqual(["page 1 of 3", "page 1 of item 1"]);
    press(mounted, "ArrowRight", true);
    expect(place()).toBe("page 2 of 3");
    await settle();
    expect(el.querySelector("img")?.alt).toBe("page 2 of item 1");
    press(mounted, "Home");
    press(mounted, "ArrowRight", true);
    await settle();
    expect(asked).toEqual([["2", 0]]);
    const width = () => el.querySelector("img")?.style.width;
    expect(width()).toBe("80%");
    press(mounted, "+");
    expect(width()).toBe("100%");
  });

  it("of one page has nothing to turn", () => {
    const mounted = mount(pdf);
    mounted.show(shown("pdf", { mime: "image/png", name: "", pages: 1 }, [view("one")]));
    expect(el.querySelector("output")?.hidden).toBe(true);
    expect(press(mounted, "ArrowRight", true)).toBe(false);
  });

  it("whose page cannot be had says why", async () => {
    const mounted = mount(pdf);
    const piece = () => Promise.reject(new Error("broken"));
    mounted.show({ ...shown("pdf", { mime: "image/png", pages: 2 }, [view("one")]), piece });
    press(mounted, "End");
    await settle();
    expect(el.querySelector('[role="alert"]')?.textContent).toContain("broken");
  });
});

describe("a map", () => {
  it("has the places of tiles", () => {
    expect(project([0, 0])).toEqual([0.5, 0.5]);
    const [x, y] = project([47.3769, 8.5417]);
    // Tile 8/134/89 of any tile server is around Zürich.
    expect([Math.floor(x * 256), Math.floor(y * 256)]).toEqual([134, 89]);
    expect(project([90, 180])).toEqual([1, expect.closeTo(0)]);
    expect(project([-90, -180])).toEqual([0, expect.closeTo(1)]);
  });

  it("begins around its places", () => {
    expect(around([[0, 0]], 800, 300, 4, 0)).toEqual({ x: 0.5, y: 0.5, zoom: 4 });
    const far = around(
      [
        [60, -120],
        [-60, 120],
      ],
      800,
      300,
      4,
      0,
    );
    expect(far.zoom).toBe(1);
    expect(far.x).toBeCloseTo(0.5);
  });

  it("is moved around the Earth, and not over its poles", () => {
    const seen = { x: 0.5, y: 0.5, zoom: 1 };
    expect(moved(seen, "+", 512, 300, 7)).toEqual({ ...seen, zoom: 2 });
    expect(moved({ ...seen, zoom: 7 }, "+", 512, 300, 7)?.zoom).toBe(7);
    expect(moved({ ...seen, zoom: 0 }, "-", 512, 300, 7)?.zoom).toBe(0);
    expect(moved(seen, "shift+right", 512, 300, 7)?.x).toBe(0.75);
    expect(moved(seen, "x", 512, 300, 7)).toBeNull();
    expect(panned({ ...seen, x: 0.9 }, 0.2, 0.9)).toEqual({
      x: expect.closeTo(0.1),
      y: 1,
      zoom: 1,
    });
  });

  it("says where", () => {
    expect(written([47.3769, 8.5417])).toBe("47.3769° N, 8.5417° E");
    expect(written([-33.5, -70])).toBe("33.5° S, 70° W");
    expect(gridStep(0)).toBe(45);
    expect(gridStep(4)).toBe(10);
    expect(gridStep(18)).toBe(0.01);
    const mounted = mount(map);
    mounted.show(shown("map", { points: [[1, 2]], tiles: null, credit: "" }));
    expect(el.querySelector("output")?.textContent).toBe("1° N, 2° E");
    expect(el.querySelector(".nblabel-credit")?.textContent).toContain("Natural Earth");
    mounted.show({ ...shown("map", { points: [[1, 2], [3, 4]], credit: "<b>me" }), id: "2" }); // prettier-ignore
    expect(el.querySelector("output")?.textContent).toBe("2 places");
    expect(el.querySelector(".nblabel-credit")?.innerHTML).toBe("&lt;b&gt;me");
    expect(el.querySelectorAll("img")).toHaveLength(0);
    mounted.destroy();
  });
});

describe("a table", () => {
  it("shows every cell as text, numbers to the right", () => {
    const mounted = mount(table);
    const cells = [
      [["<img src=x>", "text"], ["1", "number"], ["2", "number"]],
      [["", "missing"], ["", "missing"], ["x", "text"]],
    ]; // prettier-ignore
    mounted.show(shown("table", { columns: ["<b>a", "n", "m"], cells, rows: 9, width: 60 }));
    expect(el.querySelector("img, b")).toBeNull();
    const texts = [...el.querySelectorAll("th, td")].map((cell) => cell.textContent);
    expect(texts).toEqual(["<b>a", "n", "m", "<img src=x>", "1", "2", "missing", "missing", "x"]);
    const kinds = [...el.querySelectorAll<HTMLElement>("th")].map((cell) => cell.dataset["type"]);
    expect(kinds).toEqual(["text", "number", "text"]);
    expect(el.querySelector("p")?.textContent).toBe(
      "the first 2 of 9 rows, the first 3 of 60 columns",
    );
    mounted.destroy();
  });

  it("without rows says so", () => {
    mount(table).show(shown("table", { columns: ["a"], cells: [], rows: 0, width: 1 }));
    expect(el.querySelector("p")?.textContent).toBe("no rows");
  });
});
