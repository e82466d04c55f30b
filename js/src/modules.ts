// Parts of the front end that are fetched from the kernel when they are first needed.

import type {
  CertifyPart,
  Chart,
  Charted,
  Json,
  Planned,
  SuggestionPart,
  ViewPart,
} from "./protocol";
import type { Press, TaskSpec } from "./keymap";

/** Some bytes of a part of an item, and how many the part has. */
export interface Piece {
  readonly bytes: DataView | undefined;
  readonly total: number;
}

/** What an editor shows: the item on the screen, its label so far, what is suggested. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly view: ViewPart;
  readonly buffers: readonly DataView[];
  readonly label: Json;
  readonly suggestion: SuggestionPart | null;
  /** Ask the kernel for some bytes of a part of the item that is too large for its view. */
  readonly piece?: (name: string, start: number, signal?: AbortSignal) => Promise<Piece>;
}

/** What the labeler does for an editor. */
export interface EditorHost {
  readonly task: TaskSpec;
  /** Label the item on the screen and go on. */
  submit(value: Json): void;
  /** For a screen reader. */
  say(text: string): void;
  /** Give the keys back to the labeler. */
  home(): void;
  /** Of a part of a form: hears of every change of what would be sent. */
  changed?(made: Made): void;
}

/** The value that a draft stands for, or why it cannot be sent yet. */
export type Made = { readonly value: Json } | { readonly wrong: string };

export interface KeyHelp {
  readonly keys: readonly string[];
  readonly does: string;
}

export interface Mounted {
  /** Another item, or another label or suggestion of the same one; null where there is none. */
  show(shown: Shown | null): void;
  /** A key, before the labeler looks at it; true if it meant something here. */
  press(press: Press, target: EventTarget | null): boolean;
  destroy(): void;
  /** For the sheet of keys. */
  readonly keys: readonly KeyHelp[];
}

/** An editor: the default export of a module called `editor-<kind of task>`. */
export interface Editor {
  /** Whether it draws the item itself, in the card, beside its controls below. */
  readonly stage: boolean | ((task: TaskSpec) => boolean);
  mount(
    places: { readonly stage: HTMLElement | null; readonly controls: HTMLElement },
    host: EditorHost,
  ): Mounted;
}

/** A look: the default export of a module called `look-<kind of view>`. */
export interface Look {
  mount(el: HTMLElement, host: LookHost): MountedLook;
}

export interface LookHost {
  say(text: string): void;
}

export interface MountedLook {
  show(shown: Shown): void;
  /** A key that the labeler has no use for; true if it meant something here. */
  press?(press: Press): boolean;
  destroy(): void;
  readonly keys?: readonly KeyHelp[];
}

/** Markdown as inert nodes: the default export of `panel-instructions`. */
export type Markdown = (source: string) => DocumentFragment;

/** The panel of certificates: the default export of `panel-certify`. */
export interface Panel {
  mount(el: HTMLElement, host: PanelHost): MountedPanel;
}

export interface PanelHost {
  /** The key that gives up, and the one of a page to verify, as `pressName` says them. */
  readonly keys: { readonly giveUp: string; readonly page: string };
  /** Whether the task can be verified on pages. */
  readonly pages: boolean;
  say(text: string): void;
  /** What a certificate would take; or begin one. */
  certificate(begin?: number, blind?: boolean): Promise<Planned>;
  /** Open a page to verify. */
  verify(): void;
  giveUp(id: string): void;
  dismiss(): void;
}

export interface MountedPanel {
  /** A certificate, or null for what one would take. */
  show(part: CertifyPart | null): void;
  /** A key that the labeler has no use for, or Escape; true if it meant something here. */
  press(press: Press, target: EventTarget | null): boolean;
  destroy(): void;
}

/** The map of all items: the default export of `panel-map`. */
export interface Overview {
  mount(el: HTMLElement, host: OverviewHost): MountedOverview;
}

/** What is asked of the kernel about a map. */
export type ChartWish = Omit<Chart, "v" | "type" | "client" | "id">;

/** An item and its label so far. */
export interface Labeled {
  readonly id: string;
  readonly label: Json;
}

export interface OverviewHost {
  readonly task: TaskSpec;
  /** Whether its commands take Shift: letters are labels, or type their names. */
  readonly shifted: boolean;
  say(text: string): void;
  chart(wish: ChartWish): Promise<Charted>;
  /** Bytes of a part of the map. */
  piece(name: string, start: number): Promise<Piece>;
  /** Show an item in an element, or nothing; what a screen reader says of it. */
  show(el: HTMLElement, item: string | null): Promise<string>;
  /** Give all of these one label; each comes with the one that it has. */
  label(items: readonly Labeled[], value: string): void;
  /** Show these beside each other. */
  open(items: readonly string[]): void;
  close(): void;
}

export interface MountedOverview {
  /** Something may have changed: another version is another text. */
  changed(version: string, items: number): void;
  press(press: Press): boolean;
  /** Label what is selected. */
  label(value: string): void;
  destroy(): void;
  readonly keys: readonly KeyHelp[];
}

/** What was loaded into this page by any labeler, by name and digest. */
const LOADED: Map<string, Promise<unknown>> = ((
  globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>
)[Symbol.for("nblabel.modules")] ??= new Map<string, Promise<unknown>>());

export class Modules {
  constructor(
    /** Digest of each module there is. */
    private readonly known: Readonly<Record<string, string>>,
    private readonly bring: (name: string) => Promise<string>,
    private readonly load: (text: string) => Promise<unknown> = importText,
  ) {}

  has(name: string): boolean {
    return Object.hasOwn(this.known, name);
  }

  /** The default export of a module; one that failed to load is tried again the next time. */
  get<T>(name: string): Promise<T> {
    const key = `${name}/${this.known[name] ?? ""}`;
    let loading = LOADED.get(key);
    if (!loading) {
      loading = this.bring(name).then(this.load);
      LOADED.set(key, loading);
      loading.catch(() => LOADED.delete(key));
    }
    return loading as Promise<T>;
  }
}

async function importText(text: string): Promise<unknown> {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    const module = (await import(/* @vite-ignore */ url)) as { default: unknown };
    return module.default;
  } finally {
    URL.revokeObjectURL(url);
  }
}
