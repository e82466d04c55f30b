// What the kernel knows of the map: where the points are, what colours them, which items they are.

import { bytesOf } from "../../looks/paper";
import type { OverviewHost } from "../../modules";
import type { Points } from "../../plane";
import type { Charted, LayerPart } from "../../protocol";

export type LayerName = LayerPart["name"];
export type Method = Charted["method"];

export interface Layer extends LayerPart {
  readonly codes: Uint16Array;
}

export interface SourceHooks {
  /** In words what is on its way, or why it is not; nothing once it is there. */
  tell(text: string): void;
  /** Other points than before. */
  points(points: Points): void;
  /** Other colors. */
  colors(): void;
  /** Something else is known, such as how far a computation is. */
  heard(): void;
  /** What was computed beside the map that is shown can be shown. */
  ready(method: Method): void;
}

/** How far a map is, is asked this often; what has changed, this much later; in milliseconds. */
const POLL_MS = 400;
const SOON_MS = 250;
/** What changes while it is read is asked for anew, but not for ever. */
const MOST_TRIES = 6;
/** Places that are asked about at once. */
const MOST_PLACES = 5000;

export class Source {
  method: Method = "pca";
  wished: LayerName = "label";
  private readonly charts = new Map<Method, Charted>();
  private readonly layers = new Map<LayerName, Layer>();
  private readonly names = new Map<number, string>();
  private readonly polls = new Map<Method, number>();
  /** Which coordinates are shown, and whether others may take their place. */
  private drawn = "";
  private moves = true;
  private reading = false;
  private again = false;
  private tries = 0;
  private soon = 0;
  private patches = 0;
  private closed = false;

  constructor(
    private readonly host: Pick<OverviewHost, "chart" | "piece">,
    private readonly hooks: SourceHooks,
  ) {}

  /** What there is of a map, of the one that is shown by default. */
  chart(method: Method = this.method): Charted | undefined {
    return this.charts.get(method);
  }

  layer(name: LayerName = this.wished): Layer | undefined {
    return this.layers.get(name);
  }

  /** The name that a point has in a layer of names. */
  nameOf(layer: LayerName, place: number): string | null {
    const known = this.layers.get(layer);
    return known?.names[(known.codes[place] ?? 0) - 1] ?? null;
  }

  /** Show the map by a method, with all items that there are now: points may move. */
  show(method: Method): void {
    this.method = method;
    this.moves = true;
    void this.ask(method, true);
  }

  colorBy(name: LayerName): void {
    this.wished = name;
    if (this.layers.has(name)) this.hooks.colors();
    void this.ask(this.method);
  }

  /** Something has changed in the kernel. */
  changed(): void {
    clearTimeout(this.soon);
    this.soon = window.setTimeout(() => void this.ask(this.method), SOON_MS);
  }

  /** Ask what there is of a map, and go on asking while it is computed. */
  async ask(method: Method, begin = false, cancel = false): Promise<void> {
    let charted: Charted;
    try {
      charted = await this.host.chart({ method, begin, cancel, places: [] });
    } catch (error) {
      this.hooks.tell(`The map cannot be had: ${String(error)}`);
      return;
    }
    if (this.closed) return;
    const before = this.charts.get(method)?.state;
    this.charts.set(method, charted);
    clearTimeout(this.polls.get(method));
    if (charted.state === "computing") {
      const poll = window.setTimeout(() => void this.ask(method), POLL_MS);
      this.polls.set(method, poll);
    }
    if (method === this.method) await this.load();
    else if (before !== charted.state) {
      // Nothing moves under the eye: whoever waits is told, and asks for it.
      if (charted.state === "ready") this.hooks.ready(method);
      if (charted.state === "failed") this.hooks.tell(charted.text);
    }
    this.hooks.heard();
  }

  /** Bring what is new of the coordinates and the colors; one such errand at a time. */
  private async load(): Promise<void> {
    this.again = true;
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.again && !this.closed) {
        this.again = false;
        await this.bring();
      }
      this.tries = 0;
    } catch (error) {
      if (this.closed) return;
      this.tries += 1;
      if (this.tries < MOST_TRIES) this.changed();
      else this.hooks.tell(`The map cannot be read: ${String(error)}`);
    } finally {
      this.reading = false;
    }
  }

  private async bring(): Promise<void> {
    const charted = this.chart();
    if (!charted) return;
    if (!charted.points) {
      const { progress } = charted;
      const far = progress === null ? "" : ` ${Math.floor(100 * progress)} %`;
      const failed = charted.state === "failed" ? charted.text : "";
      this.hooks.tell(failed || `Laying out the items …${far}`);
      return;
    }
    const isNew = (this.moves || !this.drawn) && this.drawn !== charted.part;
    const xy = isNew ? await this.read(charted.part, "Fetching the map …") : null;
    for (const name of new Set<LayerName>(["label", this.wished])) {
      const part = charted.layers.find((layer) => layer.name === name);
      if (!part || this.layers.get(name)?.part === part.part) continue;
      const patches = this.patches;
      const codes = new Uint16Array(await this.read(part.part, ""));
      // What was labeled here meanwhile is not in it: the next answer has it.
      if (name !== "label" || patches === this.patches) this.layers.set(name, { ...part, codes });
      else this.changed();
    }
    if (this.closed) return;
    if (xy) {
      this.drawn = charted.part;
      this.moves = charted.state === "computing";
      this.hooks.points(new Float32Array(xy));
    }
    this.hooks.tell(charted.state === "failed" ? charted.text : "");
    this.hooks.colors();
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
      if (text && at < total) this.hooks.tell(`${text} ${Math.floor((100 * at) / total)} %`);
      if (!got.length) break;
    } while (at < total && !this.closed);
    return bytes.buffer;
  }

  /** Ids of some points. */
  async idsOf(places: readonly number[]): Promise<readonly string[]> {
    const missing = places.filter((place) => !this.names.has(place));
    for (let at = 0; at < missing.length; at += MOST_PLACES) {
      const some = missing.slice(at, at + MOST_PLACES);
      const { ids } = await this.host.chart({ method: this.method, places: some });
      some.forEach((place, k) => this.names.set(place, ids[k]!));
    }
    return places.map((place) => this.names.get(place)!);
  }

  /** The labels as they are going to be; what the kernel says then stands. */
  patch(places: readonly number[], value: string): void {
    const layer = this.layers.get("label");
    if (!layer) return;
    const names = layer.names.includes(value) ? layer.names : [...layer.names, value];
    const codes = layer.codes.slice();
    for (const place of places) codes[place] = names.indexOf(value) + 1;
    this.layers.set("label", { ...layer, names, codes, part: `patched/${++this.patches}` });
    if (this.wished === "label") this.hooks.colors();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.soon);
    for (const poll of this.polls.values()) clearTimeout(poll);
  }
}
