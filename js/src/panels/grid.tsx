// A page of many items: tiles, what is pressed on them, and one key for all that is right.

import { count, describeValue, percent } from "../format";
import {
  capOfLabel,
  commandFor,
  isMany,
  keyCap,
  pressName,
  type Press,
  type TaskSpec,
} from "../keymap";
import { changed, said, verifies, type Intent } from "../many";
import type { KeyHelp } from "../modules";
import type { Json, SuggestionPart } from "../protocol";
import { search } from "../search";
import type { Grid, Item, Rule } from "../state";
import { cut } from "../text";
import { make, replaced, styled } from "../looks/paper";
import css from "./grid.css";

export interface GridHost {
  readonly task: TaskSpec;
  act(action: Intent): void;
  /** The page as it is now. */
  grid(): Grid | null;
  say(text: string): void;
  /** Draw an item as its card does; the result takes it away. */
  draw(el: HTMLElement, item: Item, suggestion: SuggestionPart | null): () => void;
}

export interface MountedGrid {
  show(grid: Grid): void;
  /** A key, before the labeler looks at it; true if it meant something here. */
  press(press: Press, target: EventTarget | null): boolean;
  /** Letters, and Enter, that were pressed for the field of words before it was there. */
  type(presses: readonly Press[]): void;
  release(): void;
  destroy(): void;
  readonly keys: readonly KeyHelp[];
}

/** The default export of `panel-grid`. */
export interface GridPanel {
  mount(el: HTMLElement, host: GridHost): MountedGrid;
}

const GAP = 8;
/** The tiles of a page are at most so high together, in pixels, and at most so many. */
const HEIGHT = 430;
const MOST_TILES = 100;
/** Before there is a width, as in a hidden tab. */
const WIDTH = 640;
/** Letters of a text that a tile shows at most. */
const MOST_LETTERS = 600;
/** Names that are offered while one is typed. */
const MOST_OFFERED = 6;
/** Widths and heights of tiles, from the smallest on: images, and everything else. */
const SIZES = {
  image: [48, 64, 88, 120, 168, 240, 340].map((side) => [side, side] as const),
  card: [
    [170, 92],
    [230, 112],
    [310, 136],
    [430, 180],
    [640, 260],
  ] as const,
} as const;
type Family = keyof typeof SIZES;
/** Where `+` and `-` have left it, for the next time. */
const scales: Record<Family, number> = { image: 2, card: 1 };

interface Tile {
  readonly el: HTMLElement;
  readonly view: HTMLElement;
  readonly mark: HTMLElement;
  readonly copies: HTMLElement;
  undraw: () => void;
}

let mounted = 0;

class GridView {
  private readonly el = make("section", "nblabel-grid");
  private readonly title = make("strong", "nblabel-grid-title");
  private readonly about = make("span", "nblabel-grid-about");
  private readonly find = make("input", "nblabel-grid-find");
  private readonly box = make("div", "nblabel-grid-box");
  private readonly list = make("div", "nblabel-tiles");
  private readonly empty = make("div", "nblabel-grid-empty");
  private readonly labels = make("div", "nblabel-grid-labels");
  private readonly field = make("input", "nblabel-search");
  private readonly line = make("div", "nblabel-grid-keys");
  private readonly tiles = new Map<string, Tile>();
  private readonly observer = new ResizeObserver(() => {
    // Its height follows from what is on it; another view of the page may have another width.
    if (this.box.clientWidth && this.box.clientWidth !== this.width) this.measure();
  });
  private width = 0;
  private readonly many: boolean;
  private readonly taken: ReadonlySet<string>;
  private readonly prefix = `nblabel-tile-${++mounted}`;
  private grid: Grid | null = null;
  /** The tile with the ring; -1 is all of them. */
  private at = 0;
  private columns = 1;
  private picked = 0;
  private magnified: { readonly id: string; readonly close: () => void } | null = null;
  private shownTurn = "";
  /** Name of the item that the others are like. */
  private origin = "";
  private shownPage: Grid["page"] = [];

