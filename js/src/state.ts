// What is on the screen, as a pure function of what happened. Touches no DOM, no clock, no network:
// times and ids come in with the actions, events to be said come out beside the new state.

import type {
  EventKind,
  Find,
  Found,
  FromKernel,
  ItemPart,
  Items,
  Json,
  ShownPart,
  StatusPart,
  SuggestionPart,
  TrailPart,
  ViewPart,
  Welcome,
} from "./protocol";
import { count, describeValue, percent } from "./format";

/**
 * Items that lie ahead at any moment: at two a second they outlast a kernel busy for a minute. The
 * page asks when there are fewer, so that these are there when the kernel turns busy just then.
 */
export const LEAST = 124;
/** Items ahead that a page asks for: a request every 26 labels. */
export const WINDOW = 150;
/** Large items shorten the window, to what a page may hold: the minute is kept up to 500 kB each. */
export const MOST_AHEAD = 64_000_000;
/** Items behind whose view is kept for going back, and how large they may be. */
const KEEP_BEHIND = 200;
const MOST_BEHIND = 64_000_000;
/** The current and the next item never move. */
const PINNED = 2;

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly shown: ShownPart;
  readonly suggestion: SuggestionPart | null;
  readonly view: ViewPart;
  readonly buffers: readonly DataView[];
  readonly label: Json;
  readonly note: string;
  readonly flagged: boolean;
  /** How many items a label of this one labels: see `ItemPart`. */
  readonly copies: number;
  /** Of one that another one shows: the item that the kernel knows, and the way to it. */
  readonly within?: { readonly of: string; readonly path: string };
}

/** An event before the channel numbers it. */
export interface Draft {
  readonly id: string;
  readonly kind: EventKind;
  readonly item: string;
  readonly value: Json;
  readonly at: string;
  readonly seconds: number | null;
  readonly shown: ShownPart;
}

/** Which items: see `Find`. */
export type Rule = Pick<Find, "rule" | "of" | "strategy" | "ids"> & { readonly least: boolean };

export interface Grid {
  /** Another one for each opening, so that late answers go nowhere. */
  readonly turn: string;
  readonly rule: Rule;
  /** How many items a page has room for. */
  readonly size: number;
  /** Items on the screen, and those that come next. */
  readonly page: readonly Item[];
  readonly ahead: readonly Item[];
  /** What was pressed on single ones, the newest last; null puts an item away. */
  readonly marks: ReadonlyMap<string, Json>;
  /** The label of all others without one, null if they stay without. */
  readonly all: Json;
  /** Items that were on a page before. */
  readonly seen: readonly string[];
  /** How many pages were. */
  readonly pages: number;
  /** Whether the kernel may have more. */
  readonly more: boolean;
  /** How many more there are than the page has, as far as it was told. */
  readonly left: number;
  /** Items believed to be of each class. */
  readonly counts: Found["counts"];
  /** Whether an answer was that it is not known yet. */
  readonly pending: boolean;
  readonly error: string;
  /** When this page came on the screen or was touched last, and the seconds before that. */
  readonly since: number;
  readonly spent: number;
}

/** A page that was said, for undo; without a rule it is not shown again. */
export interface SaidPage {
  readonly id: string;
  readonly rule: Rule | null;
  readonly page: readonly Item[];
  readonly marks: ReadonlyMap<string, Json>;
  readonly all: Json;
}

export type Phase = "connecting" | "ready" | "refused";
export type Panel = "none" | "sheet" | "note" | "error";
export type Link = "live" | "busy" | "gone";

