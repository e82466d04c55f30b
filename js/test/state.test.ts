import { describe, expect, test } from "vitest";
import type { FromKernel, ItemPart, TrailPart } from "../src/protocol";
import {
  LEAST,
  MOST_AHEAD,
  MOST_SECONDS,
  WINDOW,
  current,
  currentId,
  initial,
  step,
  visibleSuggestion,
  visited,
  wanted,
  type Action,
  type Asked,
  type Draft,
  type State,
} from "../src/state";
import { SHOWN, part, status, suggestion, welcomeMessage, windowMessage } from "./helpers";

/** A page without a kernel: what is done, and what it says. */
class Page {
  state: State = initial(true);
  readonly said: Draft[] = [];
  now = 1000;
  private made = 0;

  act(action: Record<string, unknown> & { type: Action["type"] }): this {
    this.made += 1;
    const stamp = { id: `e${this.made}`, at: "2026-03-04T05:06:07.000Z", now: this.now };
    const { state, events } = step(this.state, { ...stamp, ...action } as unknown as Action);
    this.state = state;
    this.said.push(...events);
    return this;
  }
  hear(message: FromKernel, asked: Asked | null = null, buffers: DataView[] = []): this {
    return this.act({ type: "message", message, buffers, asked });
  }
  label(value: string): this {
    return this.act({ type: "label", value });
  }
  get last(): Draft {
    return this.said.at(-1)!;
  }
  get on(): string | null {
    return currentId(this.state);
  }
}

const WINDOW_ASKED: Asked = { n: WINDOW, ids: [], before: null };
const names = (n: number, from = 0) => Array.from({ length: n }, (_, k) => `i${k + from}`);
const parts = (ids: readonly string[], change: Partial<ItemPart> = {}) =>
  ids.map((id) => part(id, change));

function open(ids: readonly string[] = names(5), change: Partial<ItemPart> = {}): Page {
  const page = new Page().hear(welcomeMessage({ status: status({ left: ids.length }) }));
  return page.hear(
    windowMessage(parts(ids, change), { status: status({ left: ids.length }) }),
    WINDOW_ASKED,
  );
}

const entry = (id: string, item: string, change: Partial<TrailPart> = {}): TrailPart => ({
  id,
  kind: "label",
  item,
  value: "ham",
  before: null,
  ...change,
});

describe("labeling", () => {
  test("says what, of which item, when, how long, and how it was shown", () => {
    const page = open();
    page.now += 1500;
    page.label("ham");
    expect(page.last).toEqual({
      id: "e3",
      kind: "label",
      item: "i0",
      value: "ham",
      at: "2026-03-04T05:06:07.000Z",
      seconds: 1.5,
      shown: { ...SHOWN, position: 0 },
    });
    expect(page.on).toBe("i1");
    expect(page.state.items.get("i0")?.label).toBe("ham");
    expect(page.state.trail).toEqual([entry("e3", "i0")]);
  });

  test("counts the items shown", () => {
    const page = open();
    for (const value of ["a", "b", "c"]) page.label(value);
    expect(page.said.map((e) => e.shown.position)).toEqual([0, 1, 2]);
  });

  test("cuts idle time and never counts backwards", () => {
    const page = open();
    page.now += 10 * 3600_000;
    expect(page.label("ham").last.seconds).toBe(MOST_SECONDS);
    page.now -= 5000;
    expect(page.label("ham").last.seconds).toBe(0);
  });

  test("does nothing where there is no item", () => {
    const page = new Page();
    for (const type of ["accept", "skip", "flag"] as const) page.act({ type });
    page.label("ham").act({ type: "note", text: "x" });
    expect(page.said).toEqual([]);
    expect(open([]).label("ham").said).toEqual([]);
  });

  test("announces the label and the next item", () => {
    const page = open(["i0", "i1"]);
    expect(page.state.said).toBe("text of i0");
    expect(page.label("ham").state.said).toBe("ham. text of i1");
    expect(page.act({ type: "skip" }).state.said).toBe("Skipped. No more items.");
  });

  test("announces an item without text by its kind and name, and only the start of a long one", () => {
    const image = part("pic", { view: { kind: "image", data: {}, buffers: 0 } });
    const long = part("long", {
      view: { kind: "text", data: { text: "x".repeat(500) }, buffers: 0 },
    });
    const page = new Page().hear(welcomeMessage()).hear(windowMessage([image, long]));
    expect(page.state.said).toBe("image pic");
    expect(page.label("a").state.said).toBe(`a. ${"x".repeat(160)}`);
  });
});