  constructor(
    el: HTMLElement,
    private readonly host: GridHost,
  ) {
    const { task } = host;
    this.many = isMany(task);
    this.taken = new Set(Object.values(task.keys));
    styled(el, css);
    const top = make("div", "nblabel-grid-top");
    top.append(this.title, this.find, this.about);
    this.title.dir = "auto";
    this.find.type = this.field.type = "text";
    this.find.setAttribute("aria-label", "words to find, Enter finds them");
    this.find.placeholder = 'words to find; "in quotes" as they are';
    this.find.dir = "auto";
    this.find.maxLength = MOST_LETTERS;
    this.list.tabIndex = 0;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-multiselectable", "true");
    this.box.append(this.list, this.empty);
    this.labels.setAttribute("role", "group");
    this.labels.setAttribute("aria-label", "labels");
    this.field.setAttribute("aria-label", "find a label for the item with the ring");
    this.field.placeholder = `type to find one of ${task.classes.length} labels`;
    this.field.addEventListener("input", () => {
      this.picked = 0;
      this.renderLabels();
    });
    this.line.setAttribute("role", "toolbar");
    this.line.setAttribute("aria-label", "commands of the page");
    this.el.append(top, this.box);
    if (this.many) this.el.append(this.field);
    this.el.append(this.labels, this.line);
    el.append(this.el);
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.observer.observe(this.box);
  }

  // ---------------------------------------------------------------- showing

  show(grid: Grid): void {
    // Measured when it is known what they are; then it comes again, with what there is room for.
    const kind = this.grid?.page[0]?.view.kind;
    if (kind !== grid.page[0]?.view.kind && this.measure(grid)) return;
    const isNew = grid.turn !== this.shownTurn;
    const before = this.grid;
    this.grid = grid;
    this.shownTurn = grid.turn;
    if (isNew) {
      this.at = isAsking(grid.rule) ? -1 : 0;
      this.origin = grid.rule.of;
      this.find.value = grid.rule.of;
      this.find.hidden = grid.rule.rule !== "search";
    }
    this.origin = grid.page.find(({ id }) => id === grid.rule.of)?.name ?? this.origin;
    const turned = grid.page !== this.shownPage;
    if (turned) this.renderTiles(grid);
    this.render(grid);
    if (isNew || (before?.more && !grid.more && !grid.page.length)) this.home();
    if (turned && grid.page.length && before?.page[0] !== grid.page[0]) {
      this.at = isAsking(grid.rule) ? -1 : 0;
      this.render(grid);
      if (!before?.page.length) this.el.scrollIntoView?.({ block: "nearest" });
      const n = grid.page.length;
      this.host.say(`${this.title.textContent ?? ""} ${n} items. ${this.about.textContent ?? ""}`);
    }
  }

  private home(): void {
    const { grid } = this;
    const asks = grid?.rule.rule === "search" && !grid.page.length && (!grid.rule.of || !grid.more);
    (asks ? this.find : this.list).focus({ preventScroll: true });
  }

  /** Find out how many there is room for; return whether that has changed. */
  private measure(grid: Grid | null = this.grid): boolean {
    if (!grid) return false;
    const family = familyOf(grid);
    const sizes = SIZES[family];
    const [width, height] = sizes[Math.min(scales[family], sizes.length - 1)] ?? [88, 88];
    this.width = this.box.clientWidth;
    const room = this.width || WIDTH;
    this.columns = Math.max(1, Math.floor((room + GAP) / (width + GAP)));
    const rows = Math.max(1, Math.floor((HEIGHT + GAP) / (height + GAP)));
    this.list.dataset["family"] = family;
    this.list.style.gridTemplateColumns = `repeat(${this.columns}, minmax(0, 1fr))`;
    this.list.style.gridAutoRows = `${height}px`;
    const size = Math.min(MOST_TILES, this.columns * rows);
    if (size === grid.size) return false;
    this.host.act({ type: "room", size });
    return true;
  }

  private renderTiles(grid: Grid): void {
    this.shownPage = grid.page;
    this.release();
    const here = new Set(grid.page.map(({ id }) => id));
    for (const [id, tile] of this.tiles) {
      if (here.has(id)) continue;
      tile.undraw();
      tile.el.remove();
      this.tiles.delete(id);
    }
    grid.page.forEach((item, k) => {
      let tile = this.tiles.get(item.id);
      if (!tile) this.tiles.set(item.id, (tile = this.made(item)));
      tile.el.id = `${this.prefix}-${k}`;
      if (this.list.children[k] !== tile.el) {
        this.list.insertBefore(tile.el, this.list.children[k] ?? null);
      }
    });
    if (grid.page.length) this.at = Math.min(this.at, grid.page.length - 1);
  }

