// Joins state and channel, once for each model: views come and go, this stays.

import { batch, signal } from "@preact/signals";
import { Channel, type Wire, type World } from "./channel";
import { lengthy } from "./format";
import { isChoice, type TaskSpec } from "./keymap";
import { type Intent, type ManyAction, lacking, step } from "./many";
import { Media } from "./media";
import { Modules, type ChartWish, type Labeled, type MountedLook, type Piece } from "./modules";
import type { Charted, Json, Planned } from "./protocol";
import { NOT_SHOWN, currentId, initial, isAgain, wanted, type Action, type Item } from "./state";

export interface Config {
  readonly protocol: number;
  readonly widget: string;
  readonly task: TaskSpec;
  readonly session: string;
  readonly instructions: string;
  readonly suggest: boolean;
  readonly batch: number;
  /** Parts of the front end that may be fetched, with a digest of each. */
  readonly modules: Readonly<Record<string, string>>;
}

const pointsOf = (ids: readonly string[]) => {
  return { rule: "ids", of: "", strategy: "map", ids, least: false } as const;
};

/** While the kernel trains, the page asks this often how far it is. */
const POLL_MS = 500;
/** What a page of many is drawn by. */
export const GRID = "panel-grid";
/** What is still being found is asked for again this much later, in milliseconds. */
const FIND_MS = 300;
/** What a cell changed shows this much later, in milliseconds. */
const NEWS_MS = 150;

export class Controller {
  readonly state;
  readonly media = new Media();
  readonly modules: Modules;
  /** The looks on the screen that may have keys of their own, each in its place. */
  readonly looks: { readonly el: Element; readonly look: MountedLook }[] = [];
  private readonly channel: Channel;
  private cancelPoll: () => void = () => undefined;
  private cancelNews: () => void = () => undefined;
  /** The page of many that items are being asked for. */
  private finding: { readonly turn: string; readonly cancel: () => void } | null = null;
  private fetched = false;
  private asksSoon = false;
  private closed = false;

  constructor(
    readonly config: Config,
    wire: Wire,
    private readonly world: World,
  ) {
    this.state = signal(initial(config.suggest));
    this.channel = new Channel(wire, world, {
      message: (message, buffers, asked, whole) =>
        this.act({ type: "message", message, buffers, asked, whole }),
      unsaved: (count) => {
        this.state.value = step(this.state.value, { type: "unsaved", count }).state;
      },
      slow: (slow) => {
        if (!slow) this.act({ type: "link", link: "live" });
        else if (this.state.value.link !== "gone") this.act({ type: "link", link: "busy" });
      },
    });
    this.modules = new Modules(config.modules ?? {}, (name) => this.channel.module(name));
  }

  open(): void {
    this.channel.open(this.config.session);
  }

  close(): void {
    this.closed = true;
    this.cancelPoll();
    this.finding?.cancel();
    this.cancelNews();
    this.channel.close();
    this.media.close();
  }

  /** Ask for bytes of a part of an item, or of one of the items that it shows: see `Item`. */
  piece(item: Item, name: string, start: number, signal?: AbortSignal): Promise<Piece> {
    const { of, path } = item.within ?? { of: item.id, path: "" };
    return this.channel.piece(of, path + name, start, signal);
  }

  /** Ask about the map of all items. */
  chart(wish: ChartWish): Promise<Charted> {
    return this.channel.chart(wish);
  }

  /** Ask for bytes of a part of the map. */
  chartPiece(name: string, start: number): Promise<Piece> {
    return this.channel.piece(null, name, start);
  }

  /** One item to be looked at among others; what is to be judged blind is not shown beside them. */
  bring(id: string, whole = false): Promise<Item> {
    const part = { ...pointsOf([id]), n: 1, but: [], whole };
    return new Promise((done, failed) => {
      this.channel.find(part, (message, buffers) => {
        const [item] = message.type === "found" ? message.items : [];
        const hidden = isAgain(this.state.value.items.get(id));
        if (!item?.view || hidden) failed(new Error("This item is asked by itself."));
        else done({ ...item, view: item.view, buffers });
      });
    });
  }

  /** Points of the map get a label, each with an event of its own. */
  labelPoints(items: readonly Labeled[], value: Json, seconds: number): void {
    const { status } = this.state.value;
    const shown = { ...NOT_SHOWN, strategy: "map", model_version: status?.version ?? 0 };
    const said = items.map(({ id, label }) => {
      return { kind: "label" as const, item: id, value, shown, before: label };
    });
    this.act({ type: "page", said, seconds });
  }

  /** Points of the map, beside each other. */
  openPoints(ids: readonly string[]): void {
    this.act({ type: "open", rule: pointsOf(ids) });
  }

  /** Something that a screen reader is to say. */
  say(text: string): void {
    this.state.value = { ...this.state.value, said: text };
  }