describe("suggestions", () => {
  test("accepting says the label of the suggestion, and that it was seen", () => {
    const page = open(["i0"], { suggestion: suggestion("spam") });
    page.act({ type: "accept" });
    expect(page.last.value).toBe("spam");
    expect(page.last.shown).toMatchObject({ suggestion: "spam", visible: true });
  });

  test("a screen reader hears it, unless it is hidden", () => {
    const sure = { ...suggestion("spam"), confidence: 0.9 };
    const page = open(["i0", "i1"], { suggestion: sure });
    expect(page.state.said).toBe("text of i0 Suggested spam, 90 %.");
    expect(page.label("ham").state.said).toBe("ham. text of i1 Suggested spam, 90 %.");
    expect(page.act({ type: "suggest" }).state.said).toBe("Suggestions hidden.");
    expect(page.act({ type: "back" }).state.said).toBe("text of i0 Labeled ham.");
    expect(page.act({ type: "forward" }).state.said).toBe("text of i1");
  });

  test("what is hidden by chance cannot be accepted", () => {
    const hidden = part("i0", {
      suggestion: suggestion("spam"),
      shown: { ...SHOWN, suggestion: "spam", visible: false },
    });
    const page = new Page().hear(welcomeMessage()).hear(windowMessage([hidden]));
    expect(page.act({ type: "accept" }).said).toEqual([]);
    expect(page.state.said).toMatch(/no suggestion/);
    expect(page.label("ham").last.shown.visible).toBe(false);
  });

  test("what is hidden by choice cannot be accepted, and the label says so", () => {
    const page = open(["i0"], { suggestion: suggestion("spam") }).act({ type: "suggest" });
    expect(page.state.said).toBe("Suggestions hidden.");
    expect(visibleSuggestion(page.state, current(page.state))).toBeNull();
    expect(page.act({ type: "accept" }).said).toEqual([]);
    expect(page.label("ham").last.shown).toMatchObject({ suggestion: "spam", visible: false });
    expect(page.act({ type: "suggest" }).state.said).toBe("Suggestions shown.");
  });

  test("the one under the eye never changes; those to come do", () => {
    const page = open(["i0", "i1"], { suggestion: suggestion("spam") });
    const newer = parts(["i0", "i1"], {
      suggestion: suggestion("ham", { version: 2 }),
      view: null,
    });
    page.hear(windowMessage(newer, { rank: 2 }), WINDOW_ASKED);
    expect(page.act({ type: "accept" }).last.value).toBe("spam");
    expect(page.act({ type: "accept" }).last.value).toBe("ham");
  });

  test("the one under the eye does not change while looking back either", () => {
    const page = open(["i0", "i1"], { suggestion: suggestion("spam") }).label("ham");
    page.act({ type: "back" });
    page.hear(
      windowMessage([part("i0", { suggestion: suggestion("ham") })], { window: false, order: [] }),
    );
    expect(visibleSuggestion(page.state, current(page.state))?.label).toBe("spam");
  });
});

describe("undo", () => {
  test("without end, back to the first", () => {
    const page = open(names(50));
    for (let k = 0; k < 50; k++) page.label(k % 2 ? "ham" : "spam");
    expect(page.on).toBeNull();
    for (let k = 49; k >= 0; k--) {
      const id = page.state.trail.at(-1)!.id;
      page.act({ type: "undo" });
      expect(page.last).toMatchObject({ kind: "retract", item: `i${k}`, value: id, seconds: null });
      expect(page.on).toBe(`i${k}`);
    }
    expect(page.state.trail).toEqual([]);
    expect([...page.state.items.values()].every((item) => item.label === null)).toBe(true);
    expect(page.act({ type: "undo" }).state.said).toBe("There is nothing to undo.");
    expect(page.said.length).toBe(100);
  });

  test("of a skip brings the item back", () => {
    const page = open().act({ type: "skip" });
    expect(page.last).toMatchObject({ kind: "skip", value: null });
    page.act({ type: "undo" });
    expect(page.on).toBe("i0");
    expect(page.state.said).toBe("Took back skip. text of i0");
  });

  test("of a relabel gives the label before, with the item on the screen", () => {
    const page = open().label("ham").act({ type: "back" }).label("spam");
    expect(page.on).toBe("i1");
    page.act({ type: "undo" });
    expect(page.on).toBe("i0");
    expect(current(page.state)?.label).toBe("ham");
    page.act({ type: "undo" });
    expect(current(page.state)?.label).toBeNull();
    expect(page.state.cursor).toBeNull();
    expect(page.on).toBe("i0");
  });

  test("of flags and notes, without moving", () => {
    const page = open().act({ type: "flag" }).act({ type: "note", text: "one" });
    page.act({ type: "note", text: "two" }).act({ type: "flag" });
    const item = () => current(page.state)!;
    expect(page.said.map((e) => e.value)).toEqual([true, "one", "two", false]);
    expect(page.said.every((e) => e.seconds === null)).toBe(true);
    expect(item()).toMatchObject({ flagged: false, note: "two", id: "i0" });
    page.act({ type: "undo" });
    expect(item().flagged).toBe(true);
    page.act({ type: "undo" });
    expect(item().note).toBe("one");
    page.act({ type: "undo" });
    expect(item().note).toBe("");
    page.act({ type: "undo" });
    expect(item().flagged).toBe(false);
    expect(page.on).toBe("i0");
  });

  test("of what an earlier page said fetches the item", () => {
    const trail = [entry("x1", "old", { value: "spam" })];
    const page = new Page()
      .hear(welcomeMessage({ trail }))
      .hear(windowMessage([part("i0")]), WINDOW_ASKED);
    page.act({ type: "undo" });
    expect(page.last).toMatchObject({ kind: "retract", item: "old", value: "x1" });
    expect(page.state.said).toBe("Took back spam. Loading.");
    expect(wanted(page.state)?.ids).toEqual(["old"]);
    // The kernel answered before it heard of the undo.
    const late = windowMessage([part("old", { label: "spam" })], { window: false, order: [] });
    page.hear(late, { n: 0, ids: ["old"], before: null });
    expect(page.on).toBe("old");
    expect(current(page.state)?.label).toBeNull();
  });

  test("keeps what came back in front of a new order", () => {
    const page = open(names(6));
    for (let k = 0; k < 4; k++) page.label("ham");
    for (let k = 0; k < 4; k++) page.act({ type: "undo" });
    page.hear(windowMessage(parts(["z", "i4", "i5"]), { rank: 2 }), WINDOW_ASKED);
    expect(page.state.queue).toEqual(["i0", "i1", "i2", "i3", "z", "i4", "i5"]);
    for (let k = 0; k < 4; k++) page.label("ham");
    expect(page.state.returned).toBe(0);
  });
});