  private made(item: Item): Tile {
    const el = make("div", "nblabel-tile");
    const view = make("div", "nblabel-tile-view");
    const mark = make("span", "nblabel-tile-mark");
    const copies = make(
      "span",
      "nblabel-tile-copies",
      item.copies > 1 ? `×${count(item.copies)}` : "",
    );
    if (item.copies > 1) copies.title = `${item.copies} items are the same: one label is for all`;
    el.setAttribute("role", "option");
    el.dataset["item"] = item.id;
    // What an item shows is looked at here, not used.
    view.setAttribute("inert", "");
    mark.dir = "auto";
    el.append(view, mark, copies);
    const tile: Tile = { el, view, mark, copies, undraw: () => undefined };
    tile.undraw = this.host.draw(view, brief(item), item.suggestion);
    return tile;
  }

  private render(grid: Grid): void {
    const { host } = this;
    this.title.textContent = titleOf(grid, host.task, this.origin);
    this.title.dataset["here"] = String(this.at < 0 && grid.page.length > 0);
    this.about.textContent = aboutOf(grid);
    this.el.setAttribute("aria-label", this.title.textContent);
    this.list.setAttribute("aria-label", this.title.textContent);
    this.renderEmpty(grid);
    grid.page.forEach((item, k) => this.renderTile(grid, item, k === this.at));
    const active = this.at >= 0 ? `${this.prefix}-${this.at}` : "";
    if (active) this.list.setAttribute("aria-activedescendant", active);
    else this.list.removeAttribute("aria-activedescendant");
    this.renderLabels();
    this.renderLine(grid);
  }

  private renderTile(grid: Grid, item: Item, here: boolean): void {
    const tile = this.tiles.get(item.id);
    if (!tile) return;
    const marked = grid.marks.has(item.id);
    const value = marked ? grid.marks.get(item.id) : undefined;
    const plain = verifies(grid) ? item.shown.suggestion : item.label;
    const shown = value === undefined ? plain : value;
    const color = typeof shown === "string" ? this.host.task.classes.indexOf(shown) : -1;
    tile.el.className = `nblabel-tile${color < 0 ? "" : ` nblabel-k${color % 10}`}`;
    tile.el.dataset["here"] = String(here);
    tile.el.dataset["marked"] = String(marked);
    tile.el.setAttribute("aria-selected", String(marked));
    tile.mark.textContent = marked && value === null ? "skip" : shown === null ? "" : nameOf(shown);
    tile.el.setAttribute("aria-label", this.describe(grid, item));
  }

  private describe(grid: Grid, item: Item): string {
    const text = item.view.data["text"];
    const what = typeof text === "string" ? cut(text, 120) : `${item.view.kind} ${item.name}`;
    const value = said(grid, item);
    const mark = grid.marks.has(item.id) ? "marked " : "";
    const state =
      value === null ? "put away" : value === undefined ? labeled(item) : `${mark}${nameOf(value)}`;
    const copies = item.copies > 1 ? `, ${item.copies} copies` : "";
    return `${what}${copies}${state ? `: ${state}` : ""}`;
  }

  private renderEmpty(grid: Grid): void {
    const { rule, page, error } = grid;
    this.empty.hidden = page.length > 0;
    if (page.length) return;
    const [head, text] = emptyOf(grid, this.host.task);
    this.empty.replaceChildren(make("strong", "", head), make("p", "", text));
    this.empty.setAttribute("role", error ? "alert" : "status");
    const next = rule.rule === "class" && !grid.more ? this.nextClass(grid) : null;
    if (next !== null) {
      const text = `next class: ${nameOf(next)} (${count(grid.counts[next] ?? 0)})`;
      const go = this.keyed("c", text, () => this.open({ ...rule, of: next }));
      go.className = "nblabel-button";
      this.empty.append(go);
    }
  }

