// The page's end of the protocol: handshake, outbox, acknowledgement, resend.
//
// An event stays in the outbox, and in the browser's storage, until the kernel says that it is on
// disk. Repeats are harmless: an event carries its own id, and `seq` restores the order.

import {
  MOST_EVENTS,
  MOST_PIECE,
  VERSION,
  isEventPart,
  parse,
  type Chart,
  type Charted,
  type EventPart,
  type Find,
  type FromKernel,
  type Plan,
  type Planned,
} from "./protocol";
import type { Draft } from "./state";

export interface Wire {
  send(message: unknown): void;
}

/** What of the browser the channel needs; a test brings its own. */
export interface World {
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length"> | null;
  now(): number;
  newId(): string;
  later(run: () => void, ms: number): () => void;
  /**
   * Run when what changed is on the screen: `soon` right behind the frame that paints it, else when
   * nothing of it is waited for any more. A page that goes runs all of it before.
   */
  afterPaint(run: () => void, soon?: boolean): void;
  /** Be told the key of what another page has put into the storage, until the result is called. */
  watch(stored: (key: string) => void): () => void;
  warn(text: string): void;
}

export interface WantPart {
  readonly n: number;
  readonly keep: readonly string[];
  readonly held: readonly string[];
  readonly ids: readonly string[];
  readonly before: number | null;
  readonly retrain?: boolean;
  readonly cancel?: boolean;
  readonly skipped?: boolean;
  readonly close?: string | null;
}

/** What a page of many asks for. */
export type FindPart = Omit<Find, "v" | "type" | "client" | "id">;

/** A request as it was made, and of which items the answer may not know what was said here. */
export type AskedPart = WantPart & { readonly unheard: ReadonlySet<string> };

export interface Hooks {
  /**
   * `asked` is the request that an `items` message answers; `whole` whether a `welcome` knows all
   * that was said here.
   */
  message(
    message: FromKernel,
    buffers: readonly DataView[],
    asked: AskedPart | null,
    whole?: boolean,
  ): void;
  unsaved(count: number): void;
  slow(slow: boolean): void;
}

/** A part of the front end or of an item that was asked for. */
interface Fetching {
  readonly what: object;
  readonly done: (message: FromKernel, buffers: readonly DataView[]) => void;
}

/** The kernel is called busy after this long without the answer that is due. */
export const SLOW_MS = 2500;
const RETRY_MS = 4000;
const MOST_RETRY_MS = 30_000;
/** A line that was cut is tried this often. */
const MOST_PINGS = 4;
const PREFIX = "nblabel";
/** A page whose events stay behind for this long, while the kernel answers others, is gone. */
export const ORPHAN_MS = 6000;
/** Kept events of a page that never came back are dropped after this long. */
const FORGET_MS = 60 * 86_400_000;

export class Channel {
  private name: string;
  private readonly outbox = new Map<number, EventPart>();
  private nextSeq = 1;
  private session = "";
  private welcomed = false;
  private hellosLeft = Infinity;
  private adopted = new Set<string>();
  private readonly fetches = new Map<string, Fetching>();
  private want: { readonly id: string; readonly at: number; readonly part: WantPart } | null = null;
  private unheard = new Set<string>();
  private pendingWant: WantPart | null = null;
  private greeting: { readonly id: string; readonly next: number } | null = null;
  private waitingSince: number | null = null;
  private slow = false;
  private closed = false;
  private retryMs = RETRY_MS;
  private planned = false;
  private cancelRetry: () => void = () => undefined;
  private cancelSlow: () => void = () => undefined;
  private looking = false;
  private cancelLook: () => void = () => undefined;
  private readonly unwatch: () => void;

  constructor(
    private readonly wire: Wire,
    private readonly world: World,
    private readonly hooks: Hooks,
  ) {
    this.name = world.newId();
    this.unwatch = world.watch((key) => {
      if (key.startsWith(`${PREFIX}/${this.session}/`)) this.lookSoon();
    });
  }

  /** The name of this page, on its messages and on those meant for it. */
  get client(): string {
    return this.name;
  }

  /** Say hello; the kernel answers when it can. */
  open(session: string): void {
    this.session = session;
    this.hello();
  }

