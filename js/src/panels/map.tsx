// All items as points: what is alike lies together. Select some of them, and label them at once.

import { count } from "../format";
import { commandFor, pressName, type Press } from "../keymap";
import { button, keyed, make, replaced, styled } from "../looks/paper";
import type { KeyHelp, MountedOverview, Overview, OverviewHost } from "../modules";
import { WHOLE, closer, revealed, scaleOf, type Points } from "../plane";
import { MOST_AT_ONCE } from "../state";
import { THEME_CHANGED } from "../theme";
import { paletteOf, type Theme } from "./map/colors";
import { choice, legend } from "./map/controls";
import { glPainter } from "./map/gl";
import { pixelPainter } from "./map/pixels";
import { Scene } from "./map/scene";
import { Source, type LayerName, type Method } from "./map/source";
import { Stage, TOOLS, type Tool } from "./map/stage";
import css from "./map.css";

/** A card comes when the mouse rests for so many milliseconds, or a key does. */
const REST_MS = 90;
const KEY_MS = 30;
/** The cursor goes on by this many pixels at least; with Shift by more. */
const STEP = 8;
const LEAP = 90;
const ZOOM = 1.5;
const GROW = 1.3;
/** The first radius around the cursor, in pixels. */
const FIRST_RADIUS = 14;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, 1],
  down: [0, -1],
};
const LAYERS: readonly LayerName[] = ["label", "prediction", "confidence", "annotator"];
const TOOL_DOES: Readonly<Record<Tool, string>> = {
  lasso: "drag around points to select them (Shift adds to the selection)",
  box: "drag a box around points to select them (Shift adds to the selection)",
  move: "drag to move the map (with every tool: the right button, or Alt)",
};

class Overall implements MountedOverview {
  readonly keys: readonly KeyHelp[];
  private readonly el = make("section", "nblabel-map");
  private readonly bar = make("div", "nblabel-map-bar");
  private readonly under = make("div", "nblabel-map-under");
  private readonly legend = make("div", "nblabel-map-legend");
  private readonly picked = make("p", "nblabel-map-picked");
  private readonly buttons = make("div", "nblabel-buttons");
  private readonly note = make("p", "nblabel-map-note");
  private readonly card = make("div", "nblabel-map-card");
  private readonly scene: Scene | null = null;
  private readonly stage: Stage | null = null;
  private readonly source: Source;
  private tool: Tool = "lasso";
  private asks: { readonly value: string; readonly places: readonly number[] } | null = null;
  private version = "";
  private items = 0;
  private rest = 0;
  private shown: number | null = null;
  private closed = false;
  private readonly around: Element | null;
  private readonly dressed = () => this.dress();

  constructor(
    el: HTMLElement,
    private readonly host: OverviewHost,
  ) {
    const key = (name: string) => (host.shifted ? `shift+${name}` : name);
    this.keys = [
      { keys: ["left", "up", "right", "down"], does: "the next point; with Shift further" },
      { keys: ["+", "-"], does: "select a larger or smaller circle around it" },
      { keys: ["space"], does: "keep what is selected, and go on" },
      { keys: ["enter"], does: "open the selection in the grid" },
      { keys: ["pageup", "pagedown", "home"], does: "closer, further, the whole map" },
      { keys: [key("c")], does: "color by label, prediction, confidence, annotator" },
      { keys: [key("t")], does: "lasso, box or move with the mouse" },
      { keys: [key("u")], does: "UMAP or principal components" },
    ];
    styled(el, css);
    this.el.setAttribute("aria-label", "map of all items");
    this.note.setAttribute("role", "status");
    this.around = el.closest(".nblabel");
    this.around?.addEventListener(THEME_CHANGED, this.dressed);
    const painter = glPainter() ?? pixelPainter();
    if (painter) {
      this.scene = new Scene(
        painter,
        () => this.reveal(),
        (count, ms) => {
          this.el.dataset["drawn"] = String(count);
          this.el.dataset["ms"] = ms.toFixed(1);
        },
      );
      this.el.dataset["painter"] = painter.kind;
      this.stage = new Stage({
        scene: this.scene,
        tool: () => this.tool,
        caught: (places, more) => this.caught(places, more),
        clicked: (place, more) => this.clicked(place, more),
        over: (place) => this.over(place),
        wheels: () => this.around?.contains(document.activeElement) ?? false,
      });
      this.stage.el.append(this.note, this.card, this.corner());
      this.under.append(this.legend, this.picked, this.buttons);
      this.el.append(this.bar, this.stage.el, this.under);
    } else {
      this.note.textContent =
        "This browser draws neither on a graphics card nor on a canvas, so there is no map here. " +
        "session.projection() has the coordinates, session.similar(item) finds what is alike.";
      this.el.append(this.note);
    }
    this.source = new Source(host, {
      tell: (text) => this.tell(text),
      points: (points) => this.laidOut(points),
      colors: () => this.recolor(),
      heard: () => this.render(),
      ready: () => host.say("UMAP is ready. The same key shows it."),
    });
    this.card.hidden = true;
    el.append(this.el);
    this.dress();
    if (painter) this.source.show("pca");
  }

