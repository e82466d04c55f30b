// What the tests share: parts of messages, a clock, a storage, and a kernel in miniature.

import type { Config } from "../src/controller";
import type { WantPart, World } from "../src/channel";
import type { TaskSpec } from "../src/keymap";
import type {
  EventPart,
  FromPage,
  ItemPart,
  Items,
  ShownPart,
  StatusPart,
  SuggestionPart,
  TrailPart,
  Welcome,
} from "../src/protocol";

export const SHOWN: ShownPart = {
  strategy: "random",
  audit: false,
  draw: null,
  seed: null,
  model_version: 0,
  suggestion: null,
  confidence: null,
  visible: false,
  position: null,
  probability: null,
};

export const STATUS: StatusPart = {
  items: 100,
  labeled: 0,
  skipped: 0,
  left: 100,
  counts: {},
  training: "idle",
  version: 0,
  learned: 0,
  rank: 1,
  doing: "random",
  audits: 0,
  explore: 0.1,
  accuracy: null,
  curve: [],
  pace: null,
  store: "/home/ana/labels.sqlite",
  warning: "",
  error: null,
  progress: null,
  outside: 0,
  finding: false,
  certify: null,
};

export function status(change: Partial<StatusPart> = {}): StatusPart {
  return { ...STATUS, ...change };
}

export function suggestion(label: string, change: Partial<SuggestionPart> = {}): SuggestionPart {
  return {
    label,
    confidence: 0.8,
    ranking: [[label, 0.8]],
    marks: [],
    version: 1,
    ...change,
  };
}

export function part(id: string, change: Partial<ItemPart> = {}): ItemPart {
  const predicted = change.suggestion ?? null;
  return {
    id,
    name: id,
    reason: "drawn at random",
    shown: {
      ...SHOWN,
      suggestion: predicted?.label ?? null,
      confidence: predicted?.confidence ?? null,
      visible: predicted !== null,
    },
    suggestion: null,
    view: { kind: "text", data: { text: `text of ${id}` }, buffers: 0 },
    label: null,
    note: "",
    flagged: false,
    copies: 1,
    ...change,
  };
}

export function welcomeMessage(change: Partial<Welcome> = {}): Welcome {
  return {
    v: 1,
    type: "welcome",
    client: "page",
    re: "",
    session: "s",
    annotator: "ana",
    note: "",
    trail: [],
    more: null,
    status: STATUS,
    ...change,
  };
}

/** An answer with a window of items, in the order given. */
export function windowMessage(items: readonly ItemPart[], change: Partial<Items> = {}): Items {
  return {
    v: 1,
    type: "items",
    client: "page",
    re: "",
    window: true,
    order: items.map((item) => item.id),
    items,
    trail: [],
    more: null,
    rank: 1,
    status: STATUS,
    ...change,
  };
}

export const want = (change: Partial<WantPart> = {}): WantPart => ({
  n: 120,
  keep: [],
  held: [],
  ids: [],
  before: null,
  ...change,
});

export const FEW: TaskSpec = {
  kind: "choice",
  classes: ["ham", "spam"],
  keys: { ham: "1", spam: "2" },
  question: null,
};

export const MANY: TaskSpec = {
  kind: "choice",
  classes: Array.from({ length: 77 }, (_, k) => `label number ${k + 1}`),
  keys: Object.fromEntries(
    Array.from({ length: 9 }, (_, k) => [`label number ${k + 1}`, String(k + 1)]),
  ),
  question: null,
};

export const config = (change: Partial<Config> = {}): Config => ({
  protocol: 1,
  widget: "w",
  task: FEW,
  session: "s",
  instructions: "",
  suggest: true,
  batch: 10,
  modules: {},
  ...change,
});

/** A storage as the browser has it, which may run full or be forbidden. */
export class FakeStorage {
  readonly kept = new Map<string, string>();
  full = false;
  forbidden = false;
  /** The pages that are there are told of what is put in. */
  told: (key: string) => void = () => undefined;

  get length(): number {
    if (this.forbidden) throw new Error("SecurityError");
    return this.kept.size;
  }
  key(k: number): string | null {
    return [...this.kept.keys()][k] ?? null;
  }
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.full || this.forbidden) throw new Error("QuotaExceededError");
    this.kept.set(key, value);
    this.told(key);
  }
  removeItem(key: string): void {
    if (this.forbidden) throw new Error("SecurityError");
    this.kept.delete(key);
  }
}

/** Ids are unique over all worlds of one test file, as random ones are. */
let made = 0;

/** A browser whose clock stands still until it is moved. */
export class FakeWorld implements World {
  time: number;
  readonly warnings: string[] = [];
  /** How long a frame takes to come on the screen, in milliseconds. */
  paint = 0;
  private timers: { at: number; run: () => void }[] = [];

