// Whatever the network, the kernel and the page do: nothing is lost, nothing is doubled.

import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Channel } from "../src/channel";
import { Controller } from "../src/controller";
import type { FromPage } from "../src/protocol";
import { current, visited, type Draft } from "../src/state";
import { FakeStorage, FakeWorld, ModelKernel, SHOWN, answers, config, standing } from "./helpers";

type Op =
  | { readonly do: "label"; readonly value: string }
  | { readonly do: "skip" | "undo" | "flag" | "note" | "back" | "forward" | "reopen" | "wake" }
  | { readonly do: "toKernel" | "toPage"; readonly at: number; readonly how: How }
  | { readonly do: "cell"; readonly what: Cell; readonly at: number }
  | { readonly do: "garbage"; readonly at: number; readonly spoil: Spoil }
  | { readonly do: "many"; readonly what: Many; readonly at: number }
  | { readonly do: "flow" | "reload" | "end" | "restart" | "cut" | "disk" | "rank" }
  | { readonly do: "wait"; readonly ms: number };
/** What is pressed on a page of many, and which items it is made of. */
type Many = "open" | "mark" | "all" | "confirm" | "pass" | "room" | "close" | "page";
type Cell = "label" | "undo" | "retract" | "ask";
type How = "deliver" | "lose" | "repeat";
/** A message with fields replaced, or without one; or anything at all. */
type Spoil = { readonly change: object } | { readonly drop: number } | { readonly json: unknown };

const spoil: fc.Arbitrary<Spoil> = fc.oneof(
  fc.record({
    change: fc.constantFrom<object>(
      { v: 2 },
      { v: null },
      { type: "notice" },
      { type: "__proto__" },
      { type: 7 },
      { client: "a page of before" },
      { client: null },
      { type: "x".repeat(1_000_000) },
      { type: "items", order: "i1" },
    ),
  }),
  fc.record({ drop: fc.nat(20) }),
  fc.record({ json: fc.jsonValue() }),
);

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("label" as const), value: fc.constantFrom("a", "b") }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("skip", "undo", "undo", "flag", "note", "back", "forward", "reopen"),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("toKernel" as const, "toPage" as const),
      at: fc.nat(5),
      how: fc.constantFrom<How>("deliver", "deliver", "deliver", "lose", "repeat"),
    }),
  },
  { weight: 6, arbitrary: fc.constant<Op>({ do: "flow" }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("cell" as const),
      what: fc.constantFrom<Cell>("label", "undo", "retract", "ask", "ask"),
      at: fc.nat(30),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("many" as const),
      what: fc.constantFrom<Many>(
        ...([
          "open",
          "open",
          "mark",
          "all",
          "confirm",
          "confirm",
          "pass",
          "room",
          "close",
          "page",
        ] as const),
      ),
      at: fc.nat(30),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.integer({ max: 40_000, min: 0 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("garbage" as const), at: fc.nat(5), spoil }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("reload", "end", "restart", "cut", "disk", "rank", "wake" as const),
    }),
  },
) as fc.Arbitrary<Op>;

/** A notebook with some pages on one kernel, a bad line, and one browser storage. */
class Notebook {
  readonly kernel = new ModelKernel(Array.from({ length: 25 }, (_, k) => `i${k}`));
  readonly storage = new FakeStorage();
  readonly accepted: Draft[] = [];
  readonly pages: { world: FakeWorld; page: Controller }[] = [];
  /** What was to be asked again when a kernel ended: the next one does not know, a page may. */
  readonly forgotten = new Set<string>();
  toKernel: string[] = [];
  toPage: string[] = [];
  private turn = 0;

  constructor(
    pages: number,
    private readonly paint: number,
  ) {
    this.storage.told = (key) => this.pages.forEach(({ world }) => world.stored(key));
    for (let k = 0; k < pages; k++) this.load(k);
  }

  load(place: number): void {
    this.pages[place]?.world.leave();
    const time = (this.pages[place]?.world.time ?? 1_000_000) + 1;
    const world = new FakeWorld(this.storage, time);
    world.paint = this.paint;
    const send = (message: unknown) => void this.toKernel.push(JSON.stringify(message));
    const page = new Controller(config(), { send }, world);
    this.pages[place] = { world, page };
    page.open();
  }

