// Many items on one page: which ones, what was pressed on them, and the step that says it all.
// Pure, as `state.ts` is, which it builds on: it takes what is about a page and leaves the rest.

import type { FindPart } from "./channel";
import type { Found, FromKernel, Json } from "./protocol";
import {
  MOST_SECONDS,
  bytesOf,
  isAgain,
  isAnswered,
  labelOf,
  newest,
  pageOf,
  step as stepOne,
  type Action,
  type Grid,
  type Item,
  type Rule,
  type SaidPage,
  type Saying,
  type Stamp,
  type State,
  type Step,
} from "./state";

export type ManyAction =
  | ({ readonly type: "open"; readonly rule: Rule } & Stamp)
  | { readonly type: "close"; readonly now: number }
  | { readonly type: "room"; readonly size: number; readonly now: number }
  | { readonly type: "mark"; readonly items: readonly string[]; readonly value: Json; now: number }
  | { readonly type: "all"; readonly value: Json; readonly now: number }
  | ({ readonly type: "confirm" } & Stamp)
  | { readonly type: "pass"; readonly now: number }
  | {
      readonly type: "found";
      readonly turn: string;
      readonly message: Extract<FromKernel, { type: "found" }>;
      readonly buffers: readonly DataView[];
      readonly now: number;
    };

type Unstamped<A> = A extends { readonly now: number } ? Omit<A, "id" | "at" | "now"> : A;
/** What a person means; who and when is added where it is stepped. */
export type Intent = Unstamped<Action | ManyAction>;

/** Before the screen has been measured. */
const FIRST_SIZE = 24;
/** Pages ahead that a page asks for, and how large they may be. */
const PAGES_AHEAD = 2;
const MOST_AHEAD = 16_000_000;
/** Items by name that one message may ask for. */
const MOST_IDS = 5000;
/** Items seen before that the kernel is told of, and pages that are remembered. */
const MOST_SEEN = 4000;
const MOST_PAGES = 10;

// ---------------------------------------------------------------- reading

/** What the kernel should be asked for, null for nothing. */
export function lacking(
  state: State,
): { readonly turn: string; readonly part: FindPart; readonly again: boolean } | null {
  const { grid } = state;
  if (!grid || state.phase !== "ready" || !grid.more || grid.error) return null;
  if (grid.rule.rule === "search" && !grid.rule.of) return null; // they are typed on the page
  const { page, ahead, size, turn, rule, pending } = grid;
  const missing = (page.length ? 0 : size) + PAGES_AHEAD * size - ahead.length;
  const heavy =
    ahead.length >= size && ahead.reduce((sum, item) => sum + bytesOf(item), 0) > MOST_AHEAD;
  // By pages, not by single items.
  if (missing < size || heavy) return null;
  const held = [...page, ...ahead].map(({ id }) => id);
  const but = [...held, ...grid.seen.slice(-MOST_SEEN)];
  return { turn, part: { ...rule, n: missing, but }, again: pending };
}

/** Whether each item is to be verified as what the machine says, and not all as one class. */
export const verifies = ({ rule }: Pick<Grid, "rule">): boolean => rule.rule === "certify";

/** What an item of the page will be labeled as: nothing if it stays as it is, null if put away. */
export function said(grid: Grid, item: Item): Json | undefined {
  const mark = grid.marks.get(item.id);
  if (mark !== undefined) return mark;
  if (verifies(grid)) return item.shown.suggestion ?? undefined;
  return item.label === null && grid.all !== null ? grid.all : undefined;
}

/** How many of the page differ from the others. */
export const changed = ({ page, marks }: Grid): number =>
  page.filter(({ id }) => marks.has(id)).length;

// ---------------------------------------------------------------- stepping

