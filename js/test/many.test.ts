// Many items on one page: what is asked for, pressed, said and taken back.

import { describe, expect, test } from "vitest";
import { changed, lacking, step, type ManyAction } from "../src/many";
import type { CertifyPart, Found, FromKernel, ItemPart, Json } from "../src/protocol";
import {
  MOST_AT_ONCE,
  currentId,
  initial,
  wanted,
  type Action,
  type Draft,
  type Rule,
  type State,
} from "../src/state";
import { SHOWN, part, status, suggestion, welcomeMessage, windowMessage } from "./helpers";

const CLASS: Rule = { rule: "class", of: "ham", strategy: "grid", ids: [], least: false };
const LIKE: Rule = { rule: "similar", of: "q", strategy: "similar", ids: [], least: false };

type Loose<A> = A extends { readonly now: number } ? Omit<A, "id" | "at" | "now"> : A;

/** A page of the browser, whose clock stands still until it is moved. */
class Page {
  state: State = initial(true);
  events: Draft[] = [];
  now = 1000;
  private stamps = 0;

  constructor(queue: readonly string[] = []) {
    this.hear(welcomeMessage());
    const items = queue.map((id) => part(id));
    const asked = { n: 150, ids: [], before: null };
    this.act({ type: "message", message: windowMessage(items), buffers: [], asked });
  }
  act(action: Loose<Action | ManyAction>): this {
    this.stamps += 1;
    const stamp = { id: `p${this.stamps}`, at: "2026-03-04T05:06:07Z", now: this.now };
    const made = step(this.state, { ...action, ...stamp } as Action);
    this.state = made.state;
    this.events = [...made.events];
    return this;
  }
  hear(message: FromKernel): this {
    return this.act({ type: "message", message, buffers: [], asked: null });
  }
  open(rule: Rule = CLASS, size = 3): this {
    return this.act({ type: "open", rule }).act({ type: "room", size });
  }
  /** The kernel brings items that it believes to be ham. */
  bring(ids: readonly string[], change: Partial<Found> = {}): this {
    const shown = { ...SHOWN, strategy: "grid", visible: true, suggestion: "ham" };
    const items = ids.map((id) => part(id, { suggestion: suggestion("ham"), shown }));
    return this.found({ items, left: 90, ...change });
  }
  found(change: Partial<Found> & { items: readonly ItemPart[] }): this {
    const turn = this.state.grid?.turn ?? "";
    const of = this.state.grid?.rule.of ?? "";
    const head = { v: 1, type: "found", client: "page", re: "" } as const;
    const rest = { of, left: 0, counts: {}, pending: false, error: null };
    const message = { ...head, ...rest, ...change } as Found;
    return this.act({ type: "found", turn, message, buffers: [] });
  }
  mark(value: Json, ...items: string[]): this {
    return this.act({ type: "mark", items, value });
  }
  get page(): string[] {
    return (this.state.grid?.page ?? []).map(({ id }) => id);
  }
  get ahead(): string[] {
    return (this.state.grid?.ahead ?? []).map(({ id }) => id);
  }
  /** Item, kind and value of what was said by the last action. */
  get said(): unknown[] {
    return this.events.map((e) => (e.kind === "label" ? [e.item, e.value] : [e.item, e.kind]));
  }
}

const nine = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

