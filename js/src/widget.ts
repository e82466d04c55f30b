// The module that anywidget loads: `initialize` once for each model, `render` for each view.

import { Controller, type Config } from "./controller";
import { mount } from "./views/frame";

interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: string, callback: (...values: never[]) => void): void;
  off(name: string, callback?: (...values: never[]) => void): void;
  readonly widget_manager?: unknown;
}

interface Context {
  readonly model: Model;
  readonly signal?: AbortSignal;
}

const controllers = new Map<string, Controller>();

const configOf = (model: Model): Config => model.get("_config") as Config;

function initialize({ model, signal }: Context): () => void {
  const config = configOf(model);
  const controller = new Controller(config, { send: (message) => model.send(message) }, world());
  controllers.set(config.widget, controller);
  model.on("msg:custom", (raw: unknown, buffers: unknown) =>
    controller.receive(raw, viewsOf(buffers)),
  );
  model.on("change:_news", () => controller.news());
  // ipywidgets tells its models when their line is cut or mended, but not which: see `lost`.
  model.on("comm_live_update", () => controller.lost());
  model.on("destroy", () => controller.lost());
  watchKernel(model.widget_manager, () => controller.lost());
  const wake = () => {
    if (document.visibilityState === "visible") controller.wake();
  };
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  const close = () => {
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("online", wake);
    controllers.delete(config.widget);
    controller.close();
  };
  signal?.addEventListener("abort", close);
  controller.open();
  return close;
}

function render({ model, el, signal }: Context & { readonly el: HTMLElement }): () => void {
  const controller = controllers.get(configOf(model).widget);
  if (!controller) throw new Error("nblabel: render before initialize");
  const unmount = mount(el, controller);
  signal?.addEventListener("abort", unmount);
  return unmount;
}

const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);

/** JupyterLab's widget manager knows its kernel; a kernel killed from outside shows only here. */
function watchKernel(manager: unknown, lost: () => void): void {
  type Kernel = {
    statusChanged?: { connect?: (slot: (_: unknown, status: unknown) => void) => void };
  };
  const kernel = (manager as { kernel?: Kernel } | undefined)?.kernel;
  kernel?.statusChanged?.connect?.((_, status) => {
    if (typeof status === "string" && ENDED.has(status)) lost();
  });
}

/** Buffers come as views on larger ones: their offset and length count. */
function viewsOf(buffers: unknown): readonly DataView[] {
  if (!Array.isArray(buffers)) return [];
  return buffers.map((buffer: unknown) => {
    if (ArrayBuffer.isView(buffer)) {
      return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    return new DataView(buffer as ArrayBuffer);
  });
}

function world() {
  let storage: Storage | null = null;
  try {
    storage = window.localStorage;
  } catch {
    // A host may forbid storage; unsaved labels then live as long as the page.
  }
  return {
    storage,
    now: () => Date.now(),
    newId,
    later: (run: () => void, ms: number) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    afterPaint,
    watch: (stored: (key: string) => void) => {
      const tell = ({ key, newValue }: StorageEvent) => {
        if (key !== null && newValue !== null) stored(key);
      };
      window.addEventListener("storage", tell);
      return () => window.removeEventListener("storage", tell);
    },
    warn: (text: string) => console.warn(text),
  };
}

/** From the end of a frame until its pixels are surely out, in milliseconds. */
const FRAME_MS = 10;

/** What is for the end of the frame that is due, and what is for later. */
let first: (() => void)[] = [];
let then: (() => void)[] = [];

function finish(): void {
  const runs = [...first, ...then];
  first = [];
  then = [];
  for (const run of runs) run();
}

const frame = new MessageChannel();
// A message of a frame's callbacks arrives when the frame is painted.
frame.port1.onmessage = () => {
  const runs = first;
  first = [];
  for (const run of runs) run();
  setTimeout(finish, FRAME_MS);
};

// What a page that goes had still to do is done before: by it labels are kept in the browser. And a
// hidden page has no frames.
window.addEventListener("pagehide", finish);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") finish();
});

function afterPaint(run: () => void, soon = false): void {
  if (document.visibilityState === "hidden") {
    run();
    return;
  }
  const waits = first.length + then.length > 0;
  (soon ? first : then).push(run);
  if (!waits) requestAnimationFrame(() => frame.port2.postMessage(null));
}

/** `crypto.randomUUID` is missing where the page came over plain http. */
const page = [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");
let ids = 0;

/** Unlike any other: 128 random bits a page, then a count. */
const newId = () => `${page}-${(ids++).toString(36)}`;

export default { initialize, render };