  private renderLabels(): void {
    const { grid } = this;
    const { task } = this.host;
    if (!grid) return;
    const names = this.many ? this.offered() : task.classes;
    this.labels.hidden = grid.page.length === 0 || !names.length;
    this.field.hidden = grid.page.length === 0;
    this.labels.replaceChildren(
      ...names.map((name, k) => {
        const cap = this.many ? "" : capOfLabel(task, name);
        const made = make(
          "button",
          `nblabel-grid-label nblabel-k${task.classes.indexOf(name) % 10}`,
        );
        made.type = "button";
        if (this.many && k === this.picked) made.classList.add("nblabel-picked");
        made.dataset["all"] = String(grid.all === name);
        made.title = this.at < 0 ? `all of them are ${name}` : `the one with the ring is ${name}`;
        const text = make("span", "", name);
        text.dir = "auto";
        if (cap) made.append(make("kbd", "", cap));
        made.append(text);
        made.addEventListener("click", () => {
          this.label(name);
          this.home();
        });
        return made;
      }),
    );
  }

  private offered(): readonly string[] {
    const typed = this.field.value.trim();
    if (!typed) return [];
    const ranking = this.grid?.page[this.at]?.suggestion?.ranking.map(([name]) => name) ?? [];
    return search(this.host.task.classes, typed, ranking).slice(0, MOST_OFFERED);
  }

  private renderLine(grid: Grid): void {
    const n = changed(grid);
    const { page, rule } = grid;
    const isEmpty = !page.length;
    const main = this.keyed("enter", mainOf(grid), () => this.host.act({ type: "confirm" }));
    main.classList.add("nblabel-grid-main");
    main.disabled = grid.all === null && !n && !verifies(grid);
    const size = make("span", "nblabel-grid-sizes");
    size.append(
      this.keyed("-", "", () => this.scale(-1), "smaller tiles"),
      this.keyed("+", "size", () => this.scale(1), "larger tiles"),
    );
    const buttons = [
      ...(isEmpty ? [] : [main]),
      ...(isEmpty ? [] : [this.keyed("space", "magnify", () => this.magnify(), "hold: magnify")]),
      this.keyed(this.key("z"), n ? "undo mark" : "undo page", () =>
        this.host.act({ type: "undo" }),
      ),
      ...(isEmpty || verifies(grid)
        ? []
        : [this.keyed(".", "pass", () => this.host.act({ type: "pass" }), PASS)]),
      ...(rule.rule === "class" && !grid.error
        ? [
            this.keyed(this.key("c"), "next class", () => this.turnClass()),
            this.keyed(this.key("o"), rule.least ? "surest first" : "least sure first", () =>
              this.turnOrder(),
            ),
          ]
        : []),
      ...(isEmpty ? [] : [size]),
      this.keyed("escape", "back", () => this.host.act({ type: "close" }), "back to one by one"),
    ];
    const text = isEmpty ? "" : `${count(n)} of ${count(page.length)} changed`;
    replaced(this.line, buttons.map((one) => one.textContent).join("|"), () => [
      ...buttons,
      make("span", "nblabel-grid-changed"),
    ]);
    const last = this.line.lastElementChild;
    if (last) last.textContent = text;
  }

  private keyed(key: string, text: string, onClick: () => void, title = text): HTMLButtonElement {
    const made = make("button", "nblabel-command");
    made.type = "button";
    made.title = title;
    made.setAttribute("aria-label", title);
    made.append(make("kbd", "", keyCap(key)));
    if (text) made.append(text);
    made.addEventListener("click", () => {
      onClick();
      if (this.el.isConnected) this.home();
    });
    return made;
  }

  // ---------------------------------------------------------------- pressing

  get keys(): readonly KeyHelp[] {
    const k = (key: string) => this.key(key);
    return [
      { keys: ["enter"], does: "all but the marked are right: save the page" },
      {
        keys: ["left", "right", "up", "down"],
        does: "from item to item; up from the first row: all",
      },
      { keys: ["space"], does: "hold: magnify the item with the ring" },
      { keys: [k("s")], does: "put the item away" },
      { keys: [k("z")], does: "undo a mark, then the whole page" },
      { keys: ["."], does: PASS },
      { keys: [k("c")], does: "the next class" },
      { keys: [k("o")], does: "the surest first, or the least sure" },
      { keys: ["+", "-"], does: "larger, smaller" },
      { keys: [k("m"), k("w")], does: "what is like the item; items with some words" },
      { keys: ["escape"], does: "back to one by one" },
    ];
  }