  changed(version: string, items: number): void {
    this.items = items;
    if (version === this.version) return;
    this.version = version;
    if (this.source.chart()) this.source.changed();
  }

  /** Points have moved: what was selected still is. */
  private laidOut(points: Points): void {
    const { scene, stage } = this;
    if (!scene || !stage) return;
    const kept = scene.selection.places();
    this.leave();
    scene.load(points);
    scene.selection.add(kept.filter((place) => place < scene.count));
    stage.radius = 0;
    stage.hovered = null;
  }

  // -------------------------------------------------------------- colours

  private recolor(): void {
    const layer = this.source.layer();
    if (!this.scene?.count || !layer) return;
    this.scene.color(layer.codes, layer.name === "confidence");
    this.dress();
  }

  private dress(): void {
    const { scene, stage } = this;
    if (!scene || !stage) return;
    scene.dress(paletteOf(stage.el, this.theme, this.source.wished === "confidence"));
    stage.paint();
    this.render();
  }

  private get theme(): Theme {
    return this.around?.getAttribute("data-theme") === "dark" ? "dark" : "light";
  }

  private colorBy(name: LayerName): void {
    if (this.scene) this.scene.only = null;
    this.host.say(`Colored by ${name}.`);
    this.source.colorBy(name);
    this.render();
  }

  // -------------------------------------------------------------- selecting

  private caught(places: readonly number[], more: boolean): void {
    const { scene, stage } = this;
    if (!scene || !stage) return;
    this.asks = null;
    if (more) scene.selection.keep();
    else scene.selection.clear();
    scene.selection.around([]);
    stage.radius = 0;
    scene.selection.add(places);
    this.selected(`${this.counted(scene.selection.size)} selected.`);
  }

  private clicked(place: number | null, more: boolean): void {
    const { scene, stage } = this;
    if (!scene || !stage) return;
    if (place === null) {
      if (!more) this.clear();
      return;
    }
    if (!more) scene.selection.clear();
    scene.selection.toggle(place);
    stage.cursor = place;
    stage.radius = 0;
    this.asks = null;
    this.selected(`${this.counted(scene.selection.size)} selected.`);
  }

  private clear(): void {
    const { scene, stage } = this;
    if (!scene || !stage) return;
    scene.selection.clear();
    stage.radius = 0;
    this.asks = null;
    this.selected("Nothing is selected.");
  }

  private selected(said: string): void {
    this.scene?.draw();
    this.stage?.paint();
    this.render();
    this.host.say(said);
  }

  private readonly counted = (n: number): string => `${count(n)} ${n === 1 ? "item" : "items"}`;

  /** Go to the next point in a direction, or by as many pixels on. */
  private go([dx, dy]: readonly [number, number], far: boolean): void {
    const { scene, stage } = this;
    if (!scene?.count || !stage) return;
    const scale = scaleOf(scene.camera, scene.room);
    const from = stage.cursor;
    const next =
      from === null
        ? scene.index.nearest(scene.camera)
        : scene.index.towards(scene.where(from), [dx, dy], (far ? LEAP : STEP) / scale);
    if (next === null) {
      this.host.say("There is no point further in this direction.");
      return;
    }
    stage.cursor = next;
    this.circle();
    const camera = revealed(scene.camera, scene.room, scene.where(next));
    if (camera !== scene.camera) scene.look(camera);
    this.over(next, true);
  }

  private grow(factor: number): void {
    const { scene, stage } = this;
    if (!scene?.count || !stage) return;
    stage.cursor ??= scene.index.nearest(scene.camera);
    const scale = scaleOf(scene.camera, scene.room);
    const first = FIRST_RADIUS / scale;
    stage.radius = stage.radius === 0 ? (factor > 1 ? first : 0) : stage.radius * factor;
    if (stage.radius * scale < FIRST_RADIUS / 2) stage.radius = 0;
    this.circle();
    this.selected(`${this.counted(scene.selection.size)} selected.`);
  }

