// The frame around the items: listens to keys, and puts the parts together.

import { useComputed, useSignalEffect } from "@preact/signals";
import { render } from "preact";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Controller } from "../controller";
import {
  belongsToPage,
  commandFor,
  isChoice,
  isMany,
  startsTyping,
  type Command,
  type Press,
} from "../keymap";
import type { Mounted, MountedOverview, MountedPanel } from "../modules";
import type { MountedGrid } from "../panels/grid";
import type { SuggestionPart } from "../protocol";
import { search } from "../search";
import { current, currentId, visibleSuggestion, type Item, type Rule, type State } from "../state";
import { followTheme } from "../theme";
import { View } from "./card";
import { Footer } from "./footer";
import { Header } from "./header";
import { One, isLabelable } from "./one";
import { ErrorPanel, Instructions, NotePanel, Sheet } from "./panels";
import { OverviewSlot } from "./overview";
import { CertifySlot, GridSlot, VERIFY, lookFor } from "./slots";
import { useLate, useStill, useUnsaved } from "./still";

const OTHER_LOOK = [{ keys: ["tab"], does: "to the buttons of the other one: its keys go there" }];

/** Going on with a note half written keeps it. */
const KEEPS_NOTE: ReadonlySet<string> = new Set(["label", "accept", "skip", "back", "forward"]);

/** Commands about the item on the screen, where there is one. */
const ABOUT_ONE: ReadonlySet<string> = new Set([
  ...["accept", "skip", "flag", "note", "back", "forward", "suggest", "similar"],
]);
const NONE: ReadonlySet<string> = new Set();
/** What means on a page of many what it means everywhere; it has keys of its own for the rest. */
const ALSO_MANY: ReadonlySet<string> = new Set([
  ...["sheet", "close", "retrain", "instructions", "certify"],
]);

const CLASS: Rule = { rule: "class", of: "", strategy: "grid", ids: [], least: false };

/** Put a view of the controller into an element; the returned function takes it out again. */
export function mount(el: HTMLElement, controller: Controller): () => void {
  const abort = new AbortController();
  render(<Frame controller={controller} signal={abort.signal} />, el);
  // ipywidgets marks the views of a kernel that is gone.
  const dead = () => {
    if (el.closest(".jupyter-widgets-disconnected")) controller.lost();
  };
  const observer = new MutationObserver(dead);
  observer.observe(el, { attributes: true, attributeFilter: ["class"] });
  dead();
  const stay = keepFocus(el);
  return () => {
    observer.disconnect();
    stay.disconnect();
    abort.abort();
    render(null, el);
  };
}

/** Where a focused control is taken away, the keys stay here: they must not reach the notebook. */
function keepFocus(el: HTMLElement): MutationObserver {
  let focused: Element | null = null;
  el.addEventListener("focusin", (event) => (focused = event.target as Element));
  el.addEventListener("focusout", (event) => {
    // A browser may say so before or after it takes the element out.
    queueMicrotask(() => {
      if (event.target === focused && focused?.isConnected) focused = null;
    });
  });
  const observer = new MutationObserver(() => {
    if (!focused || focused.isConnected) return;
    focused = null;
    takeFocus(el.querySelector<HTMLElement>(".nblabel"));
  });
  observer.observe(el, { childList: true, subtree: true });
  return observer;
}