  /** Ask for a sign of life; until it comes nothing else is sent. */
  ping(): void {
    this.welcomed = false;
    this.want = null;
    this.pendingWant = null;
    this.greeting = null;
    this.slow = true;
    this.retryMs = RETRY_MS;
    this.hellosLeft = MOST_PINGS;
    this.hello();
  }

  /**
   * Say hello once more, to hear what others have said. Not while anything is unsent: what the
   * answer lacks could have been taken back, or be on its way.
   */
  again(): void {
    if (!this.welcomed || this.greeting || this.outbox.size || this.closed) return;
    this.greeting = { id: this.world.newId(), next: this.nextSeq };
    this.hello(this.greeting.id);
  }

  close(): void {
    this.closed = true;
    this.cancelRetry();
    this.cancelSlow();
    this.cancelLook();
    this.unwatch();
  }

  /** Number events, keep them in the browser, and send them. */
  say(drafts: readonly Draft[]): void {
    const events = drafts.map((draft) => ({ ...draft, seq: this.nextSeq++ }));
    for (const event of events) {
      this.outbox.set(event.seq, event);
      this.unheard.add(event.item);
    }
    this.hooks.unsaved(this.outbox.size);
    // Neither the browser's storage nor the line is allowed to hold up the next item.
    const due = () => events.filter((event) => this.outbox.get(event.seq) === event);
    this.world.afterPaint(() => due().forEach((event) => this.keep(event)), true);
    this.world.afterPaint(() => {
      const left = due();
      if (this.welcomed && left.length) this.send(left);
    });
    this.plan();
  }

  /** Ask for a part of the front end. */
  async module(name: string): Promise<string> {
    const { message } = await this.request({ type: "fetch", name });
    if (message.type !== "module" || message.text === null) throw new Error(`there is no ${name}`);
    return message.text;
  }

  /** Ask what there is of the map, or to begin or to give up what is not there yet. */
  async chart(what: Omit<Chart, "v" | "type" | "client" | "id">): Promise<Charted> {
    const { message } = await this.request({ type: "chart", ...what });
    if (message.type !== "charted") throw new Error(message.type);
    return message;
  }

  /** Ask what a certificate would take, or begin one. */
  async certificate(what: Pick<Plan, "begin" | "blind">): Promise<Planned> {
    const { message, buffers } = await this.request({ type: "plan", ...what });
    if (message.type !== "planned") throw new Error(message.type);
    this.hooks.message(message, buffers, null);
    return message;
  }

  /** Ask for some bytes of a part of an item, or without one of the map. */
  async piece(
    item: string | null,
    name: string,
    start: number,
    signal?: AbortSignal,
  ): Promise<{ readonly bytes: DataView | undefined; readonly total: number }> {
    const what = { type: "read", item, name, start, length: MOST_PIECE };
    const { message, buffers } = await this.request(what, signal);
    if (message.type !== "piece") throw new Error(message.type);
    if (message.error !== null) throw new Error(message.error);
    return { bytes: buffers[0], total: message.total };
  }

  /** Ask for items to be shown together; nobody waits any longer once the result was called. */
  find(
    part: FindPart,
    done: (message: FromKernel, buffers: readonly DataView[]) => void,
  ): () => void {
    const id = this.world.newId();
    const what = { type: "find", ...part };
    this.fetches.set(id, { what, done });
    this.postFetch(id, what);
    this.plan();
    return () => this.fetches.delete(id);
  }

  private request(
    what: object,
    signal?: AbortSignal,
  ): Promise<{ readonly message: FromKernel; readonly buffers: readonly DataView[] }> {
    return new Promise((done) => {
      const id = this.world.newId();
      this.fetches.set(id, { what, done: (message, buffers) => done({ message, buffers }) });
      // Nobody waits any longer: it is not asked for again.
      signal?.addEventListener("abort", () => this.fetches.delete(id));
      this.postFetch(id, what);
      this.plan();
    });
  }

  private postFetch(id: string, what: object): void {
    if (this.welcomed) this.post({ v: VERSION, client: this.client, id, ...what });
  }