  /** Something happened: an intent of the person, or a message. */
  act(intent: Intent): void {
    const stamp = { id: this.world.newId(), at: new Date().toISOString(), now: this.world.now() };
    const before = this.state.value;
    const { state, events } = step(before, { ...intent, ...stamp } as Action | ManyAction);
    batch(() => {
      this.state.value = state;
      if (events.length) this.channel.say(events);
    });
    this.askSoon();
  }

  /** What to fetch and to decode is for later: nothing of it may hold up the item that comes now. */
  private askSoon(): void {
    if (this.asksSoon) return;
    this.asksSoon = true;
    this.world.afterPaint(() => {
      this.asksSoon = false;
      this.ask();
    });
  }

  /** Run soon, but not before what changed is on the screen. */
  afterPaint(run: () => void): void {
    this.world.afterPaint(run);
  }

  receive(raw: unknown, buffers: readonly DataView[]): void {
    this.channel.receive(raw, buffers);
  }

  /**
   * The line to the kernel was cut. Nothing that is pressed now could be saved, so nothing is
   * taken; if the line was mended instead, the kernel answers and labeling goes on.
   */
  lost(): void {
    this.cancelPoll();
    this.act({ type: "link", link: "gone" });
    this.channel.ping();
  }

  /** What a certificate would take; or begin one. */
  certificate(begin: number | null = null, blind = true): Promise<Planned> {
    return this.channel.certificate({ begin, blind });
  }

  /** Give up an attempt at a certificate. */
  giveUp(id: string): void {
    this.channel.ask({ ...this.glance(), close: id });
  }

  /** Train the model now; or stop a training that is long enough to say how far it is. */
  retrain(): void {
    const status = this.state.value.status;
    const cancel = status !== null && lengthy(status) !== null;
    this.channel.ask({ ...this.glance(), cancel, retrain: !cancel });
  }

  reopen(): void {
    this.act({ type: "reopen" });
    this.channel.ask({ ...this.glance(), n: 60, skipped: true });
  }

  /** The person is back: has anything changed meanwhile? */
  wake(): void {
    const { phase, link } = this.state.value;
    if (link === "gone") this.channel.ping();
    else if (phase === "ready" && !this.channel.asking) this.channel.ask(this.glance());
  }

  /** Something changed in the kernel; an answer that is on its way may not know of it. */
  news(): void {
    // A cell that says one thing may go on saying more.
    this.cancelNews();
    this.cancelNews = this.world.later(() => {
      const { phase, link } = this.state.value;
      if (phase === "ready" && link !== "gone") this.channel.ask(this.glance());
    }, NEWS_MS);
  }

  private glance() {
    const { queue, items } = this.state.value;
    const keep = queue.slice(0, 2);
    const held = queue.filter((id) => items.has(id));
    return { n: 0, keep, held, ids: [] as string[], before: null };
  }

  private ask(): void {
    const state = this.state.value;
    if (this.closed || state.phase !== "ready" || state.link === "gone") return;
    if (state.status && state.status.outside !== state.outside) this.channel.again();
    const want = wanted(state);
    if (want && !this.channel.asking) this.channel.ask(want);
    this.find();
    this.fetchGrid();
    this.prepare();
    this.cancelPoll();
    if (state.status?.training === "training") {
      this.cancelPoll = this.world.later(() => {
        if (!this.channel.asking) this.channel.ask(this.glance());
      }, POLL_MS);
    }
  }

  /** The page of many is there before it is first opened: it comes behind the first items. */
  private fetchGrid(): void {
    if (this.fetched || !this.state.value.queue.length) return;
    if (!isChoice(this.config.task) || !this.modules.has(GRID)) return;
    this.fetched = true;
    this.modules.get(GRID).catch(() => undefined);
  }

  /** Ask for what the page of many lacks, one request at a time. */
  private find(): void {
    const lack = lacking(this.state.value);
    if (this.finding && this.finding.turn !== lack?.turn) {
      this.finding.cancel();
      this.finding = null;
    }
    if (!lack || this.finding) return;
    const { turn, part, again } = lack;
    const ask = () => {
      const cancel = this.channel.find(part, (message, buffers) => {
        this.finding = null;
        if (message.type === "found") this.act({ type: "found", turn, message, buffers });
      });
      this.finding = { turn, cancel };
    };
    if (again) this.finding = { turn, cancel: this.world.later(ask, FIND_MS) };
    else ask();
  }

  /** Decode the images that come next. */
  private prepare(): void {
    const { items, queue, grid } = this.state.value;
    for (const tile of [...(grid?.page ?? []), ...(grid?.ahead.slice(0, grid.size) ?? [])]) {
      this.media.image(tile);
    }
    const id = currentId(this.state.value);
    for (const next of [id, ...queue.slice(0, 12)]) {
      const item = next === null ? undefined : items.get(next);
      if (item) this.media.image(item);
    }
  }
}
