// Where what was fetched is put: the editor of a task, the look of an item.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { GRID, type Controller } from "../controller";
import { bindings, isChoice, isMany, type Press, type Simple, type TaskSpec } from "../keymap";
import type { Editor, Look, Mounted, MountedLook, MountedPanel, Panel, Shown } from "../modules";
import type { CertifyPart, SuggestionPart } from "../protocol";
import type { GridPanel, MountedGrid } from "../panels/grid";
import type { Grid, Item, Rule } from "../state";

/** What a certificate asks to be verified on a page. */
export const VERIFY: Rule = { rule: "certify", of: "", strategy: "grid", ids: [], least: false };

/** A module by its name: null while it is on its way, a text if it cannot be had. */
export function useModule<T>(controller: Controller, name: string): T | string | null {
  const [found, setFound] = useState<{ module: T | string | null }>({ module: null });
  useEffect(() => {
    let here = true;
    const set = (module: T | string) => {
      if (here) setFound({ module });
    };
    controller.modules.get<T>(name).then(set, (error: unknown) => set(String(error)));
    return () => {
      here = false;
    };
  }, [controller, name]);
  return found.module;
}

const shownOf = (controller: Controller, item: Item, suggestion: SuggestionPart | null): Shown => ({
  id: item.id,
  name: item.name,
  view: item.view,
  buffers: item.buffers,
  label: item.label,
  suggestion,
  piece: (name, start, signal) => controller.piece(item, name, start, signal),
});

interface EditorProps {
  readonly controller: Controller;
  readonly item: Item | null;
  readonly suggestion: SuggestionPart | null;
  /** The place in the card, for an editor that draws the item. */
  readonly stage: RefObject<HTMLDivElement | null>;
  /** Whether that place is given. */
  readonly draws: boolean;
  readonly onStage: (draws: boolean) => void;
  /** The editor as it is mounted, for the keys. */
  readonly mounted: { current: Mounted | null };
  readonly onHome: () => void;
}

/** The editor of a task that one key does not answer. */
export function EditorSlot(props: EditorProps) {
  const { controller, item, suggestion, stage, onStage, mounted, onHome } = props;
  const { task } = controller.config;
  const editor = useModule<Editor>(controller, `editor-${task.kind}`);
  const controls = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLElement | null>(null);
  const seen = useRef<readonly unknown[]>([]);
  const ready = editor !== null && typeof editor !== "string";
  const { stage: wants = false } = ready ? editor : {};
  const places = typeof wants === "function" ? wants(task) : wants;
  useLayoutEffect(() => {
    if (ready) onStage(places);
  }, [ready]);
  // After every rendering: the place in the card comes and goes with the item.
  useLayoutEffect(() => {
    if (!ready || !controls.current) return;
    const now = places ? stage.current : null;
    if (mounted.current && place.current !== now) {
      mounted.current.destroy();
      mounted.current = null;
    }
    if (!mounted.current && (!places || now)) {
      place.current = now;
      seen.current = [];
      mounted.current = editor.mount(
        { stage: now, controls: controls.current },
        {
          task,
          submit: (value) => controller.act({ type: "label", value }),
          say: (text) => controller.say(text),
          home: onHome,
        },
      );
    }
    const parts = [item?.id, item?.view, item?.label, suggestion];
    if (!mounted.current || parts.every((part, k) => part === seen.current[k])) return;
    seen.current = parts;
    mounted.current.show(item && shownOf(controller, item, suggestion));
  });
  useEffect(
    () => () => {
      mounted.current?.destroy();
      mounted.current = null;
    },
    [],
  );
  return (
    <div class="nblabel-editor" data-editor={task.kind} data-ready={ready}>
      <div ref={controls} class="nblabel-controls" />
      {editor === null && <p class="nblabel-soft">Loading the editor …</p>}
      {typeof editor === "string" && (
        <p class="nblabel-soft" role="alert">
          The editor for {task.kind} cannot be loaded: {editor}. Reload the page to try again.
        </p>
      )}
    </div>
  );
}

/** Let a look have the keys that are pressed in its element; the returned function ends that. */
function enter(controller: Controller, el: Element | null, look: MountedLook): () => void {
  const place = { el: el ?? document.body, look };
  controller.looks.push(place);
  return () => void controller.looks.splice(controller.looks.indexOf(place), 1);
}

/** The look that a key is for: the one it was pressed in, else the first. */
export function lookFor({ looks }: Controller, target: Node): MountedLook | undefined {
  return (looks.find(({ el }) => el.contains(target)) ?? looks[0])?.look;
}

/** The look of an item that the core does not know. */
export function LookView({
  item,
  suggestion,
  controller,
}: {
  readonly item: Item;
  readonly suggestion: SuggestionPart | null;
  readonly controller: Controller;
}) {
  const look = useModule<Look>(controller, `look-${item.view.kind}`);
  const box = useRef<HTMLDivElement>(null);
  const mounted = useRef<MountedLook | null>(null);
  const ready = look !== null && typeof look !== "string";
  useLayoutEffect(() => {
    if (!ready || !box.current) return undefined;
    const made = look.mount(box.current, { say: (text) => controller.say(text) });
    mounted.current = made;
    const leave = enter(controller, box.current, made);
    return () => {
      leave();
      mounted.current = null;
      made.destroy();
    };
  }, [look]);
  useLayoutEffect(() => {
    mounted.current?.show(shownOf(controller, item, suggestion));
  }, [look, item.id, item.view, suggestion]);
  return (
    <div class="nblabel-look" data-look={item.view.kind} data-ready={ready}>
      <div ref={box} />
      {look === null && <p class="nblabel-soft">Loading …</p>}
      {typeof look === "string" && (
        <p class="nblabel-soft" role="alert">
          This item cannot be shown: {look}. You can skip it, or label it anyway.
        </p>
      )}
    </div>
  );
}

