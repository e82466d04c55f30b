// Named spans of a text: arrows move by words, shift extends, a label's key marks what is selected.

import { render } from "preact";
import type { EditorHost, KeyHelp, Mounted, Shown } from "../modules";
import { pressName, type Press } from "../keymap";
import {
  added,
  begin,
  caretAt,
  linked,
  moved,
  nextSpan,
  optionsOf,
  pieces,
  removed,
  selection,
  snapped,
  valueOf,
  type Draft,
  type Span,
} from "./spanning";
import { Below, LabelButtons, Submit, classOf, drawing } from "./base";
import css from "./spans.css";

class SpanEditor implements Mounted {
  private draft: Draft | null = null;
  private shown: Shown | null = null;
  private relation = 0;
  private readonly below: Below;
  private readonly page = document.createElement("div");

  constructor(
    stage: HTMLElement,
    controls: HTMLElement,
    private readonly host: EditorHost,
  ) {
    this.below = new Below(controls, css);
    this.page.className = "nblabel-text nblabel-spans";
    this.page.dir = "auto";
    stage.replaceChildren(this.page);
    this.page.addEventListener("mouseup", this.onMouseUp);
  }

  get keys(): readonly KeyHelp[] {
    return [
      { keys: ["left", "right"], does: "from word to word; ↑ ↓ from line to line" },
      { keys: ["shift+left", "shift+right"], does: "select more words" },
      ...(this.host.task.classes.length ? [{ keys: ["1"], does: "a label's key names them" }] : []),
      { keys: ["tab"], does: "to the next span, to rename or remove it" },
      { keys: ["backspace"], does: "remove the span" },
      { keys: ["z"], does: "undo in this text, then the last one" },
      ...(optionsOf(this.host.task).relations.length
        ? [{ keys: ["c"], does: "connect the span with another: press it on both" }]
        : []),
      { keys: ["enter", "space"], does: "send the spans" },
    ];
  }

  show(shown: Shown | null): void {
    this.shown = shown;
    const text = shown?.view.data["text"];
    if (!shown || typeof text !== "string") this.draft = null;
    else {
      const suggestion = shown.suggestion?.label ?? null;
      this.draft = begin(text, shown.label ?? suggestion, shown.label === null);
    }
    this.draw();
  }

  destroy(): void {
    this.page.removeEventListener("mouseup", this.onMouseUp);
    render(null, this.page);
    this.page.remove();
    this.below.remove();
  }

  press(press: Press, target: EventTarget | null = null): boolean {
    const { draft } = this;
    if (!draft) return false;
    const { task } = this.host;
    const key = pressName(press);
    const again = press.repeat === true;
    // A button keeps the keys that press it and leave it.
    const onButton = target instanceof Element && target.closest("button, a, summary") !== null;
    if (onButton && /^(enter|space|(shift\+)?tab)$/.test(key)) return false;
    const step = this.forward(key);
    if (step) {
      this.set(moved(draft, step, key.startsWith("shift+")));
      return true;
    }
    switch (key) {
      case "enter":
      case "space":
        if (!again) this.submit();
        return true;
      case "tab":
      case "shift+tab": {
        if (!draft.spans.length) return false;
        const next = nextSpan(draft, key === "tab" ? 1 : -1);
        this.set(next);
        if (next.active) this.host.say(this.describe(next.active));
        return true;
      }
      case "up":
      case "down":
      case "shift+up":
      case "shift+down":
        this.line(key.endsWith("down") ? 1 : -1, key.startsWith("shift+"));
        return true;
      case "home":
      case "end":
        this.set(moved(draft, key === "home" ? -Infinity : Infinity, false));
        return true;
      case "backspace":
      case "delete": {
        const span = draft.active ?? this.under();
        // A key held down must not go on and take back whole items.
        if (!span) return key === "delete" || again;
        this.set(removed(draft, span));
        this.host.say(`${span.label} removed.`);
        return true;
      }
      case "z":
        if (!draft.before) return again;
        this.set(draft.before);
        this.host.say("Taken back.");
        return true;
      case "c": {
        const { relations } = optionsOf(task);
        if (!relations.length) return false;
        this.connect();
        return true;
      }
    }
    const name = classOf(task, key);
    if (name === undefined) return false;
    this.mark(name);
    return true;
  }

