// The page's end of the protocol: handshake, outbox, acknowledgement, resend.
//
// An event stays in the outbox, and in the browser's storage, until the kernel says that it is on
// disk. Repeats are harmless: an event carries its own id, and `seq` restores the order.

import { MOST_EVENTS, VERSION, parse, type EventPart, type FromKernel } from "./protocol";
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
  warn(text: string): void;
}

export interface WantPart {
  readonly n: number;
  readonly keep: readonly string[];
  readonly held: readonly string[];
  readonly ids: readonly string[];
  readonly before: number | null;
  readonly retrain?: boolean;
  readonly skipped?: boolean;
}

export interface Hooks {
  message(message: FromKernel, buffers: readonly DataView[]): void;
  unsaved(count: number): void;
  slow(slow: boolean): void;
}

/** The kernel is called busy after this long without the answer that is due. */
export const SLOW_MS = 2500;
const RETRY_MS = 4000;
const MOST_RETRY_MS = 30_000;
const PREFIX = "nblabel";
/** Kept events of a page that never came back are dropped after this long. */
const FORGET_MS = 60 * 86_400_000;

export class Channel {
  readonly client: string;
  private readonly outbox = new Map<number, EventPart>();
  private nextSeq = 1;
  private session = "";
  private welcomed = false;
  private adopted = new Set<string>();
  private want: { id: string; at: number } | null = null;
  private pendingWant: WantPart | null = null;
  private waitingSince: number | null = null;
  private slow = false;
  private closed = false;
  private retryMs = RETRY_MS;
  private cancelRetry: () => void = () => undefined;
  private cancelSlow: () => void = () => undefined;

  constructor(
    private readonly wire: Wire,
    private readonly world: World,
    private readonly hooks: Hooks,
  ) {
    this.client = world.newId();
  }

  /** Say hello; the kernel answers when it can. */
  open(session: string): void {
    this.session = session;
    this.hello();
  }

  close(): void {
    this.closed = true;
    this.cancelRetry();
    this.cancelSlow();
  }

  /** Number events, keep them in the browser, and send them. */
  say(drafts: readonly Draft[]): void {
    const events = drafts.map((draft) => ({ ...draft, seq: this.nextSeq++ }));
    for (const event of events) {
      this.outbox.set(event.seq, event);
      this.keep(event);
    }
    this.hooks.unsaved(this.outbox.size);
    if (this.welcomed) this.send(events);
  }