export interface State {
  readonly phase: Phase;
  readonly link: Link;
  /** Why the page was refused, for the person. */
  readonly refusal: string;
  readonly annotator: string;
  /** What the kernel chose to show, in words. */
  readonly about: string;
  readonly items: ReadonlyMap<string, Item>;
  /** Ids to come, the first being the current one. */
  readonly queue: readonly string[];
  /** How many at the front of the queue came back by undo: they are pinned too. */
  readonly returned: number;
  /** Events that stand, oldest first. */
  readonly trail: readonly TrailPart[];
  /** Where older ones go on in the log. */
  readonly more: number | null;
  /** Skips that no longer keep their items out of the queue. */
  readonly reopened: ReadonlySet<string>;
  /** The item looked at when going back; null at the head of the queue. */
  readonly cursor: string | null;
  /** Labels of items that are not held, as they are now: the kernel may answer before it hears of it. */
  readonly untold: ReadonlyMap<string, Json>;
  /** Items asked for by id that the kernel does not have (any more). */
  readonly absent: ReadonlySet<string>;
  /** The page of many items, null where one is shown: see `many.ts`. */
  readonly grid: Grid | null;
  /** A page that was left with marks on it: it is opened again as it was. */
  readonly parked: Grid | null;
  /** The newest pages that were said, for undo. */
  readonly pages: readonly SaidPage[];
  /** How items that were asked again were shown, by the answer: for undo. */
  readonly judged: ReadonlyMap<string, Pick<Item, "shown" | "suggestion">>;
  /** How many items were left when the kernel had no more to hand out; null if it had. */
  readonly dry: number | null;
  readonly status: StatusPart | null;
  /** Version of the ranking that the queue follows. */
  readonly rank: number;
  /** What had changed elsewhere when the trail was made: see `StatusPart`. */
  readonly outside: number;
  readonly suggest: boolean;
  readonly panel: Panel;
  /** When the current item came on the screen, in milliseconds. */
  readonly since: number;
  /** Counts the items shown. */
  readonly position: number;
  readonly unsaved: number;
  /** What a screen reader hears. */
  readonly said: string;
  /** One line for the person, such as a rejected event. */
  readonly notice: string;
}

export interface Stamp {
  readonly id: string;
  readonly at: string;
  readonly now: number;
}

export type Action =
  | ({ readonly type: "label"; readonly value: Json } & Stamp)
  | ({ readonly type: "accept" } & Stamp)
  | ({ readonly type: "page"; readonly said: readonly Saying[]; readonly seconds: number } & Stamp)
  | ({ readonly type: "skip" } & Stamp)
  | ({ readonly type: "undo" } & Stamp)
  | ({ readonly type: "flag" } & Stamp)
  | ({ readonly type: "note"; readonly text: string } & Stamp)
  | { readonly type: "back" | "forward"; readonly now: number }
  | { readonly type: "suggest" }
  | { readonly type: "panel"; readonly panel: Panel }
  | { readonly type: "dismiss" }
  | { readonly type: "reopen" }
  | { readonly type: "unsaved"; readonly count: number }
  | { readonly type: "link"; readonly link: Link }
  | {
      readonly type: "message";
      readonly message: FromKernel;
      readonly buffers: readonly DataView[];
      /** What an `items` message answers. */
      readonly asked: Asked | null;
      /** Whether a `welcome` knows all that was said here, so that its trail is the truth. */
      readonly whole?: boolean | undefined;
      readonly now: number;
    };

/** What is said of one of many items at once. */
export interface Saying {
  readonly kind: "label" | "skip";
  readonly item: string;
  readonly value: Json;
  readonly shown: ShownPart;
  /** Its label so far, as far as who says it knows. */
  readonly before: Json;
}

/** The part of a request that tells what an answer without something means. */
export interface Asked {
  readonly n: number;
  readonly ids: readonly string[];
  readonly before: number | null;
  /** Items of which the kernel may not have heard yet, when it answered, what was said here. */
  readonly unheard?: ReadonlySet<string>;
}

export interface Step {
  readonly state: State;
  readonly events: readonly Draft[];
}

/** Longest time that counts for one answer, in seconds: idle time is cut. */
export const MOST_SECONDS = 120;

export function initial(suggest: boolean): State {
  return {
    phase: "connecting",
    link: "live",
    refusal: "",
    annotator: "",
    about: "",
    items: new Map(),
    queue: [],
    returned: 0,
    trail: [],
    more: null,
    reopened: new Set(),
    cursor: null,
    untold: new Map(),
    absent: new Set(),
    grid: null,
    parked: null,
    pages: [],
    judged: new Map(),
    dry: null,
    status: null,
    rank: -1,
    outside: 0,
    suggest,
    panel: "none",
    since: 0,
    position: 0,
    unsaved: 0,
    said: "",
    notice: "",
  };
}

// ---------------------------------------------------------------- reading

/** Id of the item on the screen, null if there is none. */
export const currentId = (state: State): string | null => state.cursor ?? state.queue[0] ?? null;

/** The item on the screen, null if there is none or it has not come yet. */
export function current(state: State): Item | null {
  const id = currentId(state);
  return id === null ? null : (state.items.get(id) ?? null);
}

/** The suggestion that may be seen: not hidden by choice, nor by chance for this item. */
export function visibleSuggestion(state: State, item: Item | null): SuggestionPart | null {
  return item && state.suggest && item.shown.visible ? item.suggestion : null;
}