describe("back and forward", () => {
  test("walk over what was answered, to the ends", () => {
    const page = open().label("a").act({ type: "skip" }).label("c");
    const path = [];
    for (let k = 0; k < 4; k++) path.push(page.act({ type: "back" }).on);
    expect(path).toEqual(["i2", "i1", "i0", "i0"]);
    expect(page.state.said).toBe("This is the first one.");
    for (let k = 0; k < 3; k++) page.act({ type: "forward" });
    expect(page.on).toBe("i3");
    expect(page.act({ type: "forward" }).state.said).toBe("This is the newest one.");
    expect(page.said.length).toBe(3);
  });

  test("a relabel there keeps its place and goes on to the next", () => {
    const page = open().label("a").label("b").act({ type: "back" }).act({ type: "back" });
    expect(page.state.said).toBe("text of i0 Labeled a.");
    page.label("c");
    expect(page.last).toMatchObject({ item: "i0", value: "c" });
    expect(page.state.trail.at(-1)).toMatchObject({ before: "a" });
    expect(page.on).toBe("i1");
    expect(visited(page.state)).toEqual(["i0", "i1"]);
    page.act({ type: "skip" });
    expect(page.state.items.get("i1")?.label).toBeNull();
    expect(page.on).toBe("i2");
  });

  test("the time of an item starts when it comes on the screen", () => {
    const page = open().label("a");
    page.now += 60_000;
    page.act({ type: "back" });
    page.now += 2000;
    expect(page.label("b").last.seconds).toBe(2);
    page.now += 3000;
    expect(page.label("b").last.seconds).toBe(3);
  });

  test("at the oldest one known, older ones are wanted", () => {
    const page = new Page().hear(welcomeMessage({ trail: [entry("x9", "old9")], more: 41 }));
    page.hear(windowMessage(parts(names(100))), WINDOW_ASKED);
    expect(wanted(page.state)).toBeNull();
    page.act({ type: "back" });
    expect(wanted(page.state)).toMatchObject({ n: 0, ids: ["old9"], before: 41 });
    const older = windowMessage([part("old9", { label: "ham" })], {
      window: false,
      order: [],
      trail: [entry("x8", "old8"), entry("x9", "old9")],
      more: 12,
    });
    page.hear(older, { n: 0, ids: ["old9"], before: 41 });
    expect(page.state.trail.map((e) => e.id)).toEqual(["x8", "x9"]);
    expect(page.state.more).toBe(12);
    expect(wanted(page.state)).toBeNull();
    expect(page.act({ type: "back" }).on).toBe("old8");
  });

  test("an answer without older ones ends the asking; one to another question does not", () => {
    const page = new Page().hear(welcomeMessage({ trail: [], more: 41 }));
    expect(wanted(page.state)?.before).toBe(41);
    page.hear(windowMessage(parts(names(100))), WINDOW_ASKED);
    expect(page.state.more).toBe(41);
    expect(wanted(page.state)?.before).toBe(41);
    page.hear(windowMessage([], { window: false }), { n: 0, ids: [], before: 41 });
    expect(page.state.more).toBeNull();
    expect(wanted(page.state)).toBeNull();
  });

  test("an item that is no longer in the data is asked for once, and can be left", () => {
    const page = new Page().hear(welcomeMessage({ trail: [entry("x1", "gone")] }));
    page.hear(windowMessage(parts(names(100))), WINDOW_ASKED).act({ type: "back" });
    expect(wanted(page.state)?.ids).toEqual(["gone"]);
    page.hear(windowMessage([], { window: false }), { n: 0, ids: ["gone"], before: null });
    expect(wanted(page.state)).toBeNull();
    expect(page.state.notice).toMatch(/not in this data/);
    expect(page.act({ type: "forward" }).on).toBe("i0");
    // Taken back, it would stand at the head; there is nothing to show, so it is passed over.
    page.act({ type: "undo" });
    page.hear(windowMessage([], { window: false }), { n: 0, ids: ["gone"], before: null });
    expect(page.on).toBe("i0");
  });
});