describe("what is on a page", () => {
  test("as much as it has room for, and the next two pages behind it", () => {
    const page = new Page().open();
    expect(lacking(page.state)?.part).toEqual({ ...CLASS, n: 9, but: [] });
    page.bring(nine);
    expect([page.page, page.ahead]).toEqual([["a", "b", "c"], nine.slice(3)]);
    expect(lacking(page.state)).toBeNull();
    page.act({ type: "confirm" });
    expect(page.page).toEqual(["d", "e", "f"]);
    expect(lacking(page.state)?.part).toMatchObject({
      n: 3,
      but: [...nine.slice(3), "a", "b", "c"],
    });
  });

  test("nothing comes on it or leaves it but by a key", () => {
    const page = new Page().open().bring(["a", "b"]).bring(["c", "d"]);
    expect([page.page, page.ahead]).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    page.act({ type: "room", size: 4 });
    expect(page.page).toEqual(["a", "b", "c", "d"]);
    page.act({ type: "room", size: 1 }).act({ type: "confirm" });
    expect(page.said).toEqual([["a", "ham"]]);
  });

  test("an answer to another opening goes nowhere", () => {
    const page = new Page().open();
    const { turn } = page.state.grid!;
    page.open(LIKE).bring(["x"]);
    const message = {
      items: [part("a")],
      of: "ham",
      left: 0,
      counts: {},
      pending: false,
      error: null,
    };
    page.act({ type: "found", turn, message: message as unknown as Found, buffers: [] });
    expect(page.page).toEqual(["x"]);
  });

  test("what was answered here is not shown, whatever the kernel knew", () => {
    const page = new Page(["a", "b"]).act({ type: "label", value: "spam" });
    page.open().bring(["a", "b"]);
    expect(page.page).toEqual(["b"]);
    page.open().bring(["a"]);
    expect(page.page).toEqual([]);
    expect(lacking(page.state)).toMatchObject({ again: true });
    page.open({ ...LIKE, rule: "search" }).bring(["a", "b"]);
    expect(page.state.grid!.page.map(({ label }) => label)).toEqual(["spam", null]);
  });

  test("what is to be judged again is not shown, and not asked for again", () => {
    const page = new Page();
    const again = part("r", { shown: { ...SHOWN, strategy: "review" } });
    const asked = { n: 150, ids: [], before: null };
    page.act({ type: "message", message: windowMessage([again]), buffers: [], asked });
    page.open({ ...LIKE, rule: "search" }).bring(["r", "s"], { left: 3 });
    expect(page.page).toEqual(["s"]);
    expect(lacking(page.state)?.part.but).toContain("r");
  });

  test("a class that nobody named is the one that the kernel chose", () => {
    const page = new Page()
      .open({ ...CLASS, of: "" })
      .bring(nine, { of: "spam", counts: { spam: 99 } });
    expect(page.state.grid).toMatchObject({ all: "spam", counts: { spam: 99 } });
    page.act({ type: "confirm" });
    expect(page.state.grid!.all).toBe("spam");
  });

  test("an error ends the asking, and says why", () => {
    const page = new Page().open().bring([], { error: "There is no model yet." });
    expect(lacking(page.state)).toBeNull();
    expect(page.state.grid!.error).toBe("There is no model yet.");
    expect(page.state.said).toBe("There is no model yet.");
  });

  test("of very many by name only as many as a message may have are asked for", () => {
    const ids = Array.from({ length: 9000 }, (_, k) => `i${k}`);
    const page = new Page().open({ ...LIKE, rule: "ids", ids });
    expect(lacking(page.state)?.part.ids).toHaveLength(5000);
  });

  test("at its end the kernel is asked once more: the model may have learned", () => {
    const page = new Page().open().bring(["a"], { left: 0 });
    expect(lacking(page.state)).toBeNull();
    page.act({ type: "confirm" });
    expect(lacking(page.state)?.part.but).toEqual(["a"]);
    page.bring([], { left: 0 });
    expect(lacking(page.state)).toBeNull();
  });
});