export function step(state: State, action: Action | ManyAction): Step {
  const { grid } = state;
  switch (action.type) {
    case "open":
      return quiet(opened(state, action.rule, action));
    case "close":
      return quiet({ ...left(state), grid: null, since: action.now });
    case "found":
      return quiet(grid?.turn === action.turn ? found(state, grid, action) : state);
    case "room":
      return quiet(grid ? { ...state, grid: resized(grid, action.size) } : state);
    case "mark":
      return quiet(grid ? { ...state, grid: marked(touched(grid, action.now), action) } : state);
    case "all":
      return quiet(
        grid ? { ...state, grid: { ...touched(grid, action.now), all: action.value } } : state,
      );
    case "pass":
      // What was drawn to be verified is not passed over.
      return quiet(grid && !verifies(grid) ? { ...state, grid: turned(grid, action.now) } : state);
    case "confirm":
      return grid ? confirmed(state, grid, action) : quiet(state);
    case "page": {
      const made = stepOne(state, action);
      if (!made.events.length) return made;
      const nothing = { rule: null, page: [], marks: new Map(), all: null };
      return { ...made, state: refreshed(remembered(made.state, { id: action.id, ...nothing })) };
    }
    case "undo":
      return undone(state, action);
    case "label":
    case "accept":
    case "skip": {
      // Whoever answers the single item has it on the screen.
      const made = stepOne(state, action);
      return made.events.length ? { ...made, state: { ...made.state, grid: null } } : made;
    }
    case "message": {
      // What others said of items on the page shows on it.
      const made = stepOne(state, action);
      const said = action.message.type === "welcome";
      return { ...made, state: ended(said ? refreshed(made.state) : made.state) };
    }
    default:
      return stepOne(state, action);
  }
}

const quiet = (state: State): Step => ({ state, events: [] });

/** A page with marks on it is put by. */
function left(state: State): State {
  const { grid } = state;
  const n = grid ? changed(grid) : 0;
  if (!n) return state;
  const said = `${n} ${n === 1 ? "mark is" : "marks are"} kept: they are there when this page is opened again.`;
  return { ...state, parked: grid, said };
}

function opened(before: State, rule: Rule, { id, now }: Pick<Stamp, "id" | "now">): State {
  const state = left(before);
  const { parked } = state;
  if (parked && parked !== state.grid && sameRule(parked.rule, rule)) {
    const open = parked.rule.rule === "class" || parked.rule.rule === "similar";
    const page = parked.page.filter((item) => !open || !isAnswered(state, item.id));
    const grid = { ...parked, turn: id, page, since: now, size: state.grid?.size ?? parked.size };
    return refreshed({ ...state, grid, parked: null, panel: "none", notice: "" });
  }
  const size = state.grid?.size ?? FIRST_SIZE;
  const grid: Grid = {
    turn: id,
    rule: { ...rule, ids: rule.ids.slice(0, MOST_IDS) },
    size,
    page: [],
    ahead: [],
    marks: new Map(),
    all: rule.rule === "class" ? rule.of || null : null,
    seen: [],
    pages: 0,
    more: true,
    left: 0,
    counts: {},
    pending: false,
    error: "",
    since: now,
    spent: 0,
  };
  return { ...state, grid, panel: "none", notice: "" };
}

/** Idle time is cut, as it is for one item. */
function touched(grid: Grid, now: number): Grid {
  const seconds = Math.min(MOST_SECONDS, Math.max(0, (now - grid.since) / 1000));
  return { ...grid, since: now, spent: grid.spent + seconds };
}

function resized(grid: Grid, size: number): Grid {
  const all = [...grid.page, ...grid.ahead];
  return { ...grid, size, page: arranged(grid, all.slice(0, size)), ahead: all.slice(size) };
}

/** What the machine says is one beside the other, so that what is wrong stands out. */
function arranged(grid: Grid, page: readonly Item[]): readonly Item[] {
  if (!verifies(grid)) return page;
  const name = ({ shown }: Item) => JSON.stringify(shown.suggestion);
  return [...page].sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}

/** Once a certificate is reached, or given up, there is nothing more to verify. */
function ended(state: State): State {
  const { grid, status } = state;
  if (!grid || !verifies(grid) || !status || status.certify?.state === "verifying") return state;
  const none = { page: [], ahead: [], marks: new Map(), more: false, left: 0 };
  return grid.more || grid.page.length ? { ...state, grid: { ...grid, ...none } } : state;
}