/**
 * Whether another label is likelier than the suggested one: a model that learns rare labels goes by
 * the signs of an item, as if all labels were as frequent.
 */
export function isRare({ label, ranking }: SuggestionPart): boolean {
  const own = ranking.find(([name]) => name === label)?.[1] ?? null;
  return own !== null && ranking.some(([, share]) => share !== null && share > own);
}

/** Strategies that also ask what has an answer; nobody is to see that before giving another. */
const AGAIN: ReadonlySet<string> = new Set(["repeat", "review", "certify"]);

export const isAgain = (item: Pick<Item, "shown"> | undefined): boolean =>
  item !== undefined && AGAIN.has(item.shown.strategy);

/** Items answered, in the order of their first answer that stands; not those to be asked again. */
export function visited(state: State): readonly string[] {
  const seen = new Set<string>();
  for (const entry of state.trail) if (isAnswer(entry.kind)) seen.add(entry.item);
  for (const id of state.queue) if (isAgain(state.items.get(id))) seen.delete(id);
  return [...seen];
}

/** What the page should ask the kernel for now, null for nothing. */
export function wanted(
  state: State,
): { n: number; keep: string[]; held: string[]; ids: string[]; before: number | null } | null {
  if (state.phase !== "ready" || !state.status) return null;
  const id = currentId(state);
  const missing = id !== null && !state.items.has(id) && !state.absent.has(id) ? [id] : [];
  const places = state.cursor === null ? -1 : visited(state).indexOf(state.cursor);
  // Of a page that is all there is, some may lie further back.
  const page = pageOf(state.trail[0]?.id ?? "");
  const cut = page !== null && page === pageOf(state.trail.at(-1)?.id ?? "");
  const older = state.more !== null && (state.trail.length === 0 || cut || places === 0);
  const low = isShort(state) && state.dry !== state.status.left;
  const stale = state.status.rank > state.rank;
  if (!missing.length && !older && !low && !stale) return null;
  return {
    n: low || stale ? (isHeavy(state) ? state.queue.length : WINDOW) : 0,
    keep: state.queue.slice(0, pinned(state)),
    held: state.queue.filter((held) => state.items.has(held)),
    ids: missing,
    before: older ? state.more : null,
  };
}

/** Items that the kernel may still hand out, as far as the page knows. */
function leftInPool(state: State): number {
  return Math.max(0, (state.status?.left ?? 0) - state.unsaved);
}

function isShort(state: State): boolean {
  const few = Math.min(LEAST, leftInPool(state));
  return state.queue.length < few && !isHeavy(state);
}

const isHeavy = ({ items, queue }: State): boolean =>
  queue.length > PINNED && sizeOf(items, queue) >= MOST_AHEAD;

/** Bytes of the views of some items; a letter counts as two. */
function sizeOf(items: State["items"], ids: Iterable<string>): number {
  let size = 0;
  for (const id of ids) size += bytesOf(items.get(id) ?? NO_VIEW);
  return size;
}

export function bytesOf({ view, buffers }: Pick<Item, "buffers"> & { view: { data: object } }) {
  let size = 0;
  for (const buffer of buffers) size += buffer.byteLength;
  for (const value of Object.values(view.data)) {
    if (typeof value === "string") size += 2 * value.length;
  }
  return size;
}

const NO_VIEW = { view: { data: {} }, buffers: [] };

const pinned = (state: State): number => Math.max(PINNED, state.returned);
const isAnswer = (kind: EventKind): boolean => kind === "label" || kind === "skip";

// ---------------------------------------------------------------- stepping