  /** What the circle around the cursor holds is selected. */
  private circle(): void {
    const { scene, stage } = this;
    if (!scene || !stage || stage.cursor === null) return;
    this.asks = null;
    const { cursor, radius } = stage;
    scene.selection.around(radius ? scene.index.within(scene.where(cursor), radius) : []);
    scene.draw();
    stage.paint();
    this.render();
  }

  private keep(): void {
    const { scene, stage } = this;
    if (!scene || !stage || stage.cursor === null) return;
    if (stage.radius) scene.selection.keep();
    else scene.selection.toggle(stage.cursor);
    this.selected(`${this.counted(scene.selection.size)} selected, and kept.`);
  }

  /** What a label means: the selection, or the point that the keys are at. */
  private targets(): readonly number[] {
    const { scene, stage } = this;
    if (!scene || !stage) return [];
    if (scene.selection.size) return scene.selection.places();
    return stage.cursor === null ? [] : [stage.cursor];
  }

  // -------------------------------------------------------------- labeling

  label(value: string): void {
    if (this.asks?.value === value) {
      void this.labelAll();
      return;
    }
    const places = this.targets();
    if (!places.length) {
      this.host.say("Nothing is selected: go to a point with the arrows, or draw around some.");
      return;
    }
    if (places.length > MOST_AT_ONCE) {
      const text =
        `${this.counted(places.length)} are selected; at most ${count(MOST_AT_ONCE)} get a label at once. ` +
        "For more there is session.certify().";
      this.asks = null;
      this.selected(text);
      this.tell(text);
      return;
    }
    const others = places.filter((place) => this.source.nameOf("label", place) !== value);
    if (!others.length) {
      this.host.say(`They are labeled ${value} already.`);
      return;
    }
    this.asks = { value, places: others };
    if (others.length === 1) void this.labelAll();
    else {
      this.render();
      this.host.say(`${this.question()} The same key once more, or Enter, labels them.`);
    }
  }

  private question(): string {
    if (!this.asks) return "";
    const { value, places } = this.asks;
    const others = places.filter((k) => this.source.nameOf("label", k) !== null).length;
    const has = others === 1 ? "has" : "have";
    const also = others ? ` ${count(others)} of them ${has} another label, which changes.` : "";
    return `Label ${this.counted(places.length)} “${value}”?${also}`;
  }

  private async labelAll(): Promise<void> {
    const { asks, scene, source } = this;
    this.asks = null;
    if (!asks || !scene) return;
    const ids = await source.idsOf(asks.places);
    if (this.closed) return;
    const items = ids.map((id, k) => ({ id, label: source.nameOf("label", asks.places[k]!) }));
    this.host.label(items, asks.value);
    source.patch(asks.places, asks.value);
    scene.selection.clear();
    if (this.stage) this.stage.radius = 0;
    this.selected(`${this.counted(ids.length)} labeled ${asks.value}. Undo takes it back.`);
  }

  private async openSelection(): Promise<void> {
    const places = this.targets();
    if (!places.length) {
      this.host.say("Nothing is selected.");
      return;
    }
    this.host.open(await this.source.idsOf(places.slice(0, MOST_AT_ONCE)));
  }

  // -------------------------------------------------------------- one item

  private over(place: number | null, byKey = false): void {
    clearTimeout(this.rest);
    if (place === null) {
      // The card of the cursor comes back when the mouse leaves.
      this.rest = window.setTimeout(() => this.leave(), REST_MS);
      return;
    }
    this.rest = window.setTimeout(() => void this.look(place, byKey), byKey ? KEY_MS : REST_MS);
  }

  private leave(): void {
    this.shown = null;
    this.card.hidden = true;
    void this.host.show(this.card, null);
  }

  private async look(place: number, byKey: boolean): Promise<void> {
    if (this.closed || (this.shown === place && !byKey)) return;
    this.shown = place;
    try {
      const [id] = await this.source.idsOf([place]);
      if (this.closed || this.shown !== place || id === undefined) return;
      const said = await this.host.show(this.card, id);
      if (this.closed || this.shown !== place) return;
      this.card.hidden = false;
      this.reveal();
      if (byKey) {
        const n = this.scene?.selection.size ?? 0;
        this.host.say(`${said}${n ? ` ${this.counted(n)} selected.` : ""}`);
      }
    } catch (error) {
      this.leave();
      if (byKey && error instanceof Error) this.host.say(error.message);
    }
  }