const keyOf = (task: TaskSpec, command: Simple): string =>
  bindings(task).find((binding) => binding.command === command)?.keys[0] ?? "";

/** What a certificate would take, what it still needs while it is made, and what it says. */
export function CertifySlot({
  controller,
  part,
  mounted,
  onClose,
}: {
  readonly controller: Controller;
  readonly part: CertifyPart | null;
  /** The panel as it is mounted, for the keys. */
  readonly mounted: { current: MountedPanel | null };
  readonly onClose: (id: string | null) => void;
}) {
  const panel = useModule<Panel>(controller, "panel-certify");
  const box = useRef<HTMLDivElement>(null);
  const newest = useRef(part);
  newest.current = part;
  const ready = panel !== null && typeof panel !== "string";
  useLayoutEffect(() => {
    if (!ready || !box.current) return undefined;
    const { task } = controller.config;
    const made = panel.mount(box.current, {
      keys: { giveUp: keyOf(task, "certify"), page: keyOf(task, "grid") },
      pages: isChoice(task),
      say: (text) => controller.say(text),
      certificate: (begin, blind) => controller.certificate(begin, blind),
      verify: () => controller.act({ type: "open", rule: VERIFY }),
      giveUp: (id) => controller.giveUp(id),
      dismiss: () => onClose(newest.current?.id ?? null),
    });
    mounted.current = made;
    return () => {
      mounted.current = null;
      made.destroy();
    };
  }, [panel]);
  useLayoutEffect(() => mounted.current?.show(part), [panel, part]);
  // What it says goes on without its picture.
  return <div ref={box}>{typeof panel === "string" && (part?.advice ?? panel)}</div>;
}

/** A page of many items. */
export function GridSlot({
  controller,
  grid,
  draw,
  mounted,
  early,
}: {
  readonly controller: Controller;
  readonly grid: Grid;
  /** Puts an item into an element, as its card does. */
  readonly draw: (el: HTMLElement, item: Item, suggestion: SuggestionPart | null) => () => void;
  /** The page as it is mounted, for the keys. */
  readonly mounted: { current: MountedGrid | null };
  /** What was pressed for its field of words before it was mounted. */
  readonly early: { current: Press[] };
}) {
  const panel = useModule<GridPanel>(controller, GRID);
  const box = useRef<HTMLDivElement>(null);
  const ready = panel !== null && typeof panel !== "string";
  useLayoutEffect(() => {
    if (!ready || !box.current) return undefined;
    const made = panel.mount(box.current, {
      task: controller.config.task,
      act: (action) => controller.act(action),
      grid: () => controller.state.value.grid,
      say: (text) => controller.say(text),
      draw,
    });
    mounted.current = made;
    return () => {
      mounted.current = null;
      made.destroy();
    };
  }, [panel]);
  useLayoutEffect(() => {
    mounted.current?.show(grid);
    mounted.current?.type(early.current.splice(0));
  }, [panel, grid]);
  // Of a page that was left before it was there, nothing is for the next one.
  useLayoutEffect(() => () => void early.current.splice(0), []);
  return (
    <main
      class="nblabel-many-items"
      data-ready={panel !== null && (grid.page.length > 0 || !grid.more || grid.error !== "")}
    >
      <div ref={box} />
      {panel === null && <p class="nblabel-message nblabel-soft">Loading …</p>}
      {typeof panel === "string" && (
        <p class="nblabel-message" role="alert">
          The page cannot be loaded: {panel}. Esc goes back; reload the page to try again.
        </p>
      )}
    </main>
  );
}

const IMAGE_TOOLS = "look-image-tools";
const TOOL_KEYS = [{ keys: ["+", "b", "k"], does: "closer, brighter, more contrast" }];

/** Zoom, brightness and contrast of an image: fetched with the first key for them. */
export function useImageTools(
  box: RefObject<HTMLDivElement | null>,
  item: Item,
  controller: Controller,
): void {
  const tools = useRef<MountedLook | null>(null);
  useLayoutEffect(() => {
    const { modules, config } = controller;
    // Two images beside each other have one set of tools; letters may be for typing names.
    if (controller.looks.length || !modules.has(IMAGE_TOOLS) || isMany(config.task))
      return undefined;
    const lazy: MountedLook = {
      get keys() {
        return tools.current?.keys ?? TOOL_KEYS;
      },
      show: () => undefined,
      press(press) {
        if (tools.current) return tools.current.press?.(press) ?? false;
        if (press.ctrl || press.alt || !/^[-+=bdkl]$/.test(press.key)) return false;
        void modules.get<Look>(IMAGE_TOOLS).then((look) => {
          const stage = box.current?.closest<HTMLElement>(".nblabel-stage");
          if (!stage || controller.looks[0]?.look !== lazy) return;
          tools.current ??= look.mount(stage, { say: (text) => controller.say(text) });
          tools.current.press?.(press);
        });
        return true;
      },
      destroy: () => tools.current?.destroy(),
    };
    const leave = enter(controller, box.current, lazy);
    return () => {
      leave();
      lazy.destroy();
      tools.current = null;
    };
  }, []);
  useLayoutEffect(() => tools.current?.show(shownOf(controller, item, null)), [item.id]);
}