function Frame({ controller, signal }: { controller: Controller; signal: AbortSignal }) {
  const state = useStill(controller);
  const task = controller.config.task;
  const root = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [picked, setPicked] = useState(0);
  const [folded, setFolded] = useState(false);
  const item = current(state);
  const suggestion = typed ? suggestionOf(controller) : null;
  const matches = useMemo(() => {
    const ranking = suggestion?.ranking.map(([name]) => name) ?? [];
    return typed ? search(task.classes, typed, ranking) : task.classes;
  }, [typed, task, suggestion]);
  const unsaved = useUnsaved(controller);
  const toSave = useComputed(() => controller.state.value.unsaved);
  const training = useLate(state.status?.training === "training");

  useLayoutEffect(() => {
    if (root.current) followTheme(root.current, signal);
  }, []);

  const home = useCallback(() => {
    setTyped("");
    setPicked(0);
    takeFocus(root.current);
  }, []);
  const fold = useCallback(() => setFolded((now) => !now), []);
  const offer = useCallback(() => run({ type: "certify" }), []);
  const pick = useCallback((value: string) => run({ type: "label", value }), []);
  const swipe = useCallback((to: "left" | "right") => {
    const value = task.classes[to === "right" ? 0 : 1];
    if (value !== undefined) run({ type: "label", value });
  }, []);
  const type = useCallback((text: string) => {
    setTyped(text);
    setPicked(0);
  }, []);

  const latest = useRef<(command: Command) => void>(() => undefined);
  // One function for the life of the view, so that what has not changed is not rendered again.
  const run = useCallback((command: Command) => latest.current(command), []);
  const draft = useRef<string | null>(null);
  const editor = useRef<Mounted | null>(null);
  const certify = useRef<MountedPanel | null>(null);
  const grid = useRef<MountedGrid | null>(null);
  const early = useRef<Press[]>([]);
  const page = state.phase === "ready" && state.link !== "gone" ? state.grid : null;
  const draw = useCallback((el: HTMLElement, item: Item, suggestion: SuggestionPart | null) => {
    render(<View item={item} suggestion={suggestion} controller={controller} />, el);
    return () => render(null, el);
  }, []);
  const [closed, setClosed] = useState("");
  const [offers, setOffers] = useState(false);
  const certificate = state.status?.certify ?? null;
  const verifying = certificate?.state === "verifying";
  const certified = verifying || (certificate && certificate.id !== closed && !offers);
  useLayoutEffect(() => {
    if (verifying) setOffers(false);
  }, [verifying]);
  const closeCertify = useCallback((id: string | null) => {
    setOffers(false);
    if (id !== null) setClosed(id);
    home();
  }, []);
  const map = useRef<MountedOverview | null>(null);
  const [wanted, setMaps] = useState(false);
  const maps = wanted && state.phase === "ready" && state.link !== "gone";
  const closeMap = useCallback(() => {
    setMaps(false);
    home();
  }, []);
  const edits = !isChoice(task);
  latest.current = (command) => {
    if (draft.current !== null && KEEPS_NOTE.has(command.type)) {
      controller.act({ type: "note", text: draft.current });
    }
    if (command.type !== "sheet") draft.current = null;
    const state = controller.state.peek();
    const item = current(state);
    const labelable = isLabelable(state, item);
    // What is about the item on the screen means nothing where all of them are.
    if (maps && ABOUT_ONE.has(command.type)) return;
    switch (command.type) {
      case "label":
        if (maps) map.current?.label(command.value);
        else if (labelable) controller.act({ type: "label", value: command.value });
        home();
        return;
      case "accept":
      case "skip":
      case "flag":
        if (labelable) controller.act({ type: command.type });
        return;
      case "undo":
        if (state.link !== "gone") controller.act({ type: "undo" });
        return;
      case "back":
      case "forward":
        controller.act({ type: command.type });
        return;
      case "note":
        if (labelable) controller.act({ type: "panel", panel: "note" });
        return;
      case "sheet":
        controller.act({ type: "panel", panel: "sheet" });
        return;
      case "suggest":
        controller.act({ type: "suggest" });
        return;
      case "retrain":
        controller.retrain();
        return;
      case "instructions":
        fold();
        return;
      case "map":
        if (state.phase === "ready") setMaps((open) => !open);
        home();
        return;
      case "certify":
        // While one is made the key is for its panel.
        if (state.phase === "ready") setOffers((open) => !open);
        return;
      case "grid": {
        if (verifying && !certificate?.blind) {
          controller.act({ type: "open", rule: VERIFY });
          return;
        }
        const suggested = visibleSuggestion(state, item)?.label;
        const of = typeof suggested === "string" ? suggested : "";
        controller.act({ type: "open", rule: { ...CLASS, of } });
        return;
      }
      case "similar":
        if (item) {
          const of = item.id;
          controller.act({
            type: "open",
            rule: { ...CLASS, rule: "similar", strategy: "similar", of },
          });
        }
        return;
      case "words":
        controller.act({ type: "open", rule: { ...CLASS, rule: "search", strategy: "search" } });
        return;
      case "search":
        input.current?.focus({ preventScroll: true });
        return;
      case "close":
        if (page && state.panel === "none") controller.act({ type: "close" });
        else controller.act({ type: "dismiss" });
        home();
        return;
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const press = pressOf(event);
    if (belongsToPage(press)) return;
    // A notebook listens further up: a key that leaked could run, move or delete a cell.
    event.stopPropagation();
    if (event.isComposing) return;
    const target = event.target as HTMLElement;
    if (page) {
      pressMany(event, press, target);
      return;
    }
    // Mostly the widget itself has the focus: then none of its parts is meant.
    const part = target === root.current ? null : target;
    const now = controller.state.peek();
    if (edits && isLabelable(now, current(now)) && editor.current?.press(press, target)) {
      event.preventDefault();
      return;
    }
    if (part?.closest(".nblabel-editor") && /^(TEXTAREA|INPUT|SELECT)$/.test(target.tagName)) {
      if (event.key === "Escape") home();
      return;
    }
    if (target.tagName === "TEXTAREA") {
      if (event.key === "Escape") run({ type: "close" });
      return;
    }
    if (target === input.current) {
      if (typeInSearch(press)) event.preventDefault();
      return;
    }
    const control = part?.closest("button, a, summary");
    if (control && (event.key === "Enter" || event.key === " ")) return;
    if (event.key === "Tab") return;
    if (maps && state.panel === "none" && map.current?.press(press)) {
      event.preventDefault();
      return;
    }
    const command = commandFor(task, press);
    const free =
      !command ||
      command.type === "certify" ||
      (command.type === "close" && state.panel === "none") ||
      part?.closest(".nblabel-certify");
    if (
      (free && certify.current?.press(press, target)) ||
      (!command && lookFor(controller, target)?.press?.(press))
    ) {
      event.preventDefault();
      return;
    }
    if (command) {
      event.preventDefault();
      if (
        !event.repeat ||
        command.type === "undo" ||
        command.type === "back" ||
        command.type === "forward"
      )
        run(command);
    } else if (startsTyping(task, press)) {
      // The character lands in the field, which has the focus when it is typed.
      input.current?.focus({ preventScroll: true });
    }
  };

  /** Keys while many items are on one page. */
  const pressMany = (event: KeyboardEvent, press: Press, target: HTMLElement) => {
    const command = commandFor(task, press);
    const forPanel = command?.type === "certify" || target.closest(".nblabel-certify");
    if (forPanel && target.tagName !== "INPUT" && certify.current?.press(press, target)) {
      event.preventDefault();
      return;
    }
    if (state.panel === "none" && grid.current?.press(press, target)) {
      event.preventDefault();
      return;
    }
    const control = target.closest("button, a, summary");
    if (control && (event.key === "Enter" || event.key === " ")) return;
    if (target.tagName === "INPUT" || event.key === "Tab") return;
    // The field of words comes some milliseconds after its key.
    if (!grid.current && page?.rule.rule === "search" && !page.rule.of && isTyped(press)) {
      early.current.push(press);
      event.preventDefault();
      return;
    }
    if (!command || !ALSO_MANY.has(command.type)) return;
    event.preventDefault();
    if (!event.repeat) run(command);
  };

  /** Keys while the name of a label is typed; returns whether the key was used up. */
  const typeInSearch = (press: Press): boolean => {
    const count = matches.length;
    switch (press.key) {
      case "Enter": {
        const value = matches[Math.min(picked, count - 1)];
        if (!typed) run({ type: "accept" });
        else if (value !== undefined) run({ type: "label", value });
        return true;
      }
      case "ArrowDown":
      case "ArrowUp":
        if (count) setPicked((picked + (press.key === "ArrowDown" ? 1 : count - 1)) % count);
        return true;
      case "Escape":
        home();
        return true;
      case "Tab":
        return false;
    }
    if (typed) return false;
    const command = commandFor(task, press);
    if (!command) return false;
    // A key held down to empty the field must not go on and undo labels.
    if (!press.repeat) run(command);
    return true;
  };

  const seal = (event: Event) => event.stopPropagation();

  return (
    <div
      ref={root}
      class="nblabel"
      tabIndex={0}
      role="application"
      aria-label={`Label items${task.question ? `: ${task.question}` : ""}. Press question mark for the keys.`}
      data-lm-suppress-shortcuts="true"
      data-state={phaseOf(state)}
      data-unsaved={toSave}
      data-rank={state.rank}
      data-panel={state.panel}
      data-page={page ? page.rule.strategy : undefined}
      data-theme="light"
      onKeyDown={onKeyDown}
      onKeyUp={(event) => {
        seal(event);
        if (event.key === " ") grid.current?.release();
      }}
      onFocusOut={() => grid.current?.release()}
      onKeyPress={seal}
      onFocusIn={() => controller.wake()}
      onMouseDown={(event) => {
        // A click on anything that takes no focus of its own brings the keys here.
        const own = (event.target as HTMLElement).closest("button, input, textarea, a, [tabindex]");
        if (own === root.current)
          requestAnimationFrame(() => root.current?.focus({ preventScroll: true }));
      }}
    >
      <Header
        status={state.status}
        busy={state.link === "busy" && state.phase === "ready" && item !== null}
        notice={state.notice}
        about={state.about}
        unsaved={unsaved}
        training={training}
        controller={controller}
        folded={folded}
        onFold={fold}
        onAfter={home}
        onCertify={offer}
      />
      {controller.config.instructions !== "" && !folded && <Instructions controller={controller} />}
      {(certified || offers) && (
        <CertifySlot
          controller={controller}
          part={certified ? certificate : null}
          mounted={certify}
          onClose={closeCertify}
        />
      )}
      {maps && (
        <OverviewSlot
          controller={controller}
          mounted={map}
          hidden={page !== null}
          onClose={closeMap}
        />
      )}
      {page ? (
        <GridSlot controller={controller} grid={page} draw={draw} mounted={grid} early={early} />
      ) : (
        <One
          controller={controller}
          maps={maps}
          matches={matches}
          typed={typed}
          picked={picked}
          input={input}
          editor={editor}
          onSwipe={swipe}
          onHome={home}
          onType={type}
          onPick={pick}
        />
      )}
      {state.panel === "note" && item && !page && (
        <NotePanel
          key={item.id}
          text={item.note}
          draft={draft}
          onSave={(text) => {
            draft.current = null;
            controller.act({ type: "note", text });
            home();
          }}
          onClose={() => run({ type: "close" })}
        />
      )}
      {state.panel === "error" && state.status?.error && (
        <ErrorPanel
          title={
            state.status.training === "unranked"
              ? "The strategy failed: items come at random."
              : "The last training failed."
          }
          text={state.status.error}
          onRetry={() => {
            controller.retrain();
            run({ type: "close" });
          }}
          onClose={() => run({ type: "close" })}
        />
      )}
      {state.phase === "ready" && state.status && (
        <Footer
          status={state.status}
          suggest={state.suggest}
          unsaved={unsaved}
          task={task}
          without={maps ? ABOUT_ONE : NONE}
          run={run}
          onAfter={home}
          many={page !== null}
        />
      )}
      {state.panel === "sheet" && (
        <Sheet
          task={task}
          many={page !== null}
          more={
            (page ? grid.current : map.current)?.keys ?? [
              ...(editor.current?.keys ?? []),
              ...(controller.looks[0]?.look.keys ?? []),
              ...(controller.looks.length > 1 ? OTHER_LOOK : []),
            ]
          }
          onClose={() => run({ type: "close" })}
        />
      )}
      <Heard controller={controller} />
    </div>
  );
}

/** What a screen reader hears. */
function Heard({ controller }: { controller: Controller }) {
  const box = useRef<HTMLDivElement>(null);
  const said = useComputed(() => controller.state.value.said);
  useSignalEffect(() => {
    // Behind the paint, with all else that may wait: a page that draws no frames answers the next
    // key at once, one that does makes it wait for its turn.
    if (said.value !== box.current?.textContent) controller.afterPaint(tell);
  });
  const tell = () => {
    if (box.current) box.current.textContent = said.peek();
  };
  return <div class="nblabel-heard" role="status" aria-live="polite" ref={box} />;
}

const suggestionOf = ({ state }: Controller): SuggestionPart | null =>
  visibleSuggestion(state.peek(), current(state.peek()));

const pressOf = (event: KeyboardEvent): Press => ({
  key: event.key,
  shift: event.shiftKey,
  ctrl: event.ctrlKey,
  alt: event.altKey,
  meta: event.metaKey,
  repeat: event.repeat,
});

const isTyped = ({ key, ctrl, alt, meta }: Press): boolean =>
  !ctrl && !alt && !meta && ([...key].length === 1 || key === "Enter");

/** Focusing what has the focus already would still make the browser lay out the page. */
function takeFocus(el: HTMLElement | null): void {
  const around = el?.getRootNode() as Document | ShadowRoot | undefined;
  if (around?.activeElement !== el) el?.focus({ preventScroll: true });
}

/** In one word, for tests and styles. */
function phaseOf(state: State): string {
  if (state.link === "gone") return "gone";
  if (state.phase !== "ready") return state.phase;
  if (current(state)) return "ready";
  if (currentId(state) !== null || !state.status) return "loading";
  return state.status.left - state.unsaved > 0 ? "loading" : "finished";
}