  /** Ask for items; while one request is open, the newest other one waits. */
  ask(want: WantPart): void {
    if (!this.welcomed || this.closed) return;
    if (this.want) {
      const urgent = this.pendingWant;
      this.pendingWant = {
        ...want,
        retrain: (want.retrain ?? false) || (urgent?.retrain ?? false),
        skipped: (want.skipped ?? false) || (urgent?.skipped ?? false),
      };
      return;
    }
    const id = this.world.newId();
    this.want = { id, at: this.world.now() };
    this.post({ v: VERSION, type: "want", client: this.client, id, ...want });
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
      case "items":
        if (message.re !== this.want?.id) return;
        this.want = null;
        this.hooks.message(message, buffers);
        this.nextWant();
        return;
      case "ack":
        this.drop(message.ids);
        this.hooks.message(message, buffers);
        this.settle(message.expected);
        return;
      case "reject":
        if (!message.retry) this.drop(message.ids);
        this.hooks.message(message, buffers);
        return;
      case "refuse":
        this.hooks.message(message, buffers);
        return;
    }
  }

  // -------------------------------------------------------------- handshake

  private hello(): void {
    if (this.closed) return;
    this.post({
      v: VERSION,
      type: "hello",
      client: this.client,
      id: this.world.newId(),
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
    const found = first ? this.adopt() : [];
    if (found.length) {
      // What an earlier page could not deliver goes first; then we ask anew where we are.
      this.adopted = new Set(found.map((event) => event.id));
      this.send([...this.outbox.values()]);
      return;
    }
    if (this.adopted.size) return;
    this.welcomed = true;
    this.retryMs = RETRY_MS;
    this.hooks.message(message, buffers);
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
    for (const [seq, event] of this.outbox) {
      if (!gone.has(event.id)) continue;
      this.outbox.delete(seq);
      this.forget(seq);
      this.retryMs = RETRY_MS;
    }
    this.hooks.unsaved(this.outbox.size);
    if (!this.adopted.size) return;
    for (const id of ids) this.adopted.delete(id);
    if (!this.adopted.size) this.hello();
  }

  /** The kernel waits for a seq that we no longer have: it does not know us, so we count anew. */
  private settle(expected: number): void {
    if (!this.outbox.size || this.outbox.has(expected)) return;
    const lowest = Math.min(...this.outbox.keys());
    if (expected > lowest) return;
    const events = [...this.outbox.values()].sort((a, b) => a.seq - b.seq);
    for (const event of events) {
      this.outbox.delete(event.seq);
      this.forget(event.seq);
    }
    this.nextSeq = expected;
    const renumbered = events.map((event) => ({ ...event, seq: this.nextSeq++ }));
    for (const event of renumbered) {
      this.outbox.set(event.seq, event);
      this.keep(event);
    }
    this.send(renumbered);
  }

  // -------------------------------------------------------------- storage

  private key(client: string, seq: number): string {
    return `${PREFIX}/${this.session}/${client}/${String(seq).padStart(9, "0")}`;
  }

  private keep(event: EventPart): void {
    try {
      const kept = JSON.stringify({ at: this.world.now(), event });
      this.world.storage?.setItem(this.key(this.client, event.seq), kept);
    } catch {
      this.world.warn(
        "nblabel: the browser's storage is full; unsaved labels live in this page only",
      );
    }
  }

  private forget(seq: number): void {
    this.world.storage?.removeItem(this.key(this.client, seq));
  }

  /** Take over what earlier pages on this log could not deliver. */
  private adopt(): readonly EventPart[] {
    const storage = this.world.storage;
    if (!storage) return [];
    const own = `${PREFIX}/${this.session}/`;
    const keys: string[] = [];
    for (let k = 0; k < storage.length; k++) {
      const key = storage.key(k);
      if (key?.startsWith(`${PREFIX}/`)) keys.push(key);
    }
    const adopted: EventPart[] = [];
    for (const key of keys.sort()) {
      const kept = readKept(storage.getItem(key));
      const mine = key.startsWith(own);
      if (mine && key.startsWith(`${own}${this.client}/`)) continue;
      if (kept && mine) {
        const event = { ...kept.event, seq: this.nextSeq++ };
        this.outbox.set(event.seq, event);
        this.keep(event);
        adopted.push(event);
      }
      if (!kept || mine || this.world.now() - kept.at > FORGET_MS) storage.removeItem(key);
    }
    this.hooks.unsaved(this.outbox.size);
    return adopted;
  }

  // -------------------------------------------------------------- time

  private post(message: unknown): void {
    if (this.closed) return;
    if (this.waitingSince === null) this.waitingSince = this.world.now();
    this.cancelSlow();
    this.cancelSlow = this.world.later(() => this.checkSlow(), SLOW_MS + 50);
    try {
      this.wire.send(message);
    } catch {
      this.checkSlow();
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
    this.waitingSince = null;
    if (this.slow) {
      this.slow = false;
      this.hooks.slow(false);
    }
  }

  /** Send again what was not answered, more and more seldom: a busy kernel has it in its queue. */
  private plan(): void {
    this.cancelRetry();
    this.cancelRetry = this.world.later(() => {
      if (this.closed) return;
      this.retryMs = Math.min(this.retryMs * 2, MOST_RETRY_MS);
      if (!this.welcomed && !this.adopted.size) this.hello();
      else if (this.outbox.size) this.send([...this.outbox.values()]);
      if (this.want && this.world.now() - this.want.at > MOST_RETRY_MS) {
        this.want = null; // lost on the way; the page asks again
        this.nextWant();
      }
      if (this.outbox.size || !this.welcomed || this.want) this.plan();
    }, this.retryMs);
  }

  private nextWant(): void {
    const want = this.pendingWant;
    this.pendingWant = null;
    if (want) this.ask(want);
  }
}

function readKept(text: string | null): { at: number; event: EventPart } | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as { at?: unknown; event?: unknown };
    const event = kept.event as EventPart | undefined;
    const whole = typeof event?.id === "string" && typeof event.item === "string";
    return typeof kept.at === "number" && event && whole ? { at: kept.at, event } : null;
  } catch {
    return null;
  }
}