export function step(state: State, action: Action): Step {
  switch (action.type) {
    case "label":
      return answer(state, action, "label", action.value);
    case "skip":
      return answer(state, action, "skip", null);
    case "accept": {
      const suggestion = visibleSuggestion(state, current(state));
      if (suggestion) return answer(state, action, "label", suggestion.label);
      return quiet({ ...state, said: "There is no suggestion to accept." });
    }
    case "page":
      return answerMany(state, action, action.said, action.seconds);
    case "undo":
      return pageOf(state.trail.at(-1)?.id ?? "") === null
        ? undo(state, action)
        : undoMany(state, action);
    case "flag": {
      const item = current(state);
      if (!item) return quiet(state);
      const flagged = !item.flagged;
      const next = patch(state, item.id, { flagged });
      return remark(next, action, item, "flag", flagged, flagged ? "Flagged." : "Flag removed.");
    }
    case "note": {
      const item = current(state);
      if (!item || action.text === item.note) return quiet({ ...state, panel: "none" });
      const next = { ...patch(state, item.id, { note: action.text }), panel: "none" as const };
      return remark(next, action, item, "note", action.text, "Note kept.");
    }
    case "back":
    case "forward":
      return quiet(move(state, action.type === "back" ? -1 : 1, action.now));
    case "suggest":
      return quiet({
        ...state,
        suggest: !state.suggest,
        said: state.suggest ? "Suggestions hidden." : "Suggestions shown.",
      });
    case "panel":
      return quiet({ ...state, panel: state.panel === action.panel ? "none" : action.panel });
    case "dismiss":
      return quiet({ ...state, panel: "none", notice: "" });
    case "reopen": {
      const skips = state.trail.filter((entry) => entry.kind === "skip").map((entry) => entry.id);
      return quiet({ ...state, reopened: new Set(skips) });
    }
    case "unsaved":
      return quiet({ ...state, unsaved: action.count });
    case "link": {
      const status = action.link === "gone" ? unheard(state.status) : state.status;
      return quiet({ ...state, link: action.link, status });
    }
    case "message":
      if (state.phase === "ready" && action.message.type === "welcome") {
        const next = welcomed(state, action.message);
        return quiet(action.whole ? caughtUp(next, action.message) : next);
      }
      return quiet(receive(state, action.message, action.buffers, action.asked, action.now));
  }
}

const quiet = (state: State): Step => ({ state, events: [] });

/** Of a kernel that is gone, and of what was replaced, no training is heard of any more. */
const unheard = (status: State["status"]): State["status"] =>
  status?.training === "training" ? { ...status, training: "idle", progress: null } : status;

function patch(state: State, id: string, change: Partial<Item>): State {
  const item = state.items.get(id);
  if (!item) return state;
  // Half the cost of `new Map(items)`: every key does this.
  const items = new Map<string, Item>();
  state.items.forEach((held, key) => items.set(key, held));
  return { ...state, items: items.set(id, { ...item, ...change }) };
}

function answer(state: State, stamp: Stamp, kind: "label" | "skip", value: Json): Step {
  const item = current(state);
  if (!item) return quiet(state);
  const draft = drafted(state, stamp, item, kind, value);
  const again = isAgain(item);
  const before = again ? lastLabel(state, item.id) : item.label;
  const entry: TrailPart = { id: stamp.id, kind, item: item.id, value, before };
  // Who goes back to it sees the label.
  const seen = again ? { shown: NOT_SHOWN, suggestion: null } : {};
  const answered = patch(state, item.id, { label: value, ...seen });
  const next: State = {
    ...answered,
    judged: again ? new Map(state.judged).set(stamp.id, asIs(item)) : state.judged,
    trail: [...state.trail, entry],
    since: stamp.now,
    position: state.position + 1,
    panel: "none",
    notice: "",
  };
  if (state.cursor !== null) {
    // A skipped item that was put back may also stand in the queue: it is answered now.
    const at = state.queue.indexOf(item.id);
    const queue = state.queue.filter((id) => id !== item.id);
    const returned = at >= 0 && at < state.returned ? state.returned - 1 : state.returned;
    const moved = move({ ...next, queue, returned }, 1, stamp.now);
    return {
      state: say(moved, kind === "skip" ? "Skipped" : describeValue(value)),
      events: [draft],
    };
  }
  const head: State = {
    ...next,
    queue: state.queue.slice(1),
    returned: Math.max(0, state.returned - 1),
  };
  return { state: say(head, kind === "skip" ? "Skipped" : describeValue(value)), events: [draft] };
}

/** The strategy of items that show how closely somebody looks: see `docs/certificates.md`. */
const TRAP = "trap";

/** Items that can be labeled at once. */
export const MOST_AT_ONCE = 1000;