  private readonly onMouseUp = (): void => {
    const { draft } = this;
    const chosen = (this.page.getRootNode() as Document).getSelection?.() ?? getSelection();
    if (!draft || !chosen || chosen.isCollapsed || !chosen.rangeCount) return;
    const range = chosen.getRangeAt(0);
    const start = this.unitOf(range.startContainer, range.startOffset);
    const end = this.unitOf(range.endContainer, range.endOffset);
    if (start === null || end === null || start >= end) return;
    const whole = snapped(draft, start, end);
    if (!whole) return;
    chosen.removeAllRanges();
    const anchor = caretAt(draft, whole[0]).caret;
    const caret = caretAt(draft, whole[1] - 1).caret;
    this.set({ ...draft, active: null, anchor, caret });
  };

  /** The place of a DOM position in the text: names of spans in between do not count. */
  private unitOf(node: Node, offset: number): number | null {
    if (!this.page.contains(node)) return null;
    const inside = node instanceof Element ? (node.childNodes[offset] ?? null) : node;
    const holder = (inside instanceof Element ? inside : inside?.parentElement)?.closest(
      "[data-at]",
    );
    if (!holder) return this.draft?.text.length ?? null;
    const at = Number(holder.getAttribute("data-at"));
    return node.nodeType === Node.TEXT_NODE ? at + offset : at;
  }

  private forward(key: string): number {
    const arrow = key.replace("shift+", "");
    if (arrow !== "left" && arrow !== "right") return 0;
    const rightToLeft = getComputedStyle(this.page).direction === "rtl";
    return (arrow === "right") === rightToLeft ? -1 : 1;
  }

  /** The word above or below the caret, as the text is laid out. */
  private line(by: 1 | -1, extend: boolean): void {
    const { draft } = this;
    const from = this.rectOf(draft?.caret ?? 0);
    if (!draft || !from) return;
    let best: { place: number; line: number; distance: number } | null = null;
    for (let place = draft.caret + by; place >= 0 && place < draft.words.length; place += by) {
      const rect = this.rectOf(place);
      if (!rect) break;
      const line = (rect.top - from.top) * by;
      if (line < from.height / 2) continue;
      if (best && line > best.line + from.height / 2) break;
      const distance = Math.abs((rect.left + rect.right - from.left - from.right) / 2);
      if (!best || distance < best.distance) best = { place, line, distance };
    }
    if (best) this.set(moved(draft, best.place - draft.caret, extend));
  }

  private rectOf(place: number): DOMRect | null {
    const word = this.draft?.words[place];
    if (!word) return null;
    for (const piece of this.page.querySelectorAll<HTMLElement>("[data-at]")) {
      const at = Number(piece.dataset["at"]);
      const node = piece.firstChild;
      if (!node || word[0] < at || word[0] >= at + (node.textContent?.length ?? 0)) continue;
      const range = document.createRange();
      range.setStart(node, word[0] - at);
      range.setEnd(node, Math.min(word[1] - at, node.textContent?.length ?? 0));
      return range.getBoundingClientRect();
    }
    return null;
  }

  /** The innermost span over the caret. */
  private under(): Span | null {
    const at = this.draft?.words[this.draft.caret];
    const over = this.draft?.spans.filter((s) => at && s.start <= at[0] && s.end >= at[1]) ?? [];
    return over.sort((a, b) => a.end - a.start - (b.end - b.start))[0] ?? null;
  }

  private mark(name: string): void {
    const { draft } = this;
    const place = draft && selection(draft);
    if (!draft || !place) return;
    this.set(added(this.host.task, draft, place[0], place[1], name));
    this.host.say(`${draft.text.slice(...place)}: ${name}.`);
  }

  private connect(): void {
    const { draft } = this;
    if (!draft) return;
    const span = draft.active ?? this.under();
    if (!span) {
      this.host.say("Go to a span first, with tab.");
      return;
    }
    const { relations } = optionsOf(this.host.task);
    const name = relations[this.relation % relations.length] ?? "";
    this.set(linked(this.host.task, { ...draft, active: span }, name));
    this.host.say(draft.head ? `${name}.` : "Go to the other span and press c again.");
  }

  private submit(): void {
    if (this.draft) this.host.submit(valueOf(this.host.task, this.draft));
    this.host.home();
  }