describe("a window of items", () => {
  test("never moves the current and the next item", () => {
    const page = open(["a", "b", "c"]);
    page.hear(windowMessage(parts(["z", "c", "y"]), { rank: 2 }), WINDOW_ASKED);
    expect(page.state.queue).toEqual(["a", "b", "z", "c", "y"]);
    expect(page.state.rank).toBe(2);
  });

  test("never brings back what was answered meanwhile", () => {
    const page = open(["a", "b", "c", "d"]).label("ham").label("spam");
    page.hear(windowMessage(parts(["a", "b", "c", "d", "e"])), WINDOW_ASKED);
    expect(page.state.queue).toEqual(["c", "d", "e"]);
    expect(page.state.items.get("a")?.label).toBe("ham");
  });

  test("leaves out what has no view", () => {
    const page = open(["a", "b"]);
    page.hear(windowMessage([part("c", { view: null })]), WINDOW_ASKED);
    expect(page.state.queue).toEqual(["a", "b"]);
  });

  test("hands each item its own buffers", () => {
    const buffers = [1, 2, 3].map((n) => new DataView(new ArrayBuffer(n)));
    const view = (count: number) => ({ kind: "image", data: {}, buffers: count });
    const page = open(["a", "b"]);
    const message = windowMessage([
      part("a", { view: view(1) }), // under the eye: passed over, and its buffer with it
      part("b", { view: null }),
      part("c", { view: view(2) }),
    ]);
    page.hear(message, WINDOW_ASKED, buffers);
    expect(page.state.items.get("a")?.buffers).toEqual([]);
    expect(page.state.items.get("b")?.view.kind).toBe("text");
    expect(page.state.items.get("c")?.buffers).toEqual(buffers.slice(1));
  });

  test("keeps what the page knows better: label, note and flag", () => {
    const page = open(["a", "b"]).label("ham").act({ type: "back" });
    page.act({ type: "flag" }).act({ type: "note", text: "n" }).act({ type: "forward" });
    page.hear(windowMessage([part("a")], { window: false, order: [] }));
    expect(page.state.items.get("a")).toMatchObject({ label: "ham", flagged: true, note: "n" });
  });

  test("starts the clock when there was nothing on the screen", () => {
    const page = new Page().hear(welcomeMessage());
    page.now += 50_000;
    page.hear(windowMessage([part("a")]), WINDOW_ASKED);
    page.now += 1000;
    expect(page.label("x").last.seconds).toBe(1);
  });

  test("forgets the views of long ago, not those near", () => {
    const page = open([]);
    for (let k = 0; k < 6; k++) {
      const ids = names(100, k * 100);
      page.hear(windowMessage(parts(ids), { status: status({ left: 9999 }) }), WINDOW_ASKED);
      for (let j = 0; j < 98; j++) page.label("ham");
    }
    expect(page.state.items.size).toBeLessThan(WINDOW * 2 + 200 + 100);
    for (const id of page.state.queue) expect(page.state.items.has(id)).toBe(true);
    for (const id of visited(page.state).slice(-150)) expect(page.state.items.has(id)).toBe(true);
    expect(page.state.items.has("i0")).toBe(false);
    for (let k = 0; k < 600; k++) page.act({ type: "back" });
    expect(page.on).toBe("i0");
    expect(wanted(page.state)?.ids).toEqual(["i0"]);
    page.hear(windowMessage([part("i0", { label: "ham" })], { window: false, order: [] }));
    expect(current(page.state)?.label).toBe("ham");
  });
});