  /** Letters are for typing where there are many labels, or belong to one. */
  private key(key: string): string {
    return /^[a-z]$/.test(key) && (this.many || this.taken.has(key)) ? `shift+${key}` : key;
  }

  press(press: Press, target: EventTarget | null): boolean {
    const { grid } = this;
    if (!grid) return false;
    if (target === this.find) return this.pressFind(press, grid);
    if (target === this.field) return this.pressField(press);
    const { tagName = "" } = (target ?? {}) as Partial<HTMLElement>;
    const name = pressName(press);
    if (tagName === "BUTTON" && (name === "enter" || name === "space")) return false;
    const command = commandFor(this.host.task, press);
    if (command?.type === "label") {
      if (!press.repeat) this.label(command.value);
      return true;
    }
    if (this.move(name, grid)) return true;
    if (name === "+" || name === "=" || name === "-") {
      this.scale(name === "-" ? -1 : 1);
      return true;
    }
    if (name === "space") {
      if (!press.repeat) this.magnify();
      return true;
    }
    const [, shift, plain] = /^(shift\+)?([a-z])$/.exec(name) ?? [];
    const typed = plain !== undefined && !shift && this.key(plain) !== plain;
    const letter = typed ? "" : (plain ?? name);
    const run = this.commands(grid)[letter];
    if (run) {
      // A key that is held must not say page after page.
      if (!press.repeat) run();
      return true;
    }
    if (this.many && [...press.key].length === 1 && !press.ctrl && !press.alt && !press.meta) {
      if (/^[?]$/.test(press.key)) return false;
      this.field.focus({ preventScroll: true }); // the character lands in it
      return false;
    }
    return false;
  }

  private commands(grid: Grid): Readonly<Record<string, () => void>> {
    const { act } = this.host;
    const undo = () => act({ type: "undo" });
    const item = grid.page[this.at];
    const find = { ...grid.rule, ids: [], least: false };
    const byClass = grid.rule.rule === "class";
    const always = {
      enter: () => act({ type: "confirm" }),
      escape: () => act({ type: "close" }),
      g: () => act({ type: "close" }),
      z: undo,
      backspace: undo,
      "ctrl+z": undo,
      ".": () => act({ type: "pass" }),
      pagedown: () => act({ type: "pass" }),
      w: () => {
        this.open({ ...find, rule: "search", strategy: "search", of: "" });
      },
    };
    return {
      ...always,
      ...(byClass && {
        c: () => this.turnClass(),
        o: () => this.turnOrder(),
      }),
      ...(item && {
        s: () => act({ type: "mark", items: [item.id], value: null }),
        m: () => this.open({ ...find, rule: "similar", strategy: "similar", of: item.id }),
      }),
    };
  }

  type(presses: readonly Press[]): void {
    for (const press of presses) {
      if (press.key === "Enter" && this.grid) this.pressFind(press, this.grid);
      else this.find.value = (this.find.value + press.key).slice(0, MOST_LETTERS);
    }
  }

  private pressFind(press: Press, grid: Grid): boolean {
    if (press.key === "Enter") {
      const of = this.find.value.trim();
      if (of) this.open({ ...grid.rule, of });
      return true;
    }
    if (press.key === "Escape") {
      if (!grid.page.length) this.host.act({ type: "close" });
      else this.list.focus({ preventScroll: true });
      return true;
    }
    if (press.key === "ArrowDown" && grid.page.length) {
      this.list.focus({ preventScroll: true });
      return true;
    }
    return false;
  }