  run(op: Op): void {
    this.turn += 1;
    const place = this.turn % this.pages.length;
    const page = this.pages[place]!.page;
    switch (op.do) {
      case "label":
        return page.act({ type: "label", value: op.value });
      case "note":
        return page.act({ type: "note", text: `note ${this.accepted.length}` });
      case "skip":
      case "undo":
      case "flag":
      case "back":
      case "forward":
        return page.act({ type: op.do });
      case "reopen":
        return page.reopen();
      case "wake":
        return page.wake();
      case "reload":
        return this.load(place);
      case "end":
        if (this.pages.length > 1) this.pages.splice(place, 1)[0]?.world.leave();
        return;
      case "cut":
        return page.lost();
      case "restart":
        for (const id of this.kernel.wanted) this.forgotten.add(id);
        return this.kernel.restart();
      case "disk":
        this.kernel.broken = !this.kernel.broken;
        return;
      case "rank":
        this.kernel.rank += 1;
        return;
      case "cell":
        return this.cell(op.what, op.at);
      case "many":
        return this.many(page, op.what, op.at);
      case "garbage":
        return this.garbage(op.at, op.spoil);
      case "wait":
        return this.wait(op.ms);
      case "flow":
        return this.flow();
      default:
        return this.move(op.do === "toKernel" ? this.toKernel : this.toPage, op.at, op.how);
    }
  }

  private many(page: Controller, what: Many, at: number): void {
    const { grid } = page.state.value;
    const value = ["a", "b", null][at % 3] ?? null;
    const item = this.kernel.pool[at % this.kernel.pool.length]!;
    switch (what) {
      case "open": {
        const rule = (["class", "class", "similar", "search", "ids"] as const)[at % 5]!;
        const of = rule === "class" ? ["a", "b"][at % 2]! : rule === "similar" ? item : "i1";
        const strategy = ({ class: "grid", ids: "map" } as const)[rule as "class"] ?? "search";
        const ids = rule === "ids" ? this.kernel.pool.slice(at % 20) : [];
        return page.act({ type: "open", rule: { rule, of, strategy, ids, least: at % 2 > 0 } });
      }
      case "mark": {
        const tile = grid?.page[at % (grid.page.length || 1)];
        return page.act({ type: "mark", items: tile ? [tile.id] : [], value });
      }
      case "all":
        return page.act({ type: "all", value });
      case "room":
        return page.act({ type: "room", size: 1 + (at % 6) });
      case "page": {
        const items = this.kernel.pool.slice(at % 20, (at % 20) + 3);
        const { shown } = { shown: { ...SHOWN, strategy: "map" } };
        const say = { kind: "label" as const, value: "b", shown, before: null };
        return page.act({
          type: "page",
          said: items.map((i) => ({ ...say, item: i })),
          seconds: 3,
        });
      }
      default:
        return page.act({ type: what });
    }
  }

  /** What no page can read changes nothing on any, and nothing is sent because of it. */
  private garbage(at: number, spoil: Spoil): void {
    const line = this.toPage;
    const message = JSON.parse(line[at % line.length] ?? "{}") as Record<string, unknown>;
    if ("drop" in spoil) delete message[Object.keys(message)[spoil.drop] ?? "type"];
    const raw =
      "json" in spoil ? spoil.json : { ...message, ...("change" in spoil && spoil.change) };
    const sent = this.toKernel.length;
    for (const { page } of this.pages) {
      const before = page.state.value;
      page.receive(raw, []);
      expect(page.state.value).toBe(before);
    }
    expect(this.toKernel.length).toBe(sent);
  }

  /** A cell labels something, takes back what was said last or some time ago, or asks again. */
  private cell(what: Cell, at: number): void {
    const { pool, log } = this.kernel;
    const stands = standing(log);
    if (what === "ask") {
      this.kernel.ask(stands[at % stands.length]?.item ?? pool[at % pool.length]!);
      for (const { page } of this.pages) page.news();
      return;
    }
    const target = what === "undo" ? stands.at(-1) : stands[at % stands.length];
    if (what !== "label" && !target) return;
    const draft: Draft = {
      id: `cell${this.turn}`,
      kind: what === "label" ? "label" : "retract",
      item: what === "label" ? pool[at % pool.length]! : target!.item,
      value: what === "label" ? "b" : target!.id,
      at: "2026-03-04T05:06:07.000Z",
      seconds: null,
      shown: SHOWN,
    };
    this.accepted.push(draft);
    this.kernel.cell({ ...draft, seq: 0 });
    // The trait tells every page that is there; one that is not asks when it comes.
    for (const { page } of this.pages) page.news();
  }

  private wait(ms: number): void {
    for (const { world } of this.pages) world.advance(ms);
  }

  /** One message of the line, not always the first, arrives, arrives and stays, or is lost. */
  private move(line: string[], at: number, how: How): void {
    const place = line.length ? at % line.length : -1;
    const message = line[place];
    if (message === undefined) return;
    if (how !== "repeat") line.splice(place, 1);
    if (how !== "lose") this.arrive(line, message);
  }

  private arrive(line: string[], message: string): void {
    if (line === this.toPage) {
      for (const { page } of this.pages) page.receive(JSON.parse(message), []);
    } else {
      const replies = this.kernel.handle(JSON.parse(message) as FromPage);
      this.toPage.push(...replies.map((reply) => JSON.stringify(reply)));
    }
  }