describe("what is wanted", () => {
  const left = (n: number) => status({ left: n });

  test("nothing before the welcome, a window after it", () => {
    expect(wanted(initial(true))).toBeNull();
    const page = new Page().hear(welcomeMessage());
    const first = { n: WINDOW, keep: [], held: [], ids: [], before: null };
    expect(wanted(page.state)).toEqual(first);
  });

  test("more when the queue runs low, with what is pinned and held", () => {
    const page = open(names(LEAST));
    page.hear({ ...windowMessage([]), window: false, status: left(500) });
    expect(wanted(page.state)).toBeNull();
    page.label("ham");
    const asked = wanted(page.state)!;
    expect(asked).toMatchObject({ n: WINDOW, keep: ["i1", "i2"], ids: [], before: null });
    expect(asked.held).toEqual(names(LEAST - 1, 1));
  });

  test("enough for a minute of a fast annotator, whenever the kernel turns busy", () => {
    for (let before = 0; before < WINDOW; before++) {
      const page = open(names(WINDOW));
      page.hear({ ...windowMessage([]), window: false, status: left(500) });
      for (let k = 0; k < before && !wanted(page.state); k++) page.label("ham");
      const ahead = page.state.queue.length;
      expect(ahead).toBeGreaterThan(60 * 2);
    }
  });

  test("no more of large items than a page may hold, and never nothing", () => {
    const large = (ids: readonly string[], each: number) =>
      ids.map((id) =>
        part(id, { view: { kind: "image", data: {}, buffers: 1 }, name: String(each) }),
      );
    const held = (n: number, each: number) => {
      const page = open([]);
      const buffer = new DataView(new ArrayBuffer(each));
      const message = windowMessage(large(names(n), each), { status: left(500) });
      page.hear(
        message,
        WINDOW_ASKED,
        Array.from({ length: n }, () => buffer),
      );
      return page;
    };
    expect(wanted(held(63, 1_000_000).state)?.n).toBe(WINDOW);
    const full = held(64, 1_000_000);
    expect(wanted(full.state)).toBeNull();
    full.label("ham");
    expect(wanted(full.state)?.n).toBe(WINDOW);
    expect(wanted(held(2, MOST_AHEAD).state)?.n).toBe(WINDOW);
    const three = held(3, MOST_AHEAD);
    expect(wanted(three.state)).toBeNull();
    // A newer order does not make it hold more.
    three.hear(windowMessage([], { window: false, status: status({ left: 500, rank: 9 }) }));
    expect(wanted(three.state)?.n).toBe(3);
  });

  test("lets go of large items behind, but not of those ahead", () => {
    const page = open([]);
    const ids = names(12);
    const each = new DataView(new ArrayBuffer(MOST_AHEAD / 4));
    const parts = ids.map((id) => part(id, { view: { kind: "image", data: {}, buffers: 1 } }));
    const all = ids.map(() => each);
    page.hear(windowMessage(parts, { status: left(500) }), WINDOW_ASKED, all);
    for (let k = 0; k < 10; k++) page.label("ham");
    expect(page.state.items.size).toBe(12);
    const more = part("more", { view: { kind: "image", data: {}, buffers: 1 } });
    page.hear(windowMessage([more], { status: left(500) }), WINDOW_ASKED, [each]);
    expect([...page.state.items.keys()]).toEqual(["i6", "i7", "i8", "i9", "i10", "i11", "more"]);
  });

  test("nothing when the page holds all that is left, counting what is on the way", () => {
    const page = open(names(5)).label("ham").act({ type: "unsaved", count: 1 });
    expect(wanted(page.state)).toBeNull();
  });

  test("not again and again what the kernel does not have", () => {
    const page = open(names(2));
    page.hear(windowMessage([], { status: left(9) }), WINDOW_ASKED);
    expect(page.state.queue.length).toBe(2);
    expect(wanted(page.state)).toBeNull();
    page.hear(windowMessage([], { window: false, status: left(8) }));
    expect(wanted(page.state)?.n).toBe(WINDOW);
    page.hear(windowMessage(parts(["x"]), { status: left(8) }), WINDOW_ASKED);
    expect(wanted(page.state)?.n).toBe(WINDOW);
  });

  test("a new order, once the kernel has one", () => {
    const page = open(names(5));
    page.hear({
      v: 1,
      type: "ack",
      client: "page",
      re: "",
      ids: [],
      expected: 1,
      status: status({ left: 5, rank: 7 }),
    });
    expect(wanted(page.state)?.n).toBe(WINDOW);
    page.hear(windowMessage([], { rank: 7, status: status({ left: 5, rank: 7 }) }), WINDOW_ASKED);
    expect(wanted(page.state)).toBeNull();
  });
});