  /** Ask for items; while one request is open, the newest other one waits. */
  ask(want: WantPart): void {
    if (!this.welcomed || this.closed) return;
    if (this.want) {
      this.pendingWant = merged(want, this.pendingWant);
      return;
    }
    const id = this.world.newId();
    const part = merged(want, null);
    this.want = { id, at: this.world.now(), part };
    this.unheard = new Set([...this.outbox.values()].map((event) => event.item));
    this.post({ v: VERSION, type: "want", client: this.client, id, ...part });
    this.plan();
  }

  /** Whether a request for items is open. */
  get asking(): boolean {
    return this.want !== null;
  }

  /** Take a message of the kernel; everything may come twice, late, or for another page. */
  receive(raw: unknown, buffers: readonly DataView[]): void {
    if (this.closed) return;
    const message = parse(raw);
    if (typeof message === "string") {
      this.world.warn(`nblabel: a message was passed over: ${message}`);
      return;
    }
    if (message.client !== this.client) return;
    this.heard();
    switch (message.type) {
      case "welcome":
        this.welcome(message, buffers);
        return;
      case "items": {
        const asked = this.want;
        if (message.re !== asked?.id) return;
        this.want = null;
        this.hooks.message(message, buffers, { ...asked.part, unheard: this.unheard });
        this.nextWant();
        return;
      }
      case "ack":
        this.drop(message.ids);
        this.hooks.message(message, buffers, null);
        this.settle(message.expected);
        return;
      case "reject":
        if (!message.retry) this.drop(message.ids);
        this.hooks.message(message, buffers, null);
        return;
      case "found":
      case "module":
      case "piece":
      case "planned":
      case "charted": {
        const fetching = this.fetches.get(message.re);
        this.fetches.delete(message.re);
        fetching?.done(message, buffers);
        return;
      }
      case "refuse":
        if (message.re === this.want?.id) this.want = this.pendingWant = null;
        this.hooks.message(message, buffers, null);
        return;
    }
  }

  // -------------------------------------------------------------- handshake

  private hello(id: string = this.world.newId()): void {
    if (this.closed || this.hellosLeft-- <= 0) return;
    this.post({
      v: VERSION,
      type: "hello",
      client: this.client,
      id,
      speaks: [VERSION],
      unsent: this.outbox.size,
    });
    this.plan();
  }

  private welcome(
    message: Extract<FromKernel, { type: "welcome" }>,
    buffers: readonly DataView[],
  ): void {
    this.session = message.session;
    const first = !this.welcomed;
    // What an earlier page could not deliver goes first; then we ask anew where we are.
    if (first && this.adopt()) this.send([...this.outbox.values()]);
    if (this.adopted.size) return;
    this.welcomed = true;
    this.hopeful();
    const { greeting } = this;
    const isAnswer = greeting?.id === message.re;
    if (isAnswer) this.greeting = null;
    this.hooks.message(message, buffers, null, isAnswer && greeting?.next === this.nextSeq);
    for (const [id, { what }] of this.fetches) this.postFetch(id, what);
    if (first && this.outbox.size) this.send([...this.outbox.values()]);
  }

  // -------------------------------------------------------------- outbox

  private send(events: readonly EventPart[]): void {
    for (let at = 0; at < events.length; at += MOST_EVENTS / 2) {
      this.post({
        v: VERSION,
        type: "event",
        client: this.client,
        id: this.world.newId(),
        events: events.slice(at, at + MOST_EVENTS / 2),
      });
    }
    this.plan();
  }

  private drop(ids: readonly string[]): void {
    const gone = new Set(ids);
    const before = this.outbox.size;
    for (const [seq, event] of this.outbox) {
      if (!gone.has(event.id)) continue;
      this.outbox.delete(seq);
      this.forget(seq);
    }
    if (this.outbox.size < before) this.hopeful();
    this.hooks.unsaved(this.outbox.size);
    if (!this.adopted.size) return;
    for (const id of ids) this.adopted.delete(id);
    if (!this.adopted.size) this.hello();
  }