/** Each has an event of its own, with a share of the time. */
function answerMany(state: State, stamp: Stamp, said: readonly Saying[], seconds: number): Step {
  if (said.length > MOST_AT_ONCE) {
    const notice = `At most ${count(MOST_AT_ONCE)} items are labeled at once; ${count(said.length)} were chosen.`;
    return quiet({ ...state, notice, said: notice });
  }
  // What an earlier page could not deliver goes first: see `Channel.adopt`.
  if (!said.length || state.phase !== "ready") return quiet(state);
  const share = Math.min(MOST_SECONDS, Math.max(0, seconds / said.length));
  const items = new Map(state.items);
  const untold = new Map(state.untold);
  const trail = [...state.trail];
  const gone = new Set<string>();
  const events: Draft[] = [];
  for (const [k, { kind, item, value, shown, before }] of said.entries()) {
    const id = `${stamp.id}/${k}`;
    events.push({
      id,
      kind,
      item,
      value,
      at: stamp.at,
      seconds: Math.round(share * 1000) / 1000,
      shown: { ...shown, position: state.position + k },
    });
    if (shown.strategy === TRAP) continue; // what is said of it is no label
    gone.add(item);
    const known = items.get(item);
    const stood = isAgain(known) ? lastLabel(state, item) : labelOf(state, item, before);
    trail.push({ id, kind, item, value, before: stood });
    // It is not asked any more as it was to be: who goes back to it looks at it.
    const seen = { label: value, shown: NOT_SHOWN, suggestion: null };
    if (known) items.set(item, { ...known, ...seen });
    else untold.set(item, value);
  }
  const returned = state.queue.slice(0, state.returned).filter((id) => !gone.has(id)).length;
  const next: State = {
    ...state,
    items,
    untold,
    trail,
    queue: state.queue.filter((id) => !gone.has(id)),
    returned,
    since: stamp.now,
    position: state.position + said.length,
    panel: "none",
    notice: "",
    said: `${said.length} ${said.length === 1 ? "item" : "items"} labeled.`,
  };
  return { state: next, events };
}

/** The page that an event was said on: all of one page share its id, and are counted. */
export const pageOf = (id: string): string | null => /^(.+)\/\d+$/.exec(id)?.[1] ?? null;

/** What was said last: one event, or all of a page. */
export function newest(trail: readonly TrailPart[]): readonly TrailPart[] {
  const page = pageOf(trail.at(-1)?.id ?? "");
  if (page === null) return trail.slice(-1);
  let from = trail.length;
  while (from > 0 && pageOf(trail[from - 1]?.id ?? "") === page) from -= 1;
  return trail.slice(from);
}

/** Take back a whole page, the newest first. */
function undoMany(state: State, stamp: Stamp): Step {
  const gone = newest(state.trail);
  const events: Draft[] = [];
  let next: State = { ...state, notice: "", dry: null };
  for (const [k, entry] of [...gone].reverse().entries()) {
    events.push({
      id: `${stamp.id}/${k}`,
      kind: "retract",
      item: entry.item,
      value: entry.id,
      at: stamp.at,
      seconds: null,
      shown: NOT_SHOWN,
    });
    next = takenBack({ ...next, trail: next.trail.slice(0, -1) }, entry);
    next = forgotten(next, entry.item);
  }
  const { cursor } = next;
  if (cursor !== null && !isAnswered(next, cursor) && next.more === null)
    next = openAgain(next, cursor);
  const said = `Took back ${gone.length} labels.`;
  return { state: { ...next, since: stamp.now, said }, events };
}

/** It may be asked again: how, the kernel says when it is. */
function forgotten(state: State, id: string): State {
  const item = state.items.get(id);
  if (!item || isAgain(item) || id === state.cursor) return state;
  const items = new Map(state.items);
  items.delete(id);
  return { ...state, items, untold: new Map(state.untold).set(id, item.label) };
}

const asIs = ({ shown, suggestion }: Item) => ({ shown, suggestion });

/** The label that stands for an item, as far as the trail tells. */
function lastLabel({ trail }: State, item: string): Json {
  const last = trail.filter((e) => isAnswer(e.kind) && e.item === item).at(-1);
  return last?.kind === "label" ? last.value : null;
}

/** The label of an item: what is known here stands above what the kernel, or another, was told. */
export function labelOf({ items, trail, untold }: State, id: string, told: Json): Json {
  const known = items.get(id);
  if (known) return known.label;
  const now = untold.get(id);
  if (now !== undefined) return now;
  const last = trail.filter((e) => isAnswer(e.kind) && e.item === id).at(-1);
  return last ? (last.kind === "label" ? last.value : null) : told;
}

/** Flags and notes stay beside the item; they do not move on. */
function remark(
  state: State,
  stamp: Stamp,
  item: Item,
  kind: "flag" | "note",
  value: string | boolean,
  said: string,
): Step {
  const entry: TrailPart = { id: stamp.id, kind, item: item.id, value, before: null };
  return {
    state: { ...state, trail: [...state.trail, entry], said },
    events: [{ ...drafted(state, stamp, item, kind, value), seconds: null }],
  };
}