function marked(
  grid: Grid,
  { items, value }: { readonly items: readonly string[]; readonly value: Json },
): Grid {
  const marks = new Map(grid.marks);
  for (const id of items) {
    const item = grid.page.find((one) => one.id === id);
    if (!item) continue;
    const before = marks.get(id);
    marks.delete(id);
    // Pressed again, or what it is anyway: no mark.
    const plain = verifies(grid) ? item.shown.suggestion : (item.label ?? grid.all);
    if (before !== value && (value === null || value !== plain)) marks.set(id, value);
  }
  return { ...grid, marks };
}

/** The next page, and nothing is said of this one. */
function turned(grid: Grid, now: number): Grid {
  const { page, ahead, size, seen } = grid;
  const next = arranged(grid, ahead.slice(0, size));
  // What nobody has said anything of still has to be verified.
  const done = verifies(grid) ? page.filter((item) => said(grid, item) !== undefined) : page;
  const later = new Set(ahead.map(({ id }) => id));
  return {
    ...grid,
    page: next,
    ahead: ahead.slice(size),
    // Of a page that came back some may not have had room.
    marks: new Map([...grid.marks].filter(([id]) => later.has(id))),
    // Labels for all are about what was looked at.
    all: grid.rule.rule === "class" ? grid.rule.of || null : null,
    seen: [...seen, ...done.map(({ id }) => id)].slice(-MOST_SEEN),
    pages: grid.pages + (page.length ? 1 : 0),
    more: grid.more || !next.length, // the model may have learned meanwhile
    since: now,
    spent: 0,
  };
}

function confirmed(state: State, grid: Grid, stamp: Stamp): Step {
  const sayings: Saying[] = [];
  for (const item of grid.page) {
    const value = said(grid, item);
    if (value === undefined) continue;
    const kind = value === null ? ("skip" as const) : ("label" as const);
    sayings.push({ kind, item: item.id, value, shown: item.shown, before: item.label });
  }
  if (!sayings.length) {
    return quiet({ ...state, said: "Nothing is labeled on this page: press the key of a label." });
  }
  const seconds = touched(grid, stamp.now).spent;
  const { id, at, now } = stamp;
  const made = stepOne(state, { type: "page", said: sayings, seconds, id, at, now });
  const { rule, page, marks, all } = grid;
  const next = remembered(made.state, { id, rule, page, marks, all });
  return { ...made, state: { ...next, grid: turned(grid, now) } };
}

const remembered = (state: State, page: SaidPage): State => ({
  ...state,
  pages: [...state.pages, page].slice(-MOST_PAGES),
});

/** What was said beside the page shows on it. */
function refreshed(state: State): State {
  const { grid } = state;
  if (!grid || verifies(grid)) return state;
  const now = (item: Item) => ({ ...item, label: labelOf(state, item.id, item.label) });
  return { ...state, grid: { ...grid, page: grid.page.map(now), ahead: grid.ahead.map(now) } };
}

/** The newest mark of the page, or else what was said last: a page comes back as it was. */
function undone(state: State, stamp: Action & { readonly type: "undo" }): Step {
  const { grid } = state;
  const last =
    grid && [...grid.marks.keys()].filter((id) => grid.page.some((o) => o.id === id)).at(-1);
  if (grid && last !== undefined && last !== null) {
    const marks = new Map(grid.marks);
    marks.delete(last);
    return quiet({ ...state, grid: { ...touched(grid, stamp.now), marks }, said: "Mark removed." });
  }
  const gone = newest(state.trail);
  const made = stepOne(state, stamp);
  const id = pageOf(gone[0]?.id ?? "");
  if (!made.events.length) return made;
  // One item was asked before the page was opened: it is on the screen again.
  if (id === null) return { ...made, state: { ...made.state, grid: null } };
  const known = state.pages.find((page) => page.id === id);
  const pages = state.pages.filter((page) => page !== known);
  const next: State = { ...made.state, pages };
  if (known && !known.rule) return { ...made, state: refreshed(next) };
  return {
    ...made,
    state: known?.rule ? back(next, known, known.rule, stamp) : anew(next, gone, stamp),
  };
}