describe("what the kernel will not store", () => {
  const reject = (ids: readonly string[], retry = false): FromKernel => ({
    v: 1,
    type: "reject",
    client: "page",
    re: "",
    ids,
    code: retry ? "store" : "illegal",
    text: "The reason.",
    retry,
  });

  test("did not happen: the item comes back behind the current one", () => {
    const page = open().label("ham").label("spam");
    page.hear(reject([page.said[0]!.id]));
    expect(page.state.queue.slice(0, 3)).toEqual(["i2", "i0", "i3"]);
    expect(page.state.items.get("i0")?.label).toBeNull();
    expect(page.state.trail.map((e) => e.item)).toEqual(["i1"]);
    expect(page.state.notice).toBe("The reason.");
    expect(page.act({ type: "dismiss" }).state.notice).toBe("");
  });

  test("comes back to an empty queue too, and only once", () => {
    const page = open(["a"]).label("ham");
    page.hear(reject([page.last.id]));
    expect(page.on).toBe("a");
    page.hear(reject([page.last.id]));
    expect(page.state.queue).toEqual(["a"]);
  });

  test("stays on the screen when it is looked at", () => {
    const page = open().label("ham").act({ type: "back" });
    page.hear(reject([page.said[0]!.id]));
    expect(page.on).toBe("i0");
    expect(page.state.cursor).toBeNull();
    expect(page.label("spam").on).toBe("i1");
  });

  test("leaves later words on the same item alone", () => {
    const page = open().label("a").act({ type: "back" }).label("b");
    page.hear(reject([page.said[0]!.id]));
    expect(page.state.items.get("i0")?.label).toBe("b");
    expect(page.state.queue[0]).toBe("i1");
    expect(page.act({ type: "undo" }).state.items.get("i0")?.label).toBeNull();
    expect(page.on).toBe("i0");
  });

  test("holds for a relabel, a flag and a note", () => {
    const page = open().label("a").act({ type: "back" }).label("b").act({ type: "back" });
    page.hear(reject([page.said[1]!.id]));
    expect(current(page.state)?.label).toBe("a");
    page.act({ type: "flag" }).act({ type: "note", text: "n" });
    page.hear(reject(page.said.slice(2).map((e) => e.id)));
    expect(current(page.state)).toMatchObject({ id: "i0", label: "a", flagged: false, note: "" });
    expect(page.state.trail.length).toBe(1);
  });

  test("stays when it may be stored later", () => {
    const page = open().label("ham");
    page.hear(reject([page.last.id], true));
    expect(page.state.trail.length).toBe(1);
    expect(page.on).toBe("i1");
    expect(page.state.notice).toBe("The reason.");
  });
});

describe("the rest", () => {
  test("a refused page says why", () => {
    const refuse = { v: 1, type: "refuse", client: "page", re: "", code: "replaced" } as const;
    const page = open().hear({ ...refuse, text: "Run again." });
    expect(page.state).toMatchObject({ phase: "refused", refusal: "Run again." });
    expect(wanted(page.state)).toBeNull();
    expect(page.hear(welcomeMessage()).state).toMatchObject({ phase: "ready", refusal: "" });
  });

  test("a second welcome keeps what the page did", () => {
    const page = open().label("ham");
    page.hear(welcomeMessage({ trail: [entry("other", "zz")], more: 3, note: "about" }));
    expect(page.state.trail.map((e) => e.item)).toEqual(["i0"]);
    expect(page.state.more).toBeNull();
    expect(page.state).toMatchObject({ annotator: "ana", about: "about" });
  });

  test("skipped items that were put back may come again", () => {
    const page = open(["a", "b"]).act({ type: "skip" }).act({ type: "skip" });
    page.hear(windowMessage(parts(["a", "b"])), WINDOW_ASKED);
    expect(page.on).toBeNull();
    page.act({ type: "reopen" }).hear(windowMessage(parts(["a", "b"])), WINDOW_ASKED);
    expect(page.state.queue).toEqual(["a", "b"]);
    page.label("ham");
    expect(page.state.items.get("a")?.label).toBe("ham");
    page.hear(windowMessage(parts(["a", "b"])), WINDOW_ASKED);
    expect(page.state.queue).toEqual(["b"]);
    // One that is answered while looking back does not wait in the queue any more.
    page.act({ type: "back" });
    expect(page.on).toBe("b");
    page.label("spam");
    expect(page.state.queue).toEqual([]);
    expect(page.act({ type: "undo" }).on).toBe("b");
  });

  test("one that came back by undo is pinned no more once it is answered elsewhere", () => {
    const page = open(["a", "b", "c"]).act({ type: "skip" }).act({ type: "reopen" });
    page.hear(windowMessage(parts(["b", "c", "a"])), WINDOW_ASKED);
    page.label("x").act({ type: "undo" });
    expect(page.state).toMatchObject({ returned: 1, queue: ["b", "c", "a"] });
    page.act({ type: "back" }).label("y");
    expect(page.state).toMatchObject({ returned: 1, queue: ["b", "c"] });
  });

  test("panels open and close", () => {
    const page = open().act({ type: "panel", panel: "sheet" });
    expect(page.state.panel).toBe("sheet");
    expect(page.act({ type: "panel", panel: "sheet" }).state.panel).toBe("none");
    page.act({ type: "panel", panel: "note" }).act({ type: "note", text: "" });
    expect(page.state.panel).toBe("none");
    expect(page.said).toEqual([]);
    page.act({ type: "panel", panel: "note" }).act({ type: "note", text: "x" });
    expect(page.state).toMatchObject({ panel: "none", said: "Note kept." });
    expect(page.act({ type: "panel", panel: "sheet" }).act({ type: "dismiss" }).state.panel).toBe(
      "none",
    );
    expect(page.act({ type: "panel", panel: "sheet" }).label("x").state.panel).toBe("none");
  });

  test("flags say so", () => {
    const page = open().act({ type: "flag" });
    expect(page.state.said).toBe("Flagged.");
    expect(page.act({ type: "flag" }).state.said).toBe("Flag removed.");
  });

  test("a kernel that is gone trains no longer", () => {
    const page = open().hear(
      windowMessage([], { window: false, status: status({ training: "training", progress: 0.4 }) }),
    );
    expect(page.state.status?.progress).toBe(0.4);
    page.act({ type: "link", link: "busy" });
    expect(page.state.status?.training).toBe("training");
    const replaced = open()
      .hear(windowMessage([], { window: false, status: status({ training: "training" }) }))
      .hear({ v: 1, type: "refuse", client: "page", re: "", code: "replaced", text: "elsewhere" });
    for (const { state } of [page.act({ type: "link", link: "gone" }), replaced]) {
      expect([state.status?.training, state.status?.progress]).toEqual(["idle", null]);
    }
  });
  test("the link follows what is heard", () => {
    const page = open().act({ type: "link", link: "busy" });
    expect(page.state.link).toBe("busy");
    expect(page.hear(windowMessage([], { window: false })).state.link).toBe("live");
    expect(page.act({ type: "unsaved", count: 4 }).state.unsaved).toBe(4);
  });
});