  /**
   * The kernel waits for a seq that we no longer have: it does not know us, so we count anew. Under
   * a new name, as messages of the old one may still arrive and must keep the seqs they were given.
   */
  private settle(expected: number): void {
    if (!this.outbox.size || this.outbox.has(expected)) return;
    const lowest = Math.min(...this.outbox.keys());
    if (expected > lowest) return;
    const events = [...this.outbox.values()].sort((a, b) => a.seq - b.seq);
    for (const event of events) {
      this.outbox.delete(event.seq);
      this.forget(event.seq);
    }
    this.name = this.world.newId();
    this.nextSeq = 1;
    const renumbered = events.map((event) => ({ ...event, seq: this.nextSeq++ }));
    for (const event of renumbered) {
      this.outbox.set(event.seq, event);
      this.keep(event);
    }
    this.send(renumbered);
    this.greeting = null; // to the old name
    const open = this.want;
    if (!open) return;
    this.want = null;
    this.ask(open.part);
  }

  // -------------------------------------------------------------- storage

  private key(client: string, seq: number): string {
    return `${PREFIX}/${this.session}/${client}/${String(seq).padStart(9, "0")}`;
  }

  private keep(event: EventPart, at: number = this.world.now()): void {
    try {
      const kept = JSON.stringify({ at, event });
      this.world.storage?.setItem(this.key(this.client, event.seq), kept);
    } catch {
      this.world.warn(
        "nblabel: the browser's storage is full; unsaved labels live in this page only",
      );
    }
  }

  private forget(seq: number): void {
    try {
      this.world.storage?.removeItem(this.key(this.client, seq));
    } catch {
      // What stays behind is sent once more by a later page, which is harmless.
    }
  }

  /** Take over what earlier pages on this log could not deliver; return whether there was any. */
  private adopt(): boolean {
    const storage = this.world.storage;
    if (!storage) return false;
    const before = this.adopted.size;
    try {
      for (const { at, event } of this.leftBehind(storage)) {
        const numbered = { ...event, seq: this.nextSeq++ };
        this.outbox.set(numbered.seq, numbered);
        this.adopted.add(numbered.id);
        this.keep(numbered, at);
      }
    } catch {
      this.world.warn("nblabel: the browser's storage cannot be read");
    }
    this.hooks.unsaved(this.outbox.size);
    return this.adopted.size > before;
  }

  private lookSoon(): void {
    if (this.looking || this.closed) return;
    this.looking = true;
    this.cancelLook = this.world.later(() => {
      this.looking = false;
      this.look();
    }, ORPHAN_MS);
  }

  /** Deliver what a page left behind that has ended beside us: nobody else may come for it. */
  private look(): void {
    const { storage } = this.world;
    if (!storage) return;
    const oldest = this.world.now() - ORPHAN_MS;
    const kept = this.keysOfOthers(storage)
      .filter((key) => key.startsWith(`${PREFIX}/${this.session}/`))
      .map((key) => readKept(storage.getItem(key)));
    if (!kept.length) return;
    if (!this.welcomed || this.slow || kept.some((one) => one && one.at > oldest)) this.lookSoon();
    else if (this.adopt()) this.send([...this.outbox.values()]);
  }

  private keysOfOthers(storage: NonNullable<World["storage"]>): readonly string[] {
    const own = `${PREFIX}/${this.session}/${this.client}/`;
    return Array.from({ length: storage.length }, (_, k) => storage.key(k) ?? "")
      .filter((key) => key.startsWith(`${PREFIX}/`) && !key.startsWith(own))
      .sort();
  }

  /** Take out of the storage what other pages on this log left there, in the order it was said. */
  private leftBehind(storage: NonNullable<World["storage"]>): readonly Kept[] {
    const own = `${PREFIX}/${this.session}/`;
    const found: Kept[] = [];
    let last = { page: "", at: 0 };
    for (const key of this.keysOfOthers(storage)) {
      const kept = readKept(storage.getItem(key));
      const mine = key.startsWith(own);
      if (kept && mine) {
        // Between pages the clock decides; within one its seq, whatever the clock did.
        const page = key.slice(0, key.lastIndexOf("/"));
        const at = page === last.page ? Math.max(kept.at, last.at) : kept.at;
        last = { page, at };
        found.push({ at, event: kept.event });
      }
      if (!kept || mine || this.world.now() - kept.at > FORGET_MS) storage.removeItem(key);
    }
    return causal(found.sort((a, b) => a.at - b.at));
  }