  flow(): void {
    for (let k = 0; k < 800 && (this.toKernel.length || this.toPage.length); k++) {
      this.move(this.toKernel, 0, "deliver");
      this.move(this.toPage, 0, "deliver");
    }
    expect(this.toKernel.length + this.toPage.length, "page and kernel chatter").toBe(0);
  }

  heal(): void {
    this.kernel.broken = false;
    for (const { page } of this.pages) if (page.state.value.link === "gone") page.lost();
    for (let second = 0; second < 80; second++) {
      this.flow();
      this.wait(1000);
    }
    this.flow();
  }

  /** Live through it, and out of it; whatever happened, this holds. */
  live(ops: readonly Op[]): void {
    const { accepted } = this;
    const say = vi.spyOn(Channel.prototype, "say").mockImplementation(function (
      this: Channel,
      drafts,
    ) {
      accepted.push(...drafts);
      original.call(this, drafts);
    });
    // Beyond the trail of a welcome (200 events) a page does not hear what a cell took back.
    if (ops.some((op) => op.do === "cell")) this.kernel.mostTrail = 200;
    try {
      this.flow();
      for (const op of ops) this.run(op);
      this.heal();
    } finally {
      say.mockRestore();
    }
    const { log, rejected } = this.kernel;
    expect(rejected).toEqual([]);
    // Nothing lost, nothing doubled, nothing changed on the way.
    expect(log.map((e) => e.id).sort()).toEqual(accepted.map((e) => e.id).sort());
    const bare = (e: Draft) => ({ ...e, seq: 0 });
    const byId = new Map(accepted.map((e) => [e.id, e]));
    for (const event of log) expect(bare(event)).toEqual(bare(byId.get(event.id)!));
    // The outbox is empty, in the pages and in the storage.
    expect([...this.storage.kept.keys()]).toEqual([]);
    for (const { page } of this.pages) {
      expect(page.state.value.phase).toBe("ready");
      expect(page.state.value.unsaved).toBe(0);
    }
  }
}

const paint = fc.constantFrom(0, 16);
const ops = fc.array(op, { minLength: 5, maxLength: 90, size: "max" });

test("what a page says reaches the log once, in the order it was said", () => {
  fc.assert(
    fc.property(ops, paint, (ops, paint) => {
      const notebook = new Notebook(1, paint);
      notebook.live(ops);
      const { accepted, kernel, pages } = notebook;
      const order = (said: readonly Draft[]) =>
        standing(said).flatMap((e) => (e.id.startsWith("cell") ? [] : [e.id]));
      expect(order(kernel.log)).toEqual(order(accepted));
      // The page shows what is true.
      const state = pages[0]!.page.state.value;
      const now = answers(kernel.log);
      const touched = new Set(accepted.flatMap((e) => (e.id.startsWith("cell") ? [e.item] : [])));
      for (const id of visited(state)) {
        const item = state.items.get(id);
        const stands = now.get(id);
        expect(stands).toBeDefined();
        const truth = stands?.kind === "label" ? stands.value : null;
        // What is asked again tells nothing of what was said before, also to who goes back to it.
        const wanted = kernel.wanted.has(id) || notebook.forgotten.has(id);
        const again = item?.shown.strategy === "review" || wanted;
        if (item && again) expect([null, truth]).toContain(item.label);
        else if (item) expect(item.label).toBe(truth);
      }
      // So does a page of many.
      for (const tile of state.grid?.page ?? []) {
        if (kernel.wanted.has(tile.id) || touched.has(tile.id)) continue;
        const stands = now.get(tile.id);
        expect(tile.label).toBe(stands?.kind === "label" ? stands.value : null);
      }
      if (state.cursor !== null) return;
      const shown = current(state);
      const left = kernel.pool.filter((item) => !now.has(item));
      if (left.length) expect(shown).not.toBeNull();
      // What is to be asked again comes to the page with the next ranking at the latest.
      kernel.rank += 1;
      notebook.heal();
      pages[0]!.page.wake();
      notebook.heal();
      const { queue, items } = pages[0]!.page.state.value;
      expect([...kernel.wanted].filter((item) => !queue.includes(item))).toEqual([]);
      // Nothing that is asked again tells what was said before.
      for (const id of queue) {
        const item = items.get(id);
        if (item?.shown.strategy === "review") expect(item.label).toBeNull();
      }
      if (!shown || shown.shown.strategy === "review") return;
      // What a cell answers while it is under the eye stays there.
      const given = now.get(shown.id);
      if (given?.kind === "label") expect(touched.has(shown.id)).toBe(true);
      if (given?.kind !== "label" || shown.label !== given.value) expect(shown.label).toBeNull();
    }),
    { numRuns: 700 },
  );
}, 60_000);

test("two pages on one log lose nothing and double nothing", () => {
  fc.assert(
    fc.property(ops, paint, (ops, paint) => new Notebook(2, paint).live(ops)),
    { numRuns: 400 },
  );
}, 60_000);

const original = Channel.prototype.say;