function drafted(state: State, stamp: Stamp, item: Item, kind: EventKind, value: Json): Draft {
  const seconds = Math.min(MOST_SECONDS, Math.max(0, (stamp.now - state.since) / 1000));
  const visible = visibleSuggestion(state, item) !== null;
  return {
    id: stamp.id,
    kind,
    item: item.id,
    value,
    at: stamp.at,
    seconds: Math.round(seconds * 1000) / 1000,
    shown: { ...item.shown, visible, position: state.position },
  };
}

function undo(state: State, stamp: Stamp): Step {
  const last = state.trail.at(-1);
  if (!last) return quiet({ ...state, said: "There is nothing to undo." });
  const trail = state.trail.slice(0, -1);
  const item = state.items.get(last.item);
  const draft: Draft = {
    id: stamp.id,
    kind: "retract",
    item: last.item,
    value: last.id,
    at: stamp.at,
    seconds: null,
    shown: item?.shown ?? NOT_SHOWN,
  };
  let next = takenBack({ ...state, trail, notice: "" }, last);
  if (isAnswer(last.kind)) {
    const asked = item && state.judged.get(last.id);
    // It is asked as it was, and blind if it was: undo does not tell what was said before.
    if (asked) next = patch(next, last.item, { ...asked, label: null });
    else if (isAgain(item)) next = seenAgain(next, last);
    const queue = next.queue.filter((id) => id !== last.item);
    next =
      !asked && isAnswered(next, last.item)
        ? { ...next, cursor: last.item }
        : { ...next, cursor: null, queue: [last.item, ...queue], returned: next.returned + 1 };
    next = { ...next, since: stamp.now };
  }
  const what = last.kind === "label" ? describeValue(last.value) : last.kind;
  return { state: say(next, `Took back ${what}`), events: [draft] };
}

/** What was to be asked again is looked at, with its label: it is not asked blind any more. */
function seenAgain(state: State, { item, before }: TrailPart): State {
  const at = state.queue.indexOf(item);
  return {
    ...patch(state, item, { shown: NOT_SHOWN, suggestion: null, label: before }),
    queue: state.queue.filter((id) => id !== item),
    returned: at >= 0 && at < state.returned ? state.returned - 1 : state.returned,
  };
}