describe("what is said of a page", () => {
  test("each item has its own event, and its share of the time", () => {
    const page = new Page(["q", "b"]).open().bring(nine);
    page.now += 4000;
    page.mark("spam", "b");
    page.now += 5000;
    page.act({ type: "confirm" });
    expect(page.said).toEqual([
      ["a", "ham"],
      ["b", "spam"],
      ["c", "ham"],
    ]);
    expect(new Set(page.events.map((e) => e.id)).size).toBe(3);
    expect(page.events.map((e) => e.seconds)).toEqual([3, 3, 3]);
    expect(page.events.map((e) => e.shown.position)).toEqual([0, 1, 2]);
    for (const { shown } of page.events) {
      expect(shown).toMatchObject({
        strategy: "grid",
        visible: true,
        suggestion: "ham",
        audit: false,
      });
    }
    // It is no longer asked one by one.
    expect(page.state.queue).toEqual(["q"]);
    expect(page.state.trail.map((e) => e.item)).toEqual(["a", "b", "c"]);
  });

  test("idle time is cut", () => {
    const page = new Page().open().bring(["a", "b"]);
    page.now += 3_600_000;
    page.mark("spam", "b");
    page.now += 10_000;
    page.act({ type: "confirm" });
    expect(page.events.map((e) => e.seconds)).toEqual([65, 65]);
  });

  test("an item that is put away is skipped", () => {
    const page = new Page().open().bring(["a", "b"]).mark(null, "a").act({ type: "confirm" });
    expect(page.said).toEqual([
      ["a", "skip"],
      ["b", "ham"],
    ]);
  });

  test("a mark that is pressed again, or says what all are, is none", () => {
    const page = new Page().open().bring(nine).mark("spam", "a").mark("spam", "a");
    expect(changed(page.state.grid!)).toBe(0);
    expect(changed(page.mark("ham", "a").state.grid!)).toBe(0);
    expect(changed(page.mark("spam", "a", "b").mark("ham", "b").state.grid!)).toBe(1);
  });

  test("what is only alike is labeled as somebody says", () => {
    const page = new Page().open(LIKE).bring(["a", "b"]).act({ type: "confirm" });
    expect(page.said).toEqual([]);
    expect(page.page).toEqual(["a", "b"]);
    page.mark("spam", "b").act({ type: "confirm" });
    expect(page.said).toEqual([["b", "spam"]]);
    page.open(LIKE).bring(["c", "d"]).act({ type: "all", value: "spam" }).mark("ham", "d");
    page.act({ type: "confirm" });
    expect(page.said).toEqual([
      ["c", "spam"],
      ["d", "ham"],
    ]);
    expect(page.state.grid!.all).toBeNull();
  });

  test("a label that is there stays, unless it is marked", () => {
    const page = new Page().open({ ...LIKE, rule: "search" });
    page.found({ items: [part("a", { label: "ham" }), part("b")] });
    page.act({ type: "all", value: "spam" }).act({ type: "confirm" });
    expect(page.said).toEqual([["b", "spam"]]);
  });

  test("a page that is passed says nothing, and does not come again", () => {
    const page = new Page().open().bring(nine).act({ type: "pass" });
    expect([page.said, page.page]).toEqual([[], ["d", "e", "f"]]);
    expect(lacking(page.state)?.part.but).toContain("a");
  });

  test("a page that is left with marks is there again as it was, but for what was answered", () => {
    const page = new Page(["a", "q"]).open().bring(nine).mark("spam", "b").act({ type: "close" });
    expect(page.state.said).toMatch("1 mark is kept");
    page.act({ type: "label", value: "spam" });
    page.open(LIKE).bring(["x"]).open();
    expect(page.page.slice(0, 2)).toEqual(["b", "c"]);
    page.act({ type: "confirm" });
    expect(page.said).toEqual([
      ["b", "spam"],
      ["c", "ham"],
      ["d", "ham"],
    ]);
    // Without marks it begins anew.
    page.act({ type: "close" }).open();
    expect(page.page).toEqual([]);
  });

  test("what was drawn at random and is said here is no draw", () => {
    const drawn = part("b", { shown: { ...SHOWN, strategy: "audit", audit: true, draw: 4 } });
    const page = new Page();
    const asked = { n: 150, ids: [], before: null };
    page.act({ type: "message", message: windowMessage([part("q"), drawn]), buffers: [], asked });
    page.open().bring(["b"]).act({ type: "confirm" });
    expect(page.events[0]!.shown).toMatchObject({ audit: false, draw: null });
    // Nor is it, if an answer from before comes now and it is changed afterwards.
    page.act({ type: "message", message: windowMessage([part("q"), drawn]), buffers: [], asked });
    page.act({ type: "close" }).act({ type: "back" }).act({ type: "label", value: "spam" });
    expect(page.said).toEqual([["b", "spam"]]);
    expect(page.events[0]!.shown).toMatchObject({ strategy: "browse", audit: false });
  });

  test("the item that was on the screen alone is not asked once more", () => {
    const page = new Page(["a", "q"]).open().bring(["a", "b"]).act({ type: "confirm" });
    expect(currentId(page.act({ type: "close" }).state)).toBe("q");
  });
});