describe("what others said of this log", () => {
  const catchUp = (page: Page, trail: TrailPart[], change: object = {}) => {
    const message = welcomeMessage({ trail, status: status({ outside: 7 }), ...change });
    return page.act({ type: "message", message, buffers: [], asked: null, whole: true });
  };

  test("is known after a welcome that is whole, and only then", () => {
    const page = open().label("ham");
    const before = page.state.trail;
    page.hear(welcomeMessage({ trail: [], status: status({ outside: 7 }) }));
    expect([page.state.trail, page.state.outside]).toEqual([before, 0]);
    catchUp(page, []);
    expect([page.state.trail, page.state.outside]).toEqual([[], 7]);
    expect(visited(page.state)).toEqual([]);
  });

  test("an item that a cell took back is asked again", () => {
    const page = open(names(100)).label("ham").label("spam");
    catchUp(page, [entry("e4", "i1", { value: "spam" })]);
    expect(wanted(page.state)).toMatchObject({ n: WINDOW });
    const order = ["i2", "i3", "i0", "i4"];
    page.hear(windowMessage(parts(order), { status: status({ outside: 7 }) }), WINDOW_ASKED);
    expect(page.state.queue).toEqual(order);
    expect(page.on).toBe("i2"); // nothing moves under the eye
  });

  test("an item that a cell labeled is not asked, and is fetched when it is looked at", () => {
    const page = open(names(100)).label("ham");
    const [mine] = page.state.trail;
    catchUp(page, [mine!, entry("c1", "i5"), entry("c2", "i0", { value: "spam" })]);
    expect(page.state.items.has("i5") || page.state.items.has("i0")).toBe(false);
    const order = names(99, 1).filter((id) => id !== "i5");
    page.hear(windowMessage(parts(order), { status: status({ outside: 7 }) }), WINDOW_ASKED);
    expect(page.state.queue).not.toContain("i5");
    page.act({ type: "back" });
    expect([page.on, wanted(page.state)?.ids]).toEqual(["i5", ["i5"]]);
  });

  test("an item under the eye stays there, with what is true of it", () => {
    const page = open().label("ham").label("spam").act({ type: "back" });
    expect(page.on).toBe("i1");
    catchUp(page, [page.state.trail[0]!]);
    expect([page.on, current(page.state)?.label, page.state.cursor]).toEqual(["i1", null, null]);
    page.label("ham");
    expect(page.on).toBe("i2");
    const flagged = entry("c3", "i2", { kind: "flag", value: true });
    const noted = entry("c4", "i2", { kind: "note", value: "odd" });
    catchUp(page, [...page.state.trail, entry("c2", "i2", { value: "spam" }), flagged, noted]);
    expect(current(page.state)).toMatchObject({ id: "i2", label: "spam", flagged: true });
    expect(current(page.state)?.note).toBe("odd");
    catchUp(page, [], { more: 40 }); // older words may stand
    expect(current(page.state)).toMatchObject({ label: "spam", flagged: true, note: "odd" });
    catchUp(page, []);
    catchUp(page, [flagged]);
    catchUp(page, []);
    expect(current(page.state)).toMatchObject({ id: "i2", flagged: false });
  });

  test("the same as before changes nothing else", () => {
    const page = open().label("ham");
    const { items, queue, rank } = page.state;
    catchUp(page, [...page.state.trail]);
    expect([page.state.items, page.state.queue, page.state.rank]).toEqual([items, queue, rank]);
  });
});