/** A page that was said is on the screen again, with its marks. */
function back(state: State, said: SaidPage, rule: Rule, stamp: Stamp): State {
  const same = state.grid !== null && sameRule(state.grid.rule, rule);
  const grid = same && state.grid ? state.grid : opened(state, rule, stamp).grid;
  if (!grid) return state;
  const { page, marks, all } = said;
  const ids = new Set(page.map(({ id }) => id));
  return {
    ...state,
    grid: {
      ...grid,
      page,
      ahead: [...grid.page, ...grid.ahead].filter(({ id }) => !ids.has(id)),
      marks,
      all,
      seen: grid.seen.filter((id) => !ids.has(id)),
      pages: Math.max(0, grid.pages - 1),
      since: stamp.now,
      spent: 0,
    },
  };
}

/** A page of which only the log knows: its items, each marked as it was. */
function anew(state: State, gone: State["trail"], stamp: Stamp): State {
  const ids = gone.map(({ item }) => item);
  const next = opened(state, { rule: "ids", of: "", ids, strategy: "grid", least: false }, stamp);
  const marks = new Map(
    gone.map(({ item, kind, value }) => [item, kind === "skip" ? null : value]),
  );
  return next.grid ? { ...next, grid: { ...next.grid, marks } } : next;
}

const sameRule = (a: Rule, b: Rule): boolean =>
  a.rule === b.rule && a.of === b.of && a.least === b.least && !a.ids.length && !b.ids.length;

function found(
  state: State,
  grid: Grid,
  { message, buffers, now }: Extract<ManyAction, { type: "found" }>,
): State {
  if (message.error !== null) {
    return {
      ...state,
      grid: { ...grid, error: message.error, pending: false },
      said: message.error,
    };
  }
  const { fresh, again, unheard } = tiles(state, grid, message, buffers);
  const rule = { ...grid.rule, of: message.of };
  const is = rule.rule === "class";
  const pending = message.pending || (unheard && !fresh.length);
  const next: Grid = {
    ...grid,
    rule,
    all: is && grid.all === null && grid.rule.of === "" ? message.of || null : grid.all,
    ahead: [...grid.ahead, ...fresh],
    seen: [...grid.seen, ...again],
    more: pending || message.left > 0,
    left: message.left,
    counts: is ? message.counts : grid.counts,
    pending,
  };
  if (grid.page.length) return { ...state, grid: next };
  const filled = resized(next, grid.size);
  return { ...state, grid: { ...filled, since: now, spent: 0 } };
}

/** What was brought: what may be shown, what may not, and whether the kernel had not heard of all. */
function tiles(
  state: State,
  grid: Grid,
  message: Found,
  buffers: readonly DataView[],
): { readonly fresh: readonly Item[]; readonly again: readonly string[]; unheard: boolean } {
  const here = new Set([...grid.page, ...grid.ahead].map(({ id }) => id));
  const open = grid.rule.rule === "class" || grid.rule.rule === "similar";
  const fresh: Item[] = [];
  const again: string[] = [];
  let unheard = false;
  let offset = 0;
  for (const part of message.items) {
    const { view } = part;
    if (!view) continue;
    const own = buffers.slice(offset, offset + view.buffers);
    offset += view.buffers;
    if (here.has(part.id)) continue;
    if (verifies(grid)) {
      fresh.push({ ...part, view, buffers: own, label: null }); // what was said of it is not shown
      continue;
    }
    if (isAgain(state.items.get(part.id)))
      again.push(part.id); // it is judged blind
    else if (open && isAnswered(state, part.id)) unheard = true;
    else fresh.push({ ...part, view, buffers: own, label: labelOf(state, part.id, part.label) });
  }
  return { fresh, again, unheard };
}