  constructor(
    readonly storage: World["storage"] = new FakeStorage(),
    time = 1_000_000,
  ) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }
  newId(): string {
    made += 1;
    return `id${String(made).padStart(6, "0")}`;
  }
  warn(text: string): void {
    this.warnings.push(text);
  }
  later(run: () => void, ms: number): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
  private unpainted: (() => void)[] = [];
  afterPaint(run: () => void): void {
    if (!this.paint) {
      run();
      return;
    }
    this.unpainted.push(run);
    this.later(() => {
      if (!this.unpainted.includes(run)) return;
      this.unpainted = this.unpainted.filter((other) => other !== run);
      run();
    }, this.paint);
  }
  /** The page is reloaded, left or closed: what waits for a paint is done, nothing else any more. */
  leave(): void {
    for (const run of this.unpainted.splice(0)) run();
    this.timers = [];
  }
  /** What another page has put into the storage: the page that puts it is not told. */
  stored: (key: string) => void = () => undefined;
  watch(stored: (key: string) => void): () => void {
    this.stored = stored;
    return () => (this.stored = () => undefined);
  }
  get waiting(): number {
    return this.timers.length;
  }
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.time = Math.max(this.time, due.at);
      due.run();
    }
    this.time = end;
  }
}

type Answered = "label" | "skip";

interface Client {
  expected: number;
  readonly early: Map<number, EventPart>;
  retracted: number;
}

/** A kernel that keeps events by id, in the order of `seq`, as `widget/desk.py` does. */
export class ModelKernel {
  readonly log: EventPart[] = [];
  readonly rejected: string[] = [];
  /** A store that cannot be written to for now. */
  broken = false;
  rank = 1;
  mostTrail = 6;
  private clients = new Map<string, Client>();
  private said = 0;
  private reopened = new Set<string>();
  /** Items to be asked whether or not they have an answer. */
  readonly wanted = new Set<string>();

  constructor(
    readonly pool: readonly string[],
    readonly session = "s",
  ) {}

  /** What the process knew is gone, the log stays. */
  restart(): void {
    this.clients = new Map();
    this.said = -this.log.length;
    this.reopened = new Set();
    this.wanted.clear();
  }

  /** A cell asks for an item by name; one with an answer is asked again, blind. */
  ask(item: string): void {
    this.wanted.add(item);
    this.rank += 1;
  }

  handle(message: FromPage): unknown[] {
    const { client: name, id: re } = message;
    const head = { v: 1, client: name, re };
    const client = this.clients.get(name) ?? { expected: 1, early: new Map(), retracted: 0 };
    this.clients.set(name, client);
    if (message.type === "hello") {
      const { rows, more } = this.trail(null);
      const { session } = this;
      const about = { session, annotator: "ana", note: "", trail: rows, more };
      return [{ ...head, type: "welcome", ...about, status: this.status(client) }];
    }
    if (message.type === "fetch") {
      return [{ ...head, type: "module", name: message.name, text: null }];
    }
    if (message.type === "read") {
      return [{ ...head, type: "piece", start: message.start, total: 0, error: "no parts" }];
    }
    if (message.type === "chart") {
      const none = { state: "none", points: 0, part: "", progress: null, text: "", layers: [] };
      const ids = (message.places ?? []).map((place) => this.pool[place]!);
      return [{ ...head, type: "charted", method: message.method, ...none, ids }];
    }
    if (message.type === "plan") {
      const none = { confidence: 0.95, offers: [], error: null };
      return [{ ...head, type: "planned", ...none, status: this.status(client) }];
    }
    if (message.type === "find") {
      const { rule, of, n, but } = message;
      const open = this.open().filter((item) => !this.wanted.has(item));
      const named: Record<string, readonly string[]> = {
        class: open.filter((item) => believed(item) === of),
        similar: open.filter((item) => item !== of),
        search: this.pool.filter((item) => item.includes(of) && !this.wanted.has(item)),
        certify: [],
        ids: message.ids.filter((item) => this.pool.includes(item) && !this.wanted.has(item)),
      };
      const all = (named[rule] ?? []).filter((item) => !but.includes(item));
      const items = all.slice(0, n).map((item) => {
        const made = this.item(item);
        return { ...made, shown: { ...made.shown, strategy: message.strategy } };
      });
      const about = { of, items, left: all.length - items.length, counts: {} };
      return [{ ...head, type: "found", ...about, pending: false, error: null }];
    }
    if (message.type === "want") {
      if (message.skipped) for (const item of this.skipped()) this.reopened.add(item);
      const open = this.open();
      const { wanted } = this;
      const kept = message.keep.filter((item) => open.includes(item) || wanted.has(item));
      const order = [...new Set([...kept, ...wanted, ...open])].slice(0, message.n);
      const items = order.map((item) => {
        const made = this.item(item, !message.held.includes(item));
        const shown = { ...made.shown, strategy: wanted.has(item) ? "review" : "random" };
        return { ...made, shown };
      });
      for (const item of message.ids) if (this.pool.includes(item)) items.push(this.item(item));
      const { rows, more } =
        (message.before ?? null) === null
          ? { rows: [], more: null }
          : this.trail(message.before ?? null);
      const { rank } = this;
      const window = message.n > 0;
      const about = { window, order, items, trail: rows, more, rank };
      return [{ ...head, type: "items", ...about, status: this.status(client) }];
    }
    const replies: unknown[] = [];
    for (const event of message.events) client.early.set(event.seq, event);
    const done: string[] = [];
    for (const [seq, event] of [...client.early].sort(([a], [b]) => a - b)) {
      if (seq >= client.expected) continue;
      done.push(event.id);
      client.early.delete(seq);
    }
    for (;;) {
      const event = client.early.get(client.expected);
      if (!event) break;
      if (this.broken) {
        const ids = [...client.early.values()].map((e) => e.id);
        client.early.clear();
        replies.push({
          ...head,
          type: "reject",
          ids,
          code: "store",
          text: "The disk is full.",
          retry: true,
        });
        break;
      }
      client.early.delete(client.expected);
      client.expected += 1;
      if (this.append(event, client)) done.push(event.id);
      else {
        const text = "not legal";
        replies.push({
          ...head,
          type: "reject",
          ids: [event.id],
          code: "illegal",
          text,
          retry: false,
        });
      }
    }
    const { expected } = client;
    return [...replies, { ...head, type: "ack", ids: done, expected, status: this.status(client) }];
  }