  /** The card stands beside its point, wherever that is now. */
  private reveal(): void {
    const { stage, shown, card, scene } = this;
    stage?.paint();
    if (!stage || !scene || shown === null || card.hidden || shown >= scene.count) return;
    const { x, y } = stage.beside(shown);
    const { width, height } = scene.room;
    const inside = x >= 0 && y >= 0 && x <= width && y <= height;
    card.style.visibility = inside ? "" : "hidden";
    const [wide, high] = [card.offsetWidth, card.offsetHeight];
    const fits = x + 18 + wide < width ? x + 18 : x - 18 - wide;
    // Where it has no room on either side it stands above or below.
    const beside = fits >= 4;
    const left = beside ? fits : Math.max(4, Math.min(width - wide - 4, x - wide / 2));
    const over = y - 24 - high >= 4 ? y - 24 - high : y + 24;
    const top = beside ? Math.max(4, Math.min(height - high - 4, y - high / 2)) : over;
    card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  // -------------------------------------------------------------- keys

  press(press: Press): boolean {
    const { scene, host } = this;
    if (commandFor(host.task, press)?.type === "label") return false;
    const name = pressName(press);
    const shift = name.startsWith("shift+");
    const arrow = ARROWS[name.replace("shift+", "")];
    if (arrow) {
      this.go(arrow, shift);
      return true;
    }
    if (host.shifted === shift || !/^(shift\+)?[a-z]$/.test(name)) {
      switch (name.replace("shift+", "")) {
        case "c":
          this.colorBy(LAYERS[(LAYERS.indexOf(this.source.wished) + 1) % LAYERS.length]!);
          return true;
        case "t":
          this.take(TOOLS[(TOOLS.indexOf(this.tool) + 1) % TOOLS.length]!);
          return true;
        case "u":
          this.other();
          return true;
        case "o":
          host.close();
          return true;
      }
    }
    switch (name) {
      case "+":
      case "=":
        this.grow(GROW);
        return true;
      case "-":
        this.grow(1 / GROW);
        return true;
      case "space":
        if (!press.repeat) this.keep();
        return true;
      case "enter":
        if (press.repeat) return true;
        if (this.asks) void this.labelAll();
        else void this.openSelection();
        return true;
      case "pageup":
      case "pagedown":
        this.zoom(name === "pageup" ? ZOOM : 1 / ZOOM);
        return true;
      case "home":
        scene?.look(WHOLE);
        return true;
      case "escape":
        if (this.asks) {
          this.asks = null;
          this.selected("Nothing was labeled.");
        } else if (scene?.selection.size) this.clear();
        else host.close();
        return true;
    }
    return false;
  }

  private zoom(factor: number): void {
    const { scene, stage } = this;
    if (!scene) return;
    const middle = { x: scene.room.width / 2, y: scene.room.height / 2 };
    const at = stage?.cursor == null ? middle : scene.onScreen(stage.cursor);
    scene.look(closer(scene.camera, scene.room, factor, at));
  }

  private take(tool: Tool): void {
    this.tool = tool;
    this.host.say(`${tool}: ${TOOL_DOES[tool]}`);
    this.render();
  }

  /** The other coordinates: compute them, stop that, or show them. */
  private other(): void {
    const { source } = this;
    const state = source.chart("umap")?.state;
    if (source.method === "umap") this.show("pca");
    else if (state === "ready") this.show("umap");
    else {
      this.host.say(state === "computing" ? "UMAP was stopped." : "UMAP is being computed.");
      void source.ask("umap", state !== "computing", state === "computing");
    }
  }

  private show(method: Method): void {
    this.host.say(method === "umap" ? "UMAP." : "Principal components.");
    this.source.show(method);
    this.render();
  }

  // -------------------------------------------------------------- the page

  private tell(text: string): void {
    this.note.textContent = text;
    this.note.hidden = text === "";
    this.note.dataset["over"] = String(this.scene?.count ? "small" : "");
  }

  private render(): void {
    const { scene, source, host } = this;
    if (!scene) return;
    const { wished, method } = source;
    const cap = (key: string) => (host.shifted ? `⇧${key}` : key);
    const points = source.chart()?.points ?? 0;
    const umap = source.chart("umap");
    const known = [wished, this.tool, method, umap?.state, umap?.progress, points, this.items];
    replaced(this.bar, JSON.stringify(known), () => [
      choice("color by", cap("c"), LAYERS, wished, (name) => this.colorBy(name)),
      choice("mouse", cap("t"), TOOLS, this.tool, (tool) => this.take(tool), TOOL_DOES),
      this.layouts(cap("u")),
      this.later(points),
    ]);
    this.renderUnder();
    const what = wished === "confidence" ? "by how sure the model is" : `by ${wished}`;
    const n = this.counted(scene.count);
    scene.painter.canvas.setAttribute("aria-label", `Map of ${n}, colored ${what}`);
    this.el.dataset["points"] = String(scene.count);
    this.el.dataset["method"] = method;
    this.el.dataset["selected"] = String(scene.selection.size);
    this.el.dataset["colored"] = scene.count ? (source.layer()?.name ?? "") : "";
    if (this.stage) this.stage.el.dataset["tool"] = this.tool;
  }

  private layouts(key: string): HTMLElement {
    const group = make("div", "nblabel-map-choice");
    const { state, progress } = this.source.chart("umap") ?? {};
    const far = typeof progress === "number" ? ` ${Math.floor(100 * progress)} %` : "";
    const [text, does] =
      this.source.method === "umap"
        ? ["principal components", "show the principal components again"]
        : state === "computing"
          ? [`UMAP${far} · stop`, "stop computing UMAP"]
          : state === "ready"
            ? ["UMAP is ready · show", "show the map by UMAP instead"]
            : ["UMAP", "compute a map that keeps neighbors together: it takes a while, beside you"];
    group.append(keyed(text, key, () => this.other(), does));
    return group;
  }

  /** Items that came since have no place yet. */
  private later(points: number): HTMLElement {
    const group = make("div", "nblabel-map-choice");
    const more = this.items - points;
    if (points && more > 0) {
      const does = `lay out ${this.counted(more)} that came since: all points move`;
      group.append(
        button(`lay out ${count(more)} new`, does, () => this.source.show(this.source.method)),
      );
    }
    return group;
  }

  /** What looks closer or further, above the points. */
  private corner(): HTMLElement {
    const group = make("div", "nblabel-map-corner");
    group.append(
      button("✕", "close the map (o, Escape)", () => this.host.close()),
      button("+", "closer (Page Up)", () => this.zoom(ZOOM)),
      button("−", "further (Page Down)", () => this.zoom(1 / ZOOM)),
      button("⤢", "the whole map (Home)", () => this.scene?.look(WHOLE)),
    );
    return group;
  }

  private renderUnder(): void {
    const { scene, stage, asks } = this;
    const layer = this.source.layer();
    if (!scene || !stage) return;
    const { only, count: points } = scene;
    replaced(this.legend, JSON.stringify([layer?.part, only, points, this.theme]), () => {
      if (!layer) return [];
      const { colors } = paletteOf(stage.el, this.theme, layer.name === "confidence");
      return legend(layer, points, colors, only, (code, name) => this.standOut(code, name));
    });
    const n = scene.selection.size;
    this.picked.textContent = asks
      ? this.question()
      : n
        ? `${this.counted(n)} selected`
        : "Draw around points, or go to one with the arrows and grow a circle with +";
    this.picked.dataset["asks"] = String(asks !== null);
    replaced(this.buttons, asks ? `asks ${asks.value}` : n ? "some" : "none", () =>
      asks
        ? [
            keyed(`label ${asks.value}`, "↵", () => void this.labelAll()),
            keyed("no", "Esc", () => this.press(ESCAPE)),
          ]
        : n
          ? [
              keyed("open in the grid", "↵", () => void this.openSelection()),
              keyed("clear", "Esc", () => this.clear()),
            ]
          : [],
    );
  }

  /** One color stands out, or all again. */
  private standOut(code: number, name: string): void {
    const { scene } = this;
    if (!scene) return;
    scene.only = scene.only === code ? null : code;
    this.selected(scene.only === null ? "All stand out." : `Only ${name} stands out.`);
    (this.around as HTMLElement | null)?.focus({ preventScroll: true });
  }

  destroy(): void {
    this.closed = true;
    clearTimeout(this.rest);
    this.source.close();
    this.around?.removeEventListener(THEME_CHANGED, this.dressed);
    void this.host.show(this.card, null);
    this.scene?.destroy();
    this.stage?.destroy();
    this.el.remove();
  }
}

const ESCAPE: Press = { key: "Escape", shift: false, ctrl: false, alt: false, meta: false };

const panel: Overview = { mount: (el, host) => new Overall(el, host) };
export default panel;