  // -------------------------------------------------------------- time

  private post(message: unknown): void {
    if (this.closed) return;
    if (this.waitingSince === null) {
      this.waitingSince = this.world.now();
      this.cancelSlow();
      this.cancelSlow = this.world.later(() => this.checkSlow(), SLOW_MS);
    }
    try {
      this.wire.send(message);
    } catch {
      // As if it were lost on the way: it is sent again.
    }
  }

  private checkSlow(): void {
    const waited = this.waitingSince === null ? 0 : this.world.now() - this.waitingSince;
    if (waited >= SLOW_MS && !this.slow) {
      this.slow = true;
      this.hooks.slow(true);
    }
  }

  private heard(): void {
    this.hellosLeft = Infinity;
    this.waitingSince = null;
    if (this.slow) {
      this.slow = false;
      this.hooks.slow(false);
    }
  }

  /** Send again what was not answered, more and more seldom: a busy kernel has it in its queue. */
  private plan(): void {
    if (this.planned || this.closed) return;
    this.planned = true;
    this.cancelRetry = this.world.later(() => {
      this.planned = false;
      if (!this.unanswered) {
        this.retryMs = RETRY_MS;
        return;
      }
      this.retryMs = Math.min(this.retryMs * 2, MOST_RETRY_MS);
      if (!this.welcomed && !this.adopted.size) this.hello();
      else if (this.outbox.size) this.send([...this.outbox.values()]);
      if (this.greeting) {
        this.greeting = null; // lost on the way there or back
        this.again();
      }
      for (const [id, { what }] of this.fetches) this.postFetch(id, what);
      if (this.want && this.world.now() - this.want.at >= MOST_RETRY_MS) {
        const lost = this.want.part; // on the way there or back
        this.want = null;
        this.ask(this.pendingWant ? merged(this.pendingWant, lost) : lost);
        this.pendingWant = null;
      }
      this.plan();
    }, this.retryMs);
  }

  /** The kernel answers again: no need to wait long for what it has not answered yet. */
  private hopeful(): void {
    if (this.retryMs === RETRY_MS) return;
    this.retryMs = RETRY_MS;
    this.cancelRetry();
    this.planned = false;
    if (this.unanswered) this.plan();
  }

  private get unanswered(): boolean {
    return (
      this.outbox.size > 0 ||
      !this.welcomed ||
      this.want !== null ||
      this.greeting !== null ||
      this.fetches.size > 0
    );
  }

  private nextWant(): void {
    const want = this.pendingWant;
    this.pendingWant = null;
    if (want) this.ask(want);
  }
}

interface Kept {
  readonly at: number;
  readonly event: EventPart;
}

/** The newer request, with what the older one ordered besides items. */
const merged = (want: WantPart, older: WantPart | null): WantPart => ({
  ...want,
  retrain: (want.retrain ?? false) || (!want.cancel && (older?.retrain ?? false)),
  cancel: (want.cancel ?? false) || (older?.cancel ?? false),
  skipped: (want.skipped ?? false) || (older?.skipped ?? false),
  close: want.close ?? older?.close ?? null,
});

/** Nothing is taken back before it is said, whatever the clocks of two pages made of it. */
function causal(events: readonly Kept[]): readonly Kept[] {
  const ahead = new Set(events.map(({ event }) => event.id));
  const waiting: Kept[] = [];
  const ordered: Kept[] = [];
  const put = (kept: Kept): void => {
    if (kept.event.kind === "retract" && ahead.has(String(kept.event.value))) {
      waiting.push(kept);
      return;
    }
    ordered.push(kept);
    ahead.delete(kept.event.id);
    for (const other of waiting.splice(0)) put(other);
  };
  for (const kept of events) put(kept);
  return ordered;
}

/** What is not whole is passed over: the kernel would refuse the page because of it. */
function readKept(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as { at?: unknown; event?: unknown };
    if (typeof kept.at !== "number" || !isEventPart(kept.event)) return null;
    return { at: kept.at, event: kept.event as EventPart };
  } catch {
    return null;
  }
}
