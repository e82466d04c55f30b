// All items as points: what is alike lies together. Select some of them, and label them at once.

import { count } from "../format";
import { commandFor, pressName, type Press } from "../keymap";
import { bytesOf, button, make, styled } from "../looks/paper";
import type { KeyHelp, MountedOverview, Overview, OverviewHost } from "../modules";
import { WHOLE, closer, revealed, scaleOf } from "../plane";
import type { Charted, LayerPart } from "../protocol";
import { THEME_CHANGED } from "../theme";
import { cssOf, paletteOf, type Theme } from "./map/colors";
import { glPainter } from "./map/gl";
import { colorAt } from "./map/painter";
import { pixelPainter } from "./map/pixels";
import { Scene } from "./map/scene";
import { Stage, TOOLS, type Tool } from "./map/stage";
import css from "./map.css";

type LayerName = LayerPart["name"];
type Method = Charted["method"];

interface Loaded extends LayerPart {
  readonly codes: Uint16Array;
}

/** So many points get one label at a time: the rest is for a certificate. */
const MOST = 1000;
/** A card comes when the mouse rests, and the kernel is asked how far a map is, in milliseconds. */
const REST_MS = 90;
const POLL_MS = 400;
const SOON_MS = 250;
/** The cursor goes on by this many pixels at least; with Shift by more. */
const STEP = 8;
const LEAP = 90;
const ZOOM = 1.5;
const GROW = 1.3;
/** The first radius around the cursor, in pixels. */
const FIRST_RADIUS = 14;
const MOST_SHOWN = 12;

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
  private method: Method = "pca";
  private wished: LayerName = "label";
  private tool: Tool = "lasso";
  private charted: Charted | null = null;
  private umap: Charted | null = null;
  /** Which coordinates are drawn. */
  private drawn = "";
  private readonly layers = new Map<LayerName, Loaded>();
  private readonly names = new Map<number, string>();
  private asks: { readonly value: string; readonly places: readonly number[] } | null = null;
  private version = "";
  private items = 0;
  private reading = false;
  private again = false;
  private rest = 0;
  private soon = 0;
  private polls = 0;
  private patches = 0;
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
    this.card.hidden = true;
    el.append(this.el);
    this.dress();
    this.render();
    void this.ask(this.method, true);
  }

  // -------------------------------------------------------------- the kernel

  /** Ask what there is of a map, and go on asking while it is computed. */
  private async ask(method: Method, begin = false, cancel = false): Promise<void> {
    let charted: Charted;
    try {
      charted = await this.host.chart({ method, begin, cancel, places: [] });
    } catch (error) {
      this.tell(`The map cannot be had: ${String(error)}`);
      return;
    }
    if (this.closed) return;
    if (method === "umap" && method !== this.method) this.heardOfUmap(charted);
    else this.charted = charted;
    if (charted.state === "computing") {
      clearTimeout(this.polls);
      this.polls = window.setTimeout(() => void this.ask(method), POLL_MS);
    }
    if (method === this.method) await this.load();
    this.render();
  }

  private heardOfUmap(charted: Charted): void {
    const before = this.umap?.state;
    this.umap = charted;
    if (before === charted.state) return;
    // Nothing moves under the eye: whoever waits is told, and asks for it.
    if (charted.state === "ready") this.host.say("UMAP is ready. The same key shows it.");
    if (charted.state === "failed") this.tell(charted.text);
  }

  /** Bring what is new of the coordinates and the colours; one such errand at a time. */
  private async load(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.again = false;
        await this.bring();
      } while (this.again && !this.closed);
    } catch (error) {
      // What was being read has changed meanwhile: it is asked for anew.
      if (!this.closed && this.charted?.points) this.changedSoon();
      else this.tell(String(error));
    } finally {
      this.reading = false;
    }
  }

  private async bring(): Promise<void> {
    const { charted, scene } = this;
    if (!charted || !scene) return;
    if (charted.points === 0) {
      const failed = charted.state === "failed" ? charted.text : "";
      const { progress } = charted;
      const far = progress === null ? "" : ` ${Math.floor(100 * progress)} %`;
      this.tell(failed || `Laying out the items …${far}`);
      return;
    }
    // New coordinates of what is there already wait until they are asked for.
    const isNew = this.drawn !== charted.part;
    const xy = isNew ? await this.read(charted.part, "Fetching the map …") : null;
    for (const name of new Set<LayerName>(["label", this.wished])) {
      const part = charted.layers.find((layer) => layer.name === name);
      if (!part || this.layers.get(name)?.part === part.part) continue;
      const codes = new Uint16Array(await this.read(part.part, ""));
      this.layers.set(name, { ...part, codes });
    }
    if (this.closed) return;
    if (xy) {
      this.drawn = charted.part;
      this.leave();
      scene.load(new Float32Array(xy));
      this.tell("");
    }
    this.recolor();
  }

  private async read(part: string, text: string): Promise<ArrayBuffer> {
    let bytes = new Uint8Array(0);
    let [at, total] = [0, 0];
    do {
      const piece = await this.host.piece(part, at);
      const got = bytesOf(piece.bytes);
      total = piece.total;
      if (at === 0) bytes = new Uint8Array(total);
      bytes.set(got, at);
      at += got.length;
      if (text && at < total) this.tell(`${text} ${Math.floor((100 * at) / total)} %`);
      if (!got.length) break;
    } while (at < total && !this.closed);
    return bytes.buffer;
  }

  changed(version: string, items: number): void {
    this.items = items;
    if (version === this.version) return;
    this.version = version;
    if (this.charted) this.changedSoon();
  }

  private changedSoon(): void {
    clearTimeout(this.soon);
    this.soon = window.setTimeout(() => void this.ask(this.method), SOON_MS);
  }

  /** Ids of some points. */
  private async idsOf(places: readonly number[]): Promise<readonly string[]> {
    const missing = places.filter((place) => !this.names.has(place));
    for (let at = 0; at < missing.length; at += MOST) {
      const some = missing.slice(at, at + MOST);
      const { ids } = await this.host.chart({ method: this.method, places: some });
      some.forEach((place, k) => this.names.set(place, ids[k]!));
    }
    return places.map((place) => this.names.get(place)!);
  }

  // -------------------------------------------------------------- colours

  private get layer(): Loaded | undefined {
    return this.layers.get(this.wished);
  }

  private recolor(): void {
    const { layer, scene } = this;
    if (!scene || !layer) return;
    scene.color(layer.codes, layer.name === "confidence");
    this.dress();
    this.render();
  }

  private dress(): void {
    const { scene, stage } = this;
    if (!scene || !stage) return;
    scene.dress(paletteOf(stage.el, this.theme, this.wished === "confidence"));
    stage.paint();
    this.render();
  }

  private get theme(): Theme {
    return this.around?.getAttribute("data-theme") === "dark" ? "dark" : "light";
  }

  private colorBy(name: LayerName): void {
    this.wished = name;
    if (this.scene) this.scene.only = null;
    this.host.say(`Colored by ${name}.`);
    if (this.layer) this.recolor();
    void this.ask(this.method);
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
    if (places.length > MOST) {
      const text =
        `${this.counted(places.length)} are selected; at most ${count(MOST)} get a label at once. ` +
        "For more there is session.certify().";
      this.asks = null;
      this.selected(text);
      this.tell(text);
      return;
    }
    const known = this.layers.get("label");
    const code = (known?.names.indexOf(value) ?? -1) + 1;
    const others = places.filter((place) => !code || known?.codes[place] !== code);
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
    const others = places.filter((place) => this.labelOf(place) !== null).length;
    const has = others === 1 ? "has" : "have";
    const also = others ? ` ${count(others)} of them ${has} another label, which changes.` : "";
    return `Label ${this.counted(places.length)} “${value}”?${also}`;
  }

  private labelOf(place: number): string | null {
    const layer = this.layers.get("label");
    return layer?.names[(layer.codes[place] ?? 0) - 1] ?? null;
  }

  private async labelAll(): Promise<void> {
    const { asks, scene } = this;
    this.asks = null;
    if (!asks || !scene) return;
    const ids = await this.idsOf(asks.places);
    if (this.closed) return;
    const items = ids.map((id, k) => ({ id, label: this.labelOf(asks.places[k]!) }));
    this.host.label(items, asks.value);
    this.patch(asks.places, asks.value);
    scene.selection.clear();
    if (this.stage) this.stage.radius = 0;
    this.selected(`${this.counted(ids.length)} labeled ${asks.value}. Undo takes it back.`);
  }

  /** The colours as they are going to be; what the kernel says then stands. */
  private patch(places: readonly number[], value: string): void {
    const layer = this.layers.get("label");
    if (!layer) return;
    const names = layer.names.includes(value) ? layer.names : [...layer.names, value];
    const codes = layer.codes.slice();
    for (const place of places) codes[place] = names.indexOf(value) + 1;
    this.layers.set("label", { ...layer, names, codes, part: `patched/${++this.patches}` });
    if (this.wished === "label") this.recolor();
  }

  private async openSelection(): Promise<void> {
    const places = this.targets();
    if (!places.length) {
      this.host.say("Nothing is selected.");
      return;
    }
    this.host.open(await this.idsOf(places.slice(0, MOST)));
  }

  // -------------------------------------------------------------- one item

  private over(place: number | null, byKey = false): void {
    clearTimeout(this.rest);
    if (place === null) {
      // The card of the cursor comes back when the mouse leaves.
      this.rest = window.setTimeout(() => this.leave(), REST_MS);
      return;
    }
    this.rest = window.setTimeout(() => void this.look(place, byKey), byKey ? 30 : REST_MS);
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
      const [id] = await this.idsOf([place]);
      if (this.closed || this.shown !== place || id === undefined) return;
      const said = await this.host.show(this.card, id);
      if (this.closed || this.shown !== place) return;
      this.card.hidden = false;
      this.reveal();
      if (byKey) {
        const n = this.scene?.selection.size ?? 0;
        this.host.say(`${said}${n ? ` ${this.counted(n)} selected.` : ""}`);
      }
    } catch {
      this.leave();
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
    const left = x + 18 + wide < width ? x + 18 : Math.max(4, x - 18 - wide);
    const top = Math.max(4, Math.min(height - high - 4, y - high / 2));
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
          this.colorBy(LAYERS[(LAYERS.indexOf(this.wished) + 1) % LAYERS.length]!);
          return true;
        case "t":
          this.take(TOOLS[(TOOLS.indexOf(this.tool) + 1) % TOOLS.length]!);
          return true;
        case "u":
          this.other();
          return true;
        case "m":
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
    if (this.method === "umap") {
      this.show("pca");
      return;
    }
    const state = this.umap?.state;
    if (state === "ready") this.show("umap");
    else {
      this.host.say(state === "computing" ? "UMAP was stopped." : "UMAP is being computed.");
      void this.ask("umap", state !== "computing", state === "computing");
    }
  }

  private show(method: Method): void {
    this.method = method;
    this.host.say(method === "umap" ? "UMAP." : "Principal components.");
    void this.ask(method, true);
  }

  // -------------------------------------------------------------- the page

  private tell(text: string): void {
    this.note.textContent = text;
    this.note.hidden = text === "";
    this.note.dataset["over"] = String(this.scene?.count ? "small" : "");
  }

  private render(): void {
    const { scene, host } = this;
    if (!scene) return;
    const cap = (key: string) => (host.shifted ? `⇧${key}` : key);
    const points = this.charted?.points ?? 0;
    replaced(
      this.bar,
      JSON.stringify([this.wished, this.tool, this.method, this.umap, points, this.items]),
      () => [
        this.choice("color by", cap("c"), LAYERS, this.wished, (name) => this.colorBy(name)),
        this.choice("mouse", cap("t"), TOOLS, this.tool, (tool) => this.take(tool), TOOL_DOES),
        this.layouts(cap("u")),
        this.closing(points),
      ],
    );
    this.renderUnder();
    const what = this.wished === "confidence" ? "by how sure the model is" : `by ${this.wished}`;
    const n = this.counted(scene.count);
    scene.painter.canvas.setAttribute("aria-label", `Map of ${n}, colored ${what}`);
    this.el.dataset["points"] = String(scene.count);
    this.el.dataset["selected"] = String(scene.selection.size);
    this.el.dataset["colored"] = scene.count ? (this.layer?.name ?? "") : "";
    if (this.stage) this.stage.el.dataset["tool"] = this.tool;
  }

  private choice<T extends string>(
    title: string,
    key: string,
    values: readonly T[],
    chosen: T,
    choose: (value: T) => void,
    does?: Readonly<Record<T, string>>,
  ): HTMLElement {
    const group = make("div", "nblabel-map-choice");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", title);
    const name = make("span", "nblabel-soft", title);
    name.append(" ", make("kbd", "", key));
    group.append(name);
    for (const value of values) {
      const one = button(value, does?.[value] ?? `${title} ${value}`, () => choose(value));
      one.setAttribute("aria-pressed", String(value === chosen));
      group.append(one);
    }
    return group;
  }

  private layouts(key: string): HTMLElement {
    const group = make("div", "nblabel-map-choice");
    const state = this.umap?.state;
    const progress = this.umap?.progress;
    const far = typeof progress === "number" ? ` ${Math.floor(100 * progress)} %` : "";
    const [text, does] =
      this.method === "umap"
        ? ["principal components", "show the principal components again"]
        : state === "computing"
          ? [`UMAP${far} · stop`, "stop computing UMAP"]
          : state === "ready"
            ? ["UMAP is ready · show", "show the map by UMAP instead"]
            : ["UMAP", "compute a map that keeps neighbors together: it takes a while, beside you"];
    const one = button(text, does, () => this.other());
    one.append(" ", make("kbd", "", key));
    group.append(one);
    return group;
  }

  private closing(points: number): HTMLElement {
    const group = make("div", "nblabel-map-choice nblabel-map-closing");
    const more = this.items - points;
    if (points && more > 0) {
      const text = `lay out ${count(more)} new`;
      const does = `lay out ${this.counted(more)} that came since: all points move`;
      group.append(button(text, does, () => void this.ask(this.method, true)));
    }
    group.append(keyed("close", "Esc", () => this.host.close(), "close the map (m, Escape)"));
    return group;
  }

  /** What looks closer or further, above the points. */
  private corner(): HTMLElement {
    const group = make("div", "nblabel-map-corner");
    group.append(
      button("+", "closer (Page Up)", () => this.zoom(ZOOM)),
      button("−", "further (Page Down)", () => this.zoom(1 / ZOOM)),
      button("⤢", "the whole map (Home)", () => this.scene?.look(WHOLE)),
    );
    return group;
  }

  private renderUnder(): void {
    const { scene, layer, asks } = this;
    if (!scene) return;
    const { only } = scene;
    const key = JSON.stringify([layer?.part, layer?.names, only, this.theme]);
    replaced(this.legend, key, () => this.legendOf(layer));
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

  private legendOf(layer: Loaded | undefined): HTMLElement[] {
    const { scene, stage } = this;
    if (!layer || !scene || !stage) return [];
    const { colors } = paletteOf(stage.el, this.theme, layer.name === "confidence");
    const isScale = layer.name === "confidence";
    const counts = new Uint32Array(layer.names.length + 2);
    for (let k = 0; k < scene.count; k++) {
      counts[isScale ? Math.min(1, layer.codes[k]!) : layer.codes[k]!]!++;
    }
    const none = counts[0]!;
    const nothing = isScale || layer.name === "prediction" ? "no model" : "no label";
    const made: HTMLElement[] = [];
    if (isScale && counts[1]) {
      const scale = make("span", "nblabel-map-scale");
      const bar = make("i");
      const stops = [0, 1, 2, 3, 4, 5, 6].map((k) => cssOf(colors, 1 + Math.round((k / 6) * 254)));
      bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
      scale.append("unsure", bar, "certain");
      made.push(scale);
    } else {
      const known = layer.names
        .map((name, k) => ({ name, code: k + 1, n: counts[k + 1]! }))
        .sort((a, b) => (layer.names.length > MOST_SHOWN ? b.n - a.n : 0));
      for (const { name, code, n } of known.slice(0, MOST_SHOWN)) {
        made.push(this.entry(name, code, n, cssOf(colors, colorAt(code, false))));
      }
      const more = known.length - MOST_SHOWN;
      if (more > 0) made.push(make("span", "nblabel-soft", `and ${count(more)} more`));
    }
    if (none) made.push(this.entry(nothing, 0, none, cssOf(colors, 0)));
    return made;
  }

  private entry(name: string, code: number, n: number, color: string): HTMLElement {
    const one = make("button", "nblabel-map-entry");
    one.type = "button";
    one.dir = "auto";
    const swatch = make("i");
    swatch.style.background = color;
    one.append(swatch, make("span", "", name), make("small", "", count(n)));
    one.title = `show only ${name}`;
    one.setAttribute("aria-pressed", String(this.scene?.only === code));
    one.addEventListener("click", () => {
      const { scene } = this;
      if (!scene) return;
      scene.only = scene.only === code ? null : code;
      this.selected(scene.only === null ? "All stand out." : `Only ${name} stands out.`);
      (this.around as HTMLElement | null)?.focus({ preventScroll: true });
    });
    return one;
  }

  destroy(): void {
    this.closed = true;
    for (const timer of [this.rest, this.soon, this.polls]) clearTimeout(timer);
    this.around?.removeEventListener(THEME_CHANGED, this.dressed);
    void this.host.show(this.card, null);
    this.scene?.destroy();
    this.stage?.destroy();
    this.el.remove();
  }
}

const ESCAPE: Press = { key: "Escape", shift: false, ctrl: false, alt: false, meta: false };

function keyed(text: string, key: string, onClick: () => void, does = text): HTMLElement {
  const made = button(text, does, onClick);
  made.append(" ", make("kbd", "", key));
  return made;
}

/** New children only where something is new: a control that is replaced would lose the focus. */
function replaced(el: HTMLElement, key: string, children: () => readonly HTMLElement[]): void {
  if (el.dataset["is"] === key) return;
  el.dataset["is"] = key;
  el.replaceChildren(...children());
}

const panel: Overview = { mount: (el, host) => new Overall(el, host) };
export default panel;