  /** What a cell says, beside all pages. */
  cell(event: EventPart): void {
    this.append(event, null);
  }

  private append(event: EventPart, client: Client | null): boolean {
    if (this.log.some((known) => known.id === event.id)) return true;
    const target = this.log.find((known) => known.id === event.value);
    if (event.kind === "retract" && target?.item !== event.item) {
      this.rejected.push(event.id);
      return false;
    }
    this.log.push(event);
    if (client && event.kind === "retract") client.retracted += 1;
    else if (client) this.said += 1;
    if (event.kind !== "skip") this.reopened.delete(event.item);
    if (isAnswer(event)) this.wanted.delete(event.item);
    return true;
  }

  standing(): EventPart[] {
    return standing(this.log);
  }

  private open(): string[] {
    const now = answers(this.log);
    return this.pool.filter((item) => !now.has(item) || this.reopened.has(item));
  }

  private skipped(): string[] {
    return [...answers(this.log)].filter(([, e]) => e.kind === "skip").map(([item]) => item);
  }

  status(client: Client): StatusPart {
    const now = [...answers(this.log).values()];
    const skipped = now.filter((e) => e.kind === "skip").length;
    return status({
      items: this.pool.length,
      labeled: now.length - skipped,
      skipped,
      left: this.open().length,
      rank: this.rank,
      outside: this.log.length - this.said - client.retracted,
    });
  }

  private trail(before: number | null): { rows: TrailPart[]; more: number | null } {
    const stands = new Set(this.standing().map((e) => e.id));
    const rows: TrailPart[] = [];
    const end = Math.min(before ?? this.log.length, this.log.length);
    for (let place = end - 1; place >= 0; place--) {
      const event = this.log[place];
      if (!event || !stands.has(event.id)) continue;
      if (rows.length === this.mostTrail) return { rows: rows.reverse(), more: place + 1 };
      const { id, kind, item, value } = event;
      rows.push({ id, kind, item, value, before: this.replaced(event) });
    }
    return { rows: rows.reverse(), more: null };
  }

  private replaced(event: EventPart): string | null {
    if (event.kind !== "label" && event.kind !== "skip") return null;
    const stack = this.standing().filter((e) => isAnswer(e) && e.item === event.item);
    const earlier = stack[stack.findIndex((e) => e.id === event.id) - 1];
    return earlier?.kind === "label" ? String(earlier.value) : null;
  }

  private item(id: string, view = true): ItemPart {
    const said = this.standing().filter((e) => e.item === id);
    const answered = said.filter(isAnswer).at(-1);
    const note = said.filter((e) => e.kind === "note").at(-1);
    const flag = said.filter((e) => e.kind === "flag").at(-1);
    const made = part(id, {
      label: answered?.kind === "label" && !this.wanted.has(id) ? String(answered.value) : null,
      note: String(note?.value ?? ""),
      flagged: flag?.value === true,
    });
    return view ? made : { ...made, view: null };
  }
}

/** What the model in miniature believes of an item. */
export const believed = (item: string): string => (Number(item.slice(1)) % 2 ? "a" : "b");

const isAnswer = (event: EventPart): event is EventPart & { kind: Answered } =>
  event.kind === "label" || event.kind === "skip";

/** Events that were not taken back, oldest first. */
export function standing<E extends Pick<EventPart, "id" | "kind" | "value">>(
  events: readonly E[],
): E[] {
  const back = new Set(events.filter((e) => e.kind === "retract").map((e) => e.value));
  return events.filter((e) => e.kind !== "retract" && !back.has(e.id));
}

/** The answer that stands for each item. */
export function answers<E extends Pick<EventPart, "id" | "kind" | "value" | "item">>(
  events: readonly E[],
): Map<string, E> {
  const now = new Map<string, E>();
  for (const event of standing(events)) {
    if (event.kind === "label" || event.kind === "skip") now.set(event.item, event);
  }
  return now;
}