describe("what is taken back", () => {
  const known = () => new Page(["q"]).open().bring(nine).mark("spam", "b").act({ type: "confirm" });

  test("the newest mark first, then the whole page, which comes back as it was", () => {
    const page = known().mark("spam", "d").act({ type: "undo" });
    expect([page.said, changed(page.state.grid!)]).toEqual([[], 0]);
    page.act({ type: "undo" });
    expect(page.events.map((e) => [e.kind, e.item])).toEqual([
      ["retract", "c"],
      ["retract", "b"],
      ["retract", "a"],
    ]);
    expect(page.state.trail).toEqual([]);
    expect([page.page, page.ahead]).toEqual([["a", "b", "c"], nine.slice(3)]);
    expect([...page.state.grid!.marks]).toEqual([["b", "spam"]]);
    page.act({ type: "confirm" });
    expect(page.said).toEqual([
      ["a", "ham"],
      ["b", "spam"],
      ["c", "ham"],
    ]);
  });

  test("also from the single item, and from another rule", () => {
    const page = known().act({ type: "close" }).act({ type: "undo" });
    expect(page.page).toEqual(["a", "b", "c"]);
    const other = known().open(LIKE).bring(["x", "y"]).act({ type: "undo" });
    expect([other.page, other.ahead]).toEqual([["a", "b", "c"], []]);
    expect(other.state.grid!.rule).toEqual(CLASS);
  });

  test("also by a page that was loaded since: it asks for the items", () => {
    const page = new Page(["q"]);
    const trail = known().state.trail;
    page.state = { ...page.state, trail };
    page.act({ type: "undo" });
    expect(page.said).toHaveLength(3);
    expect(lacking(page.state)?.part).toMatchObject({ rule: "ids", ids: ["a", "b", "c"] });
    page.bring(["a", "b", "c"], { left: 0 });
    page.act({ type: "confirm" });
    expect(page.said).toEqual([
      ["a", "ham"],
      ["b", "spam"],
      ["c", "ham"],
    ]);
  });

  test("also where there is room for fewer now", () => {
    const page = new Page(["q"]);
    page.state = { ...page.state, trail: known().state.trail };
    page.act({ type: "undo" }).act({ type: "room", size: 2 }).bring(["a", "b", "c"], { left: 0 });
    expect(page.act({ type: "confirm" }).said).toEqual([
      ["a", "ham"],
      ["b", "spam"],
    ]);
    expect(page.act({ type: "confirm" }).said).toEqual([["c", "ham"]]);
  });

  test("a page of the log that lies partly further back is asked for first", () => {
    const page = known();
    page.state = { ...page.state, more: 40 };
    expect(wanted(page.state)).toMatchObject({ before: 40 });
    page.state = { ...page.state, trail: [{ ...page.state.trail[0]!, id: "x" }] };
    expect(wanted(page.state)).toMatchObject({ before: null });
  });

  test("a single answer of before closes the page: its item is on the screen", () => {
    const page = new Page(["q", "r"]).act({ type: "label", value: "ham" });
    page.open().bring(nine).act({ type: "undo" });
    expect([page.state.grid, currentId(page.state)]).toEqual([null, "q"]);
  });

  test("what the kernel will not store is undone here too", () => {
    const page = known();
    const ids = [page.state.trail[1]!.id];
    const reject = { v: 1, type: "reject", client: "page", re: "", code: "illegal" } as const;
    page.hear({ ...reject, ids, text: "'spam' is not one of the labels.", retry: false });
    expect(page.state.trail.map((e) => e.item)).toEqual(["a", "c"]);
    expect(page.state.notice).toMatch("not one of the labels");
  });
});

test("what a cell says of an item on the page shows on it, and stands", () => {
  const page = new Page().open().bring(["a", "b"]);
  const trail = [{ id: "x", kind: "label" as const, item: "a", value: "spam", before: null }];
  const message = welcomeMessage({ trail, status: { ...welcomeMessage().status, outside: 1 } });
  page.act({ type: "message", message, buffers: [], asked: null, whole: true });
  expect(page.state.grid!.page.map(({ label }) => label)).toEqual(["spam", null]);
  expect(page.act({ type: "confirm" }).said).toEqual([["b", "ham"]]);
});

describe("many items without a page, as on a map", () => {
  const say = (items: readonly string[]) => ({
    type: "page" as const,
    said: items.map((item) => ({
      ...{ kind: "label" as const, item, value: "ham", before: null },
      shown: { ...SHOWN, strategy: "map" },
    })),
    seconds: 6,
  });

  test("are labeled at once, and taken back at once", () => {
    const page = new Page(["q", "a"]).act(say(["a", "b", "c"]));
    expect(page.said).toEqual([
      ["a", "ham"],
      ["b", "ham"],
      ["c", "ham"],
    ]);
    expect(page.events.map((e) => e.seconds)).toEqual([2, 2, 2]);
    page.act({ type: "undo" });
    expect([page.said.length, page.state.grid]).toEqual([3, null]);
  });

  test("too many are refused with a reason, none of them silently", () => {
    const page = new Page().act(say(Array.from({ length: MOST_AT_ONCE + 1 }, (_, k) => `i${k}`)));
    expect(page.events).toEqual([]);
    expect(page.state.notice).toMatch("At most 1,000 items are labeled at once; 1,001 were chosen");
  });

  test("show on a page that is open", () => {
    const page = new Page()
      .open({ ...LIKE, rule: "search" })
      .bring(["a", "b"])
      .act(say(["b"]));
    expect(page.state.grid!.page.map(({ label }) => label)).toEqual([null, "ham"]);
    page.act({ type: "undo" });
    expect(page.state.grid!.page.map(({ label }) => label)).toEqual([null, null]);
  });
});