export const NOT_SHOWN: ShownPart = {
  strategy: "browse",
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

function move(state: State, by: -1 | 1, now: number): State {
  const path = visited(state);
  const at = state.cursor === null ? path.length : path.indexOf(state.cursor);
  const to = at + by;
  if (to < 0) return { ...state, said: "This is the first one." };
  if (to > path.length) return { ...state, said: "This is the newest one." };
  return say({ ...state, cursor: path[to] ?? null, since: now, panel: "none" }, "");
}

/** Tell a screen reader what was done and what is on the screen now. */
function say(state: State, done: string): State {
  const item = current(state);
  const suggestion = item?.label === null ? visibleSuggestion(state, item) : null;
  const known = item ? describe(item) : currentId(state) ? "Loading." : "No more items.";
  const text = suggestion ? `${known} Suggested ${inWords(suggestion)}.` : known;
  return { ...state, said: done ? `${done}. ${text}` : text };
}

function inWords(suggestion: SuggestionPart): string {
  const { label, confidence } = suggestion;
  const sure = confidence === null ? "" : `, ${percent(confidence)}`;
  return `${describeValue(label)}${sure}${isRare(suggestion) ? ", a rare label" : ""}`;
}

/** An item in words. */
export function describe(item: Item): string {
  const text = item.view.data["text"];
  const shown = typeof text === "string" ? text.slice(0, 160) : `${item.view.kind} ${item.name}`;
  return item.label === null ? shown : `${shown} Labeled ${describeValue(item.label)}.`;
}

// ---------------------------------------------------------------- receiving

function receive(
  state: State,
  message: FromKernel,
  buffers: readonly DataView[],
  asked: Asked | null,
  now: number,
): State {
  switch (message.type) {
    case "welcome":
      return {
        ...welcomed(state, message),
        trail: message.trail,
        more: message.more,
        outside: message.status.outside,
      };
    case "items":
      return receiveItems(state, message, buffers, asked, now);
    case "ack":
      return { ...state, link: "live", status: message.status };
    case "reject":
      return message.retry
        ? { ...state, notice: message.text }
        : { ...forget(state, message.ids), notice: message.text };
    case "found":
    case "module":
    case "piece":
    case "charted":
      return state;
    case "planned":
      return { ...state, status: message.status };
    case "refuse":
      return {
        ...state,
        phase: "refused",
        refusal: message.text,
        status: unheard(state.status),
      };
  }
}

function welcomed(state: State, message: Welcome): State {
  const { annotator, note: about, status } = message;
  return { ...state, phase: "ready", link: "live", refusal: "", annotator, about, status };
}

/** What others said of this log, or took back, is known here from now on. */
function caughtUp(state: State, { trail, more, status }: Welcome): State {
  let next: State = { ...state, trail, more, outside: status.outside };
  const known = new Set(state.trail.map((e) => e.id));
  const stands = new Set(trail.map((e) => e.id));
  const changed = [
    ...state.trail.filter((e) => !stands.has(e.id)),
    ...trail.filter((e) => !known.has(e.id)),
  ];
  if (!changed.length) return next;
  // Asked for anew when they are looked at; what lies under the eye or next stays on the screen.
  const stay = new Set([currentId(next), ...next.queue.slice(0, pinned(next))]);
  const items = new Map(next.items);
  const untold = new Map(next.untold);
  for (const { item } of changed) {
    untold.delete(item);
    if (!stay.has(item)) items.delete(item);
  }
  next = { ...next, items, untold, rank: -1, dry: null };
  for (const { item, kind } of changed) next = patch(next, item, told(next, item, kind));
  const { cursor } = next;
  const answered = cursor === null || isAnswered(next, cursor) || next.more !== null;
  return answered || !changed.some((e) => e.item === cursor) ? next : openAgain(next, cursor);
}

/** What the trail tells of an item; nothing where older words may stand. */
function told({ trail, more, items }: State, item: string, kind: EventKind): Partial<Item> {
  const last = trail.filter((e) => e.item === item && isSameMatter(e.kind, kind)).at(-1);
  if (!last && more !== null) return {};
  if (kind === "flag") return { flagged: last?.value === true };
  if (kind === "note") return { note: String(last?.value ?? "") };
  if (isAgain(items.get(item))) return {};
  return { label: last?.kind === "label" ? String(last.value) : null };
}

/** What is looked at has no answer any more: it stays under the eye, as an item to answer. */
function openAgain(state: State, item: string): State {
  const queue = [item, ...state.queue.filter((id) => id !== item)];
  return { ...state, cursor: null, queue, returned: state.returned + 1 };
}

/** What the kernel will not store did not happen. */
function forget(state: State, ids: readonly string[]): State {
  const lost = state.trail.filter((entry) => ids.includes(entry.id));
  let next = state;
  for (const entry of lost.reverse()) {
    const at = next.trail.indexOf(entry);
    const later = next.trail.slice(at + 1);
    const follower = later.find((e) => e.item === entry.item && isSameMatter(e.kind, entry.kind));
    const trail = next.trail
      .filter((e) => e !== entry)
      .map((e) => (e === follower ? { ...e, before: entry.before } : e));
    // What was said of the same matter later stands.
    next = follower ? { ...next, trail } : takenBack({ ...next, trail }, entry);
    if (!isAnswer(entry.kind) || isAnswered(next, entry.item)) continue;
    if (next.cursor === entry.item) {
      next = openAgain(next, entry.item);
    } else if (!next.queue.includes(entry.item)) {
      const [head, ...rest] = next.queue;
      next = { ...next, queue: head === undefined ? [entry.item] : [head, entry.item, ...rest] };
    }
  }
  return next;
}

const isSameMatter = (a: EventKind, b: EventKind): boolean =>
  a === b || (isAnswer(a) && isAnswer(b));

export const isAnswered = (state: State, item: string): boolean =>
  state.trail.some((entry) => isAnswer(entry.kind) && entry.item === item);

/** The item as it was before an event that has left the trail. */
function takenBack(state: State, entry: TrailPart): State {
  switch (entry.kind) {
    case "flag":
      return patch(state, entry.item, { flagged: entry.value !== true });
    case "note": {
      const earlier = state.trail.filter((e) => e.kind === "note" && e.item === entry.item).at(-1);
      const note = typeof earlier?.value === "string" ? earlier.value : "";
      return patch(state, entry.item, { note });
    }
    default:
      if (isAgain(state.items.get(entry.item))) return state;
      if (state.items.has(entry.item)) return patch(state, entry.item, { label: entry.before });
      return { ...state, untold: new Map(state.untold).set(entry.item, entry.before) };
  }
}

function receiveItems(
  state: State,
  message: Items,
  buffers: readonly DataView[],
  asked: Asked | null,
  now: number,
): State {
  const items = new Map(state.items);
  const again = new Set<string>();
  const answered = new Set(
    state.trail.filter((e) => isAnswer(e.kind) && !state.reopened.has(e.id)).map((e) => e.item),
  );
  let offset = 0;
  for (const part of message.items) {
    const count = part.view?.buffers ?? 0;
    const own = buffers.slice(offset, offset + count);
    offset += count;
    const known = items.get(part.id);
    // What is under the eye stays as it is: a new suggestion could be accepted unseen.
    if (known && part.id === currentId(state)) continue;
    if (isAgain(part)) {
      // Answered meanwhile: to the kernel's knowledge it still has to be asked.
      if (part.id === state.cursor || asked?.unheard?.has(part.id)) continue;
      again.add(part.id);
    }
    const view = part.view ?? known?.view;
    if (!view) continue;
    const made = merged(part, view, part.view ? own : (known?.buffers ?? []), known);
    // An answer from before it was answered here; as it was to be asked it is not asked any more.
    const { shown, suggestion } = known && answered.has(part.id) && !isAgain(part) ? known : made;
    const item = { ...made, shown, suggestion };
    const label = known || isAgain(part) ? undefined : state.untold.get(part.id);
    items.set(part.id, label === undefined ? item : { ...item, label });
  }
  const wasEmpty = currentId(state) === null || !state.items.has(currentId(state) ?? "");
  let queue = state.queue;
  if (message.window) {
    const head = state.queue.slice(0, pinned(state));
    const tail = message.order.filter(
      (id) => !head.includes(id) && (again.has(id) || !answered.has(id)),
    );
    queue = [...head, ...tail.filter((id) => items.has(id))];
    // No longer asked again: what it is now, with its label, is fetched if it is looked at.
    for (const id of state.queue) {
      if (isAgain(items.get(id)) && !queue.includes(id)) items.delete(id);
    }
  }
  const absent = asked?.ids.filter((id) => !items.has(id)) ?? [];
  if (absent.length) queue = queue.filter((id) => !absent.includes(id));
  const older = message.trail.filter((e) => !state.trail.some((known) => known.id === e.id));
  let next: State = {
    ...state,
    link: "live",
    items,
    untold: new Map([...state.untold].filter(([id]) => !items.has(id))),
    queue,
    trail: older.length ? [...older, ...state.trail] : state.trail,
    more: asked && asked.before === null ? state.more : message.more,
    absent: absent.length ? new Set([...state.absent, ...absent]) : state.absent,
    notice: absent.length ? "An item that was labeled is not in this data any more." : state.notice,
    rank: message.window ? message.rank : state.rank,
    status: message.status,
    since: wasEmpty ? now : state.since,
  };
  if (asked?.n) {
    const none = isShort(next) && queue.length <= state.queue.length;
    next = { ...next, dry: none ? message.status.left : null };
  }
  const pruned = prune(next);
  return wasEmpty && current(pruned) ? say(pruned, "") : pruned;
}

/** The item on the screen keeps what was shown: only its tail may change under the eye. */
function merged(
  part: ItemPart,
  view: ViewPart,
  buffers: readonly DataView[],
  known: Item | undefined,
): Item {
  // What was hidden is no label that was taken back; what is asked again does not show it.
  const label = isAgain(part) ? null : known && !isAgain(known) ? known.label : part.label;
  return {
    id: part.id,
    name: part.name,
    reason: part.reason,
    shown: part.shown,
    suggestion: part.suggestion,
    view: known && !part.view ? known.view : view,
    buffers,
    label,
    note: known ? known.note : part.note,
    flagged: known ? known.flagged : part.flagged,
    copies: part.copies,
  };
}

/** Let go of views of long ago, at times, so that it is not done at every answer. */
function prune(state: State): State {
  const { items } = state;
  const few = items.size <= WINDOW * 2 + KEEP_BEHIND;
  if (few && sizeOf(items, items.keys()) <= MOST_AHEAD + 2 * MOST_BEHIND) return state;
  const keep = new Set(state.queue);
  if (state.cursor !== null) keep.add(state.cursor);
  let left = MOST_BEHIND;
  for (const id of visited(state).slice(-KEEP_BEHIND).reverse()) {
    left -= sizeOf(items, [id]);
    if (left < 0) break;
    keep.add(id);
  }
  return { ...state, items: new Map([...items].filter(([id]) => keep.has(id))) };
}