  private pressField(press: Press): boolean {
    const names = this.offered();
    switch (press.key) {
      case "Enter": {
        const name = names[Math.min(this.picked, names.length - 1)];
        if (name !== undefined) this.label(name);
        else if (this.field.value.trim()) this.host.say("No label is called so.");
        if (name !== undefined) this.list.focus({ preventScroll: true });
        return true;
      }
      case "ArrowDown":
      case "ArrowUp":
        if (names.length) {
          const by = press.key === "ArrowDown" ? 1 : names.length - 1;
          this.picked = (this.picked + by) % names.length;
          this.renderLabels();
        }
        return true;
      case "Escape":
        this.field.value = "";
        this.renderLabels();
        this.list.focus({ preventScroll: true });
        return true;
    }
    return false;
  }

  private move(name: string, grid: Grid): boolean {
    const { columns, at } = this;
    const last = grid.page.length - 1;
    const to: Record<string, number> = {
      left: Math.max(-1, at - 1),
      right: Math.min(last, at + 1),
      up: at < columns ? -1 : at - columns,
      down: at < 0 ? 0 : Math.min(last, at + columns),
      home: 0,
      end: last,
    };
    const next = to[name];
    if (next === undefined || last < 0) return false;
    this.go(next, grid);
    return true;
  }

  private go(to: number, grid: Grid): void {
    const held = this.magnified !== null;
    this.release();
    this.at = to;
    this.render(grid);
    if (held && to >= 0) this.magnify();
    const item = grid.page[to];
    const what = item ? `${to + 1} of ${grid.page.length}. ${this.describe(grid, item)}` : "";
    this.host.say(what || `All ${grid.page.length} of the page.`);
  }

  private label(value: string): void {
    const { grid } = this;
    this.field.value = "";
    if (!grid?.page.length) return;
    const item = grid.page[this.at];
    if (!item && verifies(grid)) {
      this.host.say("Go to an item that is wrong, then press its label.");
      return;
    }
    if (!item) {
      this.host.act({ type: "all", value });
      this.host.say(`All of the page: ${nameOf(value)}.`);
      return;
    }
    this.host.act({ type: "mark", items: [item.id], value });
    const now = this.host.grid();
    if (now) this.host.say(this.describe(now, item));
  }

  private clicked(event: MouseEvent): void {
    const { grid } = this;
    const el = (event.target as HTMLElement).closest<HTMLElement>(".nblabel-tile");
    const at = grid?.page.findIndex(({ id }) => id === el?.dataset["item"]) ?? -1;
    if (!grid || at < 0) return;
    this.list.focus({ preventScroll: true });
    this.go(at, grid);
    // Of two labels a click says the other one.
    const [first, second] = this.host.task.classes;
    if (this.host.task.classes.length === 2 && grid.all !== null) {
      const other = grid.all === first ? second : first;
      if (other !== undefined) this.label(other);
    }
  }

  private scale(by: number): void {
    if (!this.grid) return;
    const family = familyOf(this.grid);
    const to = Math.min(SIZES[family].length - 1, Math.max(0, scales[family] + by));
    scales[family] = to;
    this.measure();
  }

  private open(rule: Rule): void {
    this.host.act({ type: "open", rule });
  }

  private nextClass({ rule, counts }: Grid): string | null {
    const { classes } = this.host.task;
    const from = classes.indexOf(rule.of);
    const round = [...classes.slice(from + 1), ...classes.slice(0, Math.max(0, from))];
    return round.find((name) => Object.hasOwn(counts, name)) ?? null;
  }

  private turnOrder(): void {
    if (this.grid) this.open({ ...this.grid.rule, least: !this.grid.rule.least });
  }

  private turnClass(): void {
    const { grid } = this;
    if (!grid) return;
    const of = this.nextClass(grid);
    if (of === null) this.host.say("No other class is believed of any item.");
    else this.open({ ...grid.rule, of });
  }

  // ---------------------------------------------------------------- magnifying

  private magnify(): void {
    const item = this.grid?.page[this.at];
    const tile = item && this.tiles.get(item.id);
    if (!item || !tile || this.magnified) return;
    const over = make("div", "nblabel-magnified");
    over.setAttribute("inert", "");
    // What is drawn is there once: the tile lends it.
    tile.undraw();
    this.box.append(over);
    const undraw = this.host.draw(over, item, item.suggestion);
    this.magnified = {
      id: item.id,
      close: () => {
        undraw();
        over.remove();
        tile.undraw = this.host.draw(tile.view, brief(item), item.suggestion);
      },
    };
  }