  private describe(span: Span): string {
    return `${span.label}: ${this.draft?.text.slice(span.start, span.end) ?? ""}`;
  }

  private set(draft: Draft): void {
    this.draft = draft;
    this.draw();
    this.reveal();
  }

  /** Long texts scroll inside their card, and nothing else moves. */
  private reveal(): void {
    const card = this.page.closest<HTMLElement>(".nblabel-card");
    const now = this.page.querySelector(".nblabel-now")?.getBoundingClientRect();
    if (!card || !now) return;
    const around = card.getBoundingClientRect();
    if (now.top < around.top + 8) card.scrollTop -= around.top + 8 - now.top;
    else if (now.bottom > around.bottom - 8) card.scrollTop += now.bottom - around.bottom + 8;
  }

  private draw(): void {
    const { draft, host } = this;
    const { task } = host;
    if (!draft) {
      render(null, this.page);
      this.below.draw(
        this.shown && <p class="nblabel-soft nblabel-none">This item has no text to mark.</p>,
      );
      return;
    }
    host.changed?.({ value: valueOf(task, draft) });
    const colors = new Map(task.classes.map((name, k) => [name, k % 10]));
    render(<Text draft={draft} colors={colors} onPick={(span) => this.pick(span)} />, this.page);
    const { relations } = optionsOf(task);
    const marked = draft.spans.length;
    const hint = draft.head
      ? `${draft.text.slice(draft.head.start, draft.head.end)} → … press c on the other span`
      : `${marked} ${marked === 1 ? "span" : "spans"}${draft.relations.length ? `, ${draft.relations.length} relations` : ""}`;
    this.below.draw(
      <>
        <LabelButtons
          task={task}
          onPick={(name) => {
            this.mark(name);
            host.home();
          }}
        />
        {relations.length > 0 && (
          <div class="nblabel-relations">
            <span class="nblabel-soft">
              <kbd>c</kbd> connects by
            </span>
            {relations.map((name, k) => (
              <button
                key={name}
                type="button"
                class="nblabel-button"
                aria-pressed={this.relation === k}
                onClick={() => {
                  this.relation = k;
                  host.home();
                  this.draw();
                }}
              >
                {name}
              </button>
            ))}
            <ul>
              {draft.relations.map((relation) => (
                <li key={`${relation.head.start}/${relation.tail.start}/${relation.label}`}>
                  {draft.text.slice(relation.head.start, relation.head.end)}{" "}
                  <em>{relation.label}</em>{" "}
                  {draft.text.slice(relation.tail.start, relation.tail.end)}
                </li>
              ))}
            </ul>
          </div>
        )}
        <Submit wrong="" hint={hint} onSubmit={() => this.submit()} />
      </>,
    );
  }

  private pick(span: Span): void {
    if (!this.draft) return;
    this.set({ ...this.draft, active: span, ...caretAt(this.draft, span.start) });
    this.host.home();
  }
}

interface TextProps {
  readonly draft: Draft;
  readonly colors: ReadonlyMap<string, number>;
  readonly onPick: (span: Span) => void;
}

function Text({ draft, colors, onPick }: TextProps) {
  return (
    <>
      {pieces(draft).map((piece) => {
        const top = piece.spans.at(-1);
        const ends = piece.spans.filter((span) => span.end === piece.end);
        const names = [
          "nblabel-piece",
          piece.selected && "nblabel-picked-words",
          (piece.caret || (draft.active && piece.spans.includes(draft.active))) && "nblabel-now",
          top?.suggested && "nblabel-guess",
          top && `nblabel-k${colors.get(top.label) ?? 8}`,
          top && "nblabel-in",
        ];
        return (
          <>
            <span
              key={piece.start}
              class={names.filter(Boolean).join(" ")}
              data-at={piece.start}
              style={{ "--depth": piece.spans.length }}
              onClick={top && (() => onPick(top))}
            >
              {draft.text.slice(piece.start, piece.end)}
            </span>
            {ends.reverse().map((span) => (
              <sup
                key={`${span.start}-${span.end}-${span.label}`}
                class={`nblabel-span-name nblabel-k${colors.get(span.label) ?? 8}${span === draft.active ? " nblabel-chosen" : ""}`}
                onClick={() => onPick(span)}
              >
                {span.label}
              </sup>
            ))}
          </>
        );
      })}
    </>
  );
}

export default drawing(SpanEditor);