describe("what is asked again", () => {
  const SPOKEN: TrailPart = { id: "old", kind: "label", item: "a", value: "ham", before: null };
  const review = { ...SHOWN, strategy: "review" };
  const again = part("a", { shown: review, reason: "to be judged again" });
  const window = (...items: ItemPart[]) => windowMessage(items, { status: status() });
  const open = (trail: TrailPart[] = [SPOKEN]) =>
    new Page().hear(welcomeMessage({ trail })).hear(window(again, part("b"), part("c")));

  test("comes without the label, and going back does not tell it", () => {
    const page = open();
    expect([page.on, current(page.state)?.label]).toEqual(["a", null]);
    expect(page.state.said).not.toContain("ham");
    expect(visited(page.state)).toEqual([]);
    page.act({ type: "back" });
    expect([page.on, page.state.cursor]).toEqual(["a", null]);
  });

  test("the newest label stands, undo asks it as it was", () => {
    const page = open().label("spam");
    expect(page.last).toMatchObject({
      kind: "label",
      value: "spam",
      shown: { strategy: "review" },
    });
    expect(page.state.trail.at(-1)).toMatchObject({ item: "a", before: "ham" });
    page.act({ type: "back" });
    expect([page.on, current(page.state)?.label]).toEqual(["a", "spam"]);
    page.act({ type: "forward" }).act({ type: "undo" });
    expect(page.last).toMatchObject({ kind: "retract", item: "a" });
    expect(page.state.trail).toEqual([SPOKEN]);
    expect([page.on, page.state.cursor, current(page.state)?.label]).toEqual(["a", null, null]);
    expect(current(page.state)?.shown.strategy).toBe("review");
    // The undo before that one is of the first answer.
    page.act({ type: "undo" });
    expect(page.last).toMatchObject({ kind: "retract", item: "a", value: "old" });
    expect([page.on, page.state.queue]).toEqual(["a", ["a", "b", "c"]]);
  });

  test("one that is changed when going back is no judgement of its own", () => {
    const page = open().label("spam").act({ type: "back" }).label("ham");
    expect(page.last).toMatchObject({ value: "ham", shown: { strategy: "browse" } });
    page.act({ type: "undo" });
    expect([page.on, page.state.cursor, current(page.state)?.label]).toEqual(["a", "a", "spam"]);
  });

  test("an answer that the kernel may not have heard of is not asked for once more", () => {
    const page = open().label("spam");
    const asked = { n: 9, ids: [], before: null };
    page.hear(window(part("b"), again, part("c")), { ...asked, unheard: new Set(["a"]) });
    expect(page.state.queue).toEqual(["b", "c"]);
    page.act({ type: "back" });
    expect(current(page.state)?.label).toBe("spam");
    page.act({ type: "forward" });
    page.hear(window(part("b"), again, part("c")), { ...asked, unheard: new Set() });
    expect(page.state.queue).toEqual(["b", "c", "a"]);
    expect(page.state.items.get("a")?.label).toBeNull();
  });

  test("what is no longer asked is fetched with its label when it is looked at", () => {
    const page = new Page().hear(welcomeMessage({ trail: [SPOKEN] }));
    page.hear(window(part("b"), part("c"), again)).hear(window(part("b"), part("c")));
    expect([page.state.queue, page.state.items.has("a")]).toEqual([["b", "c"], false]);
    page.act({ type: "back" });
    expect(wanted(page.state)?.ids).toEqual(["a"]);
  });

  test("undo of the first answer while the second is waiting", () => {
    const change: TrailPart = { id: "new", kind: "label", item: "a", value: "spam", before: "ham" };
    const page = new Page().hear(welcomeMessage({ trail: [SPOKEN, change] }));
    page.hear(window(part("b"), part("c"), again)).act({ type: "undo" });
    expect([page.on, page.state.cursor, current(page.state)?.label]).toEqual(["a", "a", "ham"]);
    expect(page.state.queue).toEqual(["b", "c"]);
  });
});