  release(): void {
    const { magnified } = this;
    this.magnified = null;
    magnified?.close();
  }

  destroy(): void {
    this.release();
    this.observer.disconnect();
    for (const tile of this.tiles.values()) tile.undraw();
    this.tiles.clear();
    this.el.remove();
  }
}

const PASS = "the next page; this one stays as it is";

/** Whether somebody has to say first what all of them are. */
const isAsking = ({ rule, strategy }: Rule): boolean => rule !== "class" && strategy !== "grid";

const familyOf = ({ page }: Grid): Family => (page[0]?.view.kind === "image" ? "image" : "card");

const nameOf = (value: Json): string => describeValue(value);

const labeled = ({ label }: Item): string => (label === null ? "" : `labeled ${nameOf(label)}`);

/** An item for a tile: of a long text its beginning. */
function brief(item: Item): Item {
  const { kind, data } = item.view;
  const text = data["text"];
  if (kind !== "text" || typeof text !== "string" || text.length <= MOST_LETTERS) return item;
  return {
    ...item,
    view: { ...item.view, data: { ...data, text: `${cut(text, MOST_LETTERS)} …` } },
  };
}

function titleOf({ rule, all }: Grid, task: TaskSpec, origin: string): string {
  const name = typeof all === "string" ? all : rule.of;
  const label = task["label"];
  const what =
    task.kind !== "binary" || typeof label !== "string"
      ? `All of these are “${name}”?`
      : name === "accept"
        ? `All of these are “${label}”?`
        : `None of these is “${label}”?`;
  switch (rule.rule) {
    case "class":
      return name ? what : "What the model believes";
    case "similar":
      return all === null ? `Like item ${origin}` : `Like item ${origin}: ${what}`;
    case "search":
      return all === null ? "With the words" : what;
    case "ids":
      return all === null ? (rule.strategy === "map" ? "Chosen on the map" : "Taken back") : what;
    case "certify":
      return "Is the machine right?";
  }
}

/** Which page it is, how sure the model is, how much is left. */
function aboutOf({ rule, page, pages, ahead, left, more }: Grid): string {
  if (!page.length) return "";
  const parts = [`page ${count(pages + 1)}`];
  const sure = page.flatMap(({ suggestion }) => suggestion?.confidence ?? []);
  if (rule.rule === "class" && sure.length) {
    const [low, high] = [Math.min(...sure), Math.max(...sure)].map((one) => Math.floor(100 * one));
    const range = low === high ? percent(Math.min(...sure)) : `${low} to ${high} %`;
    parts.push(`the model is ${range} sure`);
  }
  const rest = ahead.length + (more ? left : 0);
  if (rule.rule === "certify") parts.push("drawn at random to verify, some of them traps");
  parts.push(rest ? `${count(rest)} more` : "the last ones");
  return parts.join(" · ");
}

function mainOf(grid: Grid): string {
  if (grid.all !== null || verifies(grid))
    return changed(grid) ? "all right but the marked" : "all right";
  return changed(grid) ? "save the marked" : "nothing marked";
}

function emptyOf(grid: Grid, task: TaskSpec): readonly [string, string] {
  const { rule, error, more, pages } = grid;
  const back = "Esc goes back to one by one.";
  if (error) return ["Nothing can be shown", `${error} ${back}`];
  if (rule.rule === "search" && !rule.of) return ["Find items by their words", "Enter finds them."];
  if (more) {
    return rule.rule === "similar"
      ? ["Looking for what is alike …", "It is found as soon as the model is not learning."]
      : ["Looking …", ""];
  }
  switch (rule.rule) {
    case "class": {
      const name = task.kind === "binary" ? `${String(task["label"])}: ${rule.of}` : rule.of;
      return [`Nothing ${pages ? "more " : ""}is believed to be “${name}”`, back];
    }
    case "similar":
      return ["Nothing more without a label is like it", back];
    case "search":
      return [pages ? "These were all" : "No item has these words", back];
    case "ids":
      return ["These were all", back];
    case "certify":
      return ["Nothing more is to be verified", back];
  }
}

const panel: GridPanel = { mount: (el, host) => new GridView(el, host) };
export default panel;