describe("a page to verify", () => {
  const certifying = (state: CertifyPart["state"] = "verifying"): CertifyPart => ({
    ...{ id: "c0", state, goal: 0.05, bound: 0.1, audited: 3, errors: 0, left: 9, machine: 90 },
    ...{ advice: "", curve: [], blind: false },
  });
  const VERIFY: Rule = { rule: "certify", of: "", strategy: "grid", ids: [], least: false };
  const drawn = (id: string, says: string, strategy = "certify") =>
    part(id, {
      suggestion: suggestion(says),
      shown: { ...SHOWN, strategy, visible: true, suggestion: says },
    });
  const open = (size = 4): Page => {
    const page = new Page(nine);
    page.hear(welcomeMessage({ status: status({ certify: certifying() }) }));
    page.act({ type: "open", rule: VERIFY }).act({ type: "room", size });
    return page.found({
      items: [
        drawn("a", "spam"),
        drawn("b", "ham"),
        drawn("t", "spam", "trap"),
        drawn("c", "ham"),
        drawn("d", "spam"),
      ],
      left: 10,
    });
  };

  test("lays what the machine says together; one key says that all of it is right", () => {
    const page = open();
    expect([page.page, page.ahead]).toEqual([["b", "c", "a", "t"], ["d"]]);
    page.mark("ham", "t").mark("ham", "b");
    page.act({ type: "confirm" });
    expect(page.said).toEqual([
      ["b", "ham"],
      ["c", "ham"],
      ["a", "spam"],
      ["t", "ham"],
    ]);
    expect(page.events.map(({ shown }) => shown.strategy)).toEqual([
      ...["certify", "certify", "certify", "trap"],
    ]);
    expect(page.page).toEqual(["d"]);
    expect(page.state.queue).toEqual(["d", "e", "f", "g", "h", "i"]);
  });

  test("the answer to a trap is no label: undo takes back the others", () => {
    const page = open();
    page.act({ type: "confirm" });
    expect(page.state.trail.map(({ item }) => item)).toEqual(["b", "c", "a"]);
    page.act({ type: "undo" });
    expect(page.said.map((one) => (one as unknown[])[0])).toEqual(["a", "c", "b"]);
    expect(page.page).toEqual(["b", "c", "a", "t"]);
  });

  test("nothing is passed over, and what has no label of the machine comes again", () => {
    const page = open();
    page.act({ type: "pass" });
    expect(page.page).toEqual(["b", "c", "a", "t"]);
    const none = new Page(nine).open(VERIFY, 2);
    const bare = part("a", { shown: { ...SHOWN, strategy: "certify" } });
    none.found({ items: [bare, drawn("b", "ham")], left: 0 });
    none.act({ type: "confirm" });
    expect(none.said).toEqual([["b", "ham"]]);
    expect(lacking(none.state)?.part.but).toEqual(["b"]);
  });

  test("what was said of a trap before is not shown", () => {
    const page = new Page(nine);
    page.act({ type: "label", value: "spam" }); // of a
    page.hear(welcomeMessage({ status: status({ certify: certifying() }) }));
    page.act({ type: "open", rule: VERIFY });
    page.found({ items: [drawn("a", "ham", "trap")] });
    expect(page.state.grid?.page[0]?.label).toBeNull();
    page.act({ type: "undo" }); // of the label: the page goes on being blind
    expect(page.state.grid?.page[0]?.label ?? null).toBeNull();
  });

  test("it ends with the certificate", () => {
    const page = open();
    const reached = status({ certify: certifying("certified") });
    page.hear({ v: 1, type: "ack", client: "page", re: "", ids: [], expected: 1, status: reached });
    expect([page.page, page.ahead, page.state.grid?.more]).toEqual([[], [], false]);
    expect(page.state.grid?.rule.rule).toBe("certify");
  });
});
