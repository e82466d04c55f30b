// The item on the screen, and what is said where there is none.

import { Component, type RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Controller } from "../controller";
import { brief, count, describeValue } from "../format";
import type { Media } from "../media";
import type { SuggestionPart, ViewPart } from "../protocol";
import { currentId, isRare, type Item, type State } from "../state";
import { sanitize } from "../sanitize";
import { THEME_CHANGED } from "../theme";
import { MOST_SHOWN, cut, segments } from "../text";
import { Aim } from "./aim";
import { LookView, useImageTools } from "./slots";
import { useSwipe } from "./swipe";

interface Props {
  readonly state: State;
  readonly item: Item | null;
  readonly suggestion: SuggestionPart | null;
  readonly controller: Controller;
  /** Where an editor draws the item itself. */
  readonly stage: RefObject<HTMLDivElement | null> | null;
  /** What a swipe over the item means, where it means anything. */
  readonly onSwipe: ((to: "left" | "right") => void) | null;
}

export function Card({ state, item, suggestion, controller, stage, onSwipe }: Props) {
  if (state.link === "gone") {
    return (
      <Message title="The kernel is gone">
        Run the cell again to go on.{" "}
        {state.unsaved > 0
          ? `${state.unsaved} unsaved ${state.unsaved === 1 ? "label is" : "labels are"} kept in this browser and will be delivered then.`
          : "Everything you labeled is saved."}
      </Message>
    );
  }
  if (state.phase === "refused")
    return <Message title="This labeler has ended">{state.refusal}</Message>;
  if (state.phase === "connecting") {
    return (
      <Message title={state.link === "busy" ? "Waiting for the kernel" : "Getting ready"}>
        {state.link === "busy" ? "It is busy; labeling starts as soon as it answers." : ""}
      </Message>
    );
  }
  if (!item) return <Nothing state={state} controller={controller} />;
  const back = state.cursor !== null;
  return (
    <>
      <Stage
        item={item}
        suggestion={suggestion}
        controller={controller}
        stage={stage}
        onSwipe={onSwipe}
      />
      <div class="nblabel-why">
        <p class="nblabel-reasons">
          {hasTrusted(item.view) && (
            <span
              class="nblabel-tag nblabel-trusted"
              title="trust_html=True: this item's HTML is not sanitised and its scripts run, in a frame that cannot reach the notebook."
            >
              ⚠ trusted HTML
            </span>
          )}
          {item.flagged && <span class="nblabel-tag nblabel-flagged">⚑ flagged</span>}
          {item.copies > 1 && (
            <span
              class="nblabel-tag"
              title={`${count(item.copies)} items are the same: one label is for all of them.`}
            >
              ×{count(item.copies)}
            </span>
          )}
          {item.label !== null && (
            <span class="nblabel-tag">labeled {describeValue(item.label)}</span>
          )}
          {suggestion && !back && isRare(suggestion) && (
            <span title="Another label is commoner, and so likelier; but the signs speak for this one.">
              suggested by its signs, though rare
            </span>
          )}
          <span>{back ? "answered before; a key changes it" : item.reason}</span>
          {!item.shown.visible &&
            item.suggestion &&
            state.suggest &&
            !NEVER_SHOWN.has(item.shown.strategy) && (
              <span title="A few suggestions are hidden at random, to measure how much they pull.">
                suggestion hidden by chance
              </span>
            )}
          {item.note !== "" && <span class="nblabel-noted">✎ {item.note}</span>}
        </p>
        {!back && state.status && <Aim status={state.status} />}
        {/* Laid out by itself: it changes with every item. */}
        <Name name={item.name} />
      </div>
    </>
  );
}

/** Strategies whose items are judged without a suggestion, and whose reason says so. */
const NEVER_SHOWN: ReadonlySet<string> = new Set(["certify", "review"]);

/** The card grows to the tallest item so far, within bounds, and stays: the labels do not jump. */
const LEAST_HEIGHT = 128;
const MOST_HEIGHT = 440;

/** A card of known height is laid out by itself, not with the whole page. */
function Stage({
  item,
  suggestion,
  controller,
  stage,
  onSwipe,
}: Pick<Props, "suggestion" | "controller" | "stage" | "onSwipe"> & { readonly item: Item }) {
  // What cannot be shown has no place for an editor either.
  const drawn = stage !== null && !["missing", "error"].includes(item.view.kind);
  const card = useRef<HTMLElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  useSwipe(card, onSwipe);
  useLayoutEffect(() => {
    let tallest = LEAST_HEIGHT;
    const grow = () => {
      const height = Math.min(MOST_HEIGHT, (inner.current?.scrollHeight ?? 0) + PADDING);
      if (height <= tallest) return;
      tallest = height;
      if (card.current) card.current.style.height = `${height}px`;
    };
    const observer = new ResizeObserver(grow);
    if (inner.current) observer.observe(inner.current);
    grow();
    return () => observer.disconnect();
  }, []);
  return (
    <main
      ref={card}
      class="nblabel-card"
      style={{ height: `${LEAST_HEIGHT}px` }}
      data-item={item.id}
      data-kind={item.view.kind}
      tabIndex={-1}
    >
      <div ref={inner} class="nblabel-stage">
        {drawn ? (
          <div ref={stage} class="nblabel-drawn" />
        ) : (
          <View item={item} suggestion={suggestion} controller={controller} />
        )}
        <Details fields={item.view.data["details"]} />
      </div>
    </main>
  );
}

/** Above and below, in pixels: see `.nblabel-card`. */
const PADDING = 24;

function Message({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <main class="nblabel-message">
      <strong>{title}</strong>
      <p>{children}</p>
    </main>
  );
}

function Nothing({ state, controller }: { state: State; controller: Controller }) {
  const { status } = state;
  if (currentId(state) !== null) return <Message title="Fetching this item" />;
  if (!status || status.left - state.unsaved > 0) {
    if (!state.trail.length) {
      return (
        <Message title="Waiting for the kernel">
          The first items come by themselves as soon as the kernel answers.
        </Message>
      );
    }
    return (
      <Message title="Waiting for the kernel">
        You labeled all that was ready. The next items come by themselves as soon as the kernel
        answers;{" "}
        {state.unsaved > 0
          ? `${state.unsaved} ${state.unsaved === 1 ? "label is" : "labels are"} kept in this browser meanwhile.`
          : "nothing is lost."}
      </Message>
    );
  }
  return (
    <Message title={status.skipped ? "Nothing left but what you skipped" : "All items are labeled"}>
      {count(status.labeled)} of {count(status.items)} items have a label. They are in{" "}
      <code>labeler.labels</code>.
      {status.skipped > 0 && (
        <>
          {" "}
          <button type="button" class="nblabel-button" onClick={() => controller.reopen()}>
            look at the {count(status.skipped)} skipped again
          </button>
        </>
      )}
    </Message>
  );
}

interface ViewProps {
  readonly item: Item;
  readonly suggestion: SuggestionPart | null;
  readonly controller: Controller;
}

interface Failure {
  readonly failed: ViewPart | null;
  readonly why: string;
}

/** An item as it looks, by itself; where that fails, why: the other items go on. */
export class View extends Component<ViewProps, Failure> {
  override state: Failure = { failed: null, why: "" };

  override componentDidCatch(error: unknown): void {
    this.setState({ failed: this.props.item.view, why: String(error) });
  }

  override render() {
    const { view } = this.props.item;
    if (this.state.failed !== view) return <Look {...this.props} />;
    return <BrokenView data={{ title: "This item cannot be shown", text: this.state.why }} />;
  }
}

function Look({ item, suggestion, controller }: ViewProps) {
  const { data, kind } = item.view;
  const { media } = controller;
  switch (kind) {
    case "text":
      return (
        <TextView
          id={item.id}
          text={textOf(data["text"])}
          marks={suggestion?.marks ?? NO_MARKS}
          label={suggestion ? describeValue(suggestion.label) : ""}
        />
      );
    case "image":
      return <ImageView item={item} media={media} controller={controller} />;
    case "row":
      return <RowView fields={data["fields"]} />;
    case "html":
      return isTrusted(item.view) ? (
        <TrustedView key={item.id} source={textOf(data["html"])} />
      ) : (
        <HtmlView key={item.id} source={textOf(data["html"])} />
      );
    case "pair":
      return <PairView item={item} controller={controller} />;
    case "several":
      return <SeveralView item={item} controller={controller} />;
    case "missing":
      return (
        <p class="nblabel-missing">
          nothing here <span class="nblabel-tag">{textOf(data["text"])}</span>
        </p>
      );
    default:
      return controller.modules.has(`look-${kind}`) ? (
        <LookView item={item} suggestion={suggestion} controller={controller} />
      ) : (
        <BrokenView data={data} />
      );
  }
}

/** One of the items that an item shows, with its own share of the buffers. */
function Inner({
  item,
  path,
  view,
  from,
  controller,
}: {
  item: Item;
  path: string;
  view: ViewPart;
  from: number;
  controller: Controller;
}) {
  const around = item.within ?? { of: item.id, path: "" };
  const inner = {
    ...item,
    id: `${item.id}/${path}`,
    view,
    buffers: item.buffers.slice(from, from + view.buffers),
    within: { of: around.of, path: `${around.path}${path}/` },
  };
  return <View item={inner} suggestion={null} controller={controller} />;
}

/** Two items beside each other. */
function PairView({ item, controller }: { item: Item; controller: Controller }) {
  const sides = item.view.data as Readonly<Record<string, ViewPart | undefined>>;
  const split = sides["left"]?.buffers ?? 0;
  return (
    <div class="nblabel-pair">
      {["left", "right"].map((side, k) => {
        const view = sides[side];
        return (
          view && (
            <div key={side} class="nblabel-side" role="group" aria-label={side}>
              <Inner item={item} path={side} view={view} from={k * split} controller={controller} />
            </div>
          )
        );
      })}
    </div>
  );
}

const partsOf = (view: ViewPart) =>
  view.data["parts"] as readonly { readonly name: string; readonly view: ViewPart }[];

/** Several fields of an item, one below the other, each with its name. */
function SeveralView({ item, controller }: { item: Item; controller: Controller }) {
  let from = 0;
  return (
    <div class="nblabel-several">
      {partsOf(item.view).map(({ name, view }, k) => {
        from += view.buffers;
        return (
          <section key={name} aria-label={name}>
            <small class="nblabel-soft" dir="auto">
              {name}
            </small>
            <Inner
              item={item}
              path={String(k)}
              view={view}
              from={from - view.buffers}
              controller={controller}
            />
          </section>
        );
      })}
    </div>
  );
}

/** What else is known of an item, in a line that unfolds; as it was from item to item. */
function Details({ fields }: { fields: unknown }) {
  if (!Array.isArray(fields)) return null;
  const names = (fields as { name: unknown }[]).map(({ name }) => textOf(name)).join(", ");
  return (
    <details class="nblabel-details">
      <summary dir="auto">{names}</summary>
      <RowView fields={fields} />
    </details>
  );
}

const NO_MARKS: SuggestionPart["marks"] = [];

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** One of five strengths: a browser computes the style of a class once, that of an attribute anew. */
const strength = (weight: number): string =>
  `nblabel-w${Math.min(5, Math.max(1, Math.ceil(5 * weight)))}`;

/**
 * A title for what the pointer is on, put there when it moves: as an attribute that changes with the
 * item it would have the browser style every bearer anew.
 */
function useTitle(selector: string, title: string) {
  const bearer = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => () => bearer.current?.removeAttribute("title"), [title]);
  return {
    onPointerMove: ({ target }: PointerEvent) => {
      const on = target instanceof HTMLElement && target.closest<HTMLElement>(selector);
      if (!on) return;
      on.title = title;
      bearer.current = on;
    },
  };
}

function Name({ name }: { readonly name: string }) {
  const titled = useTitle(".nblabel-of", name);
  return (
    <span class="nblabel-of" dir="auto" {...titled}>
      <span class="nblabel-what">item </span>
      {brief(name, 15)}
    </span>
  );
}

function TextView({
  id,
  text,
  marks,
  label,
}: {
  id: string;
  text: string;
  marks: readonly (readonly [number, number, number])[];
  label: string;
}) {
  const [opened, setOpened] = useState("");
  const titled = useTitle("mark", `speaks for ${label}`);
  const whole = opened === id;
  const shown = whole ? text : cut(text);
  const parts = useMemo(() => segments(shown, marks), [shown, marks]);
  return (
    <div class="nblabel-text" dir="auto" {...titled}>
      {text.trim() === "" ? (
        <span class="nblabel-missing">{text === "" ? "empty text" : "only white space"}</span>
      ) : (
        parts.map((part, k) =>
          part.weight ? (
            <mark key={k} class={strength(part.weight)}>
              {part.text}
            </mark>
          ) : (
            part.text
          ),
        )
      )}
      {text.length > MOST_SHOWN && !whole && (
        <button type="button" class="nblabel-button" onClick={() => setOpened(id)}>
          … show all {count(text.length)} characters
        </button>
      )}
    </div>
  );
}

function ImageView({
  item,
  media,
  controller,
}: {
  item: Item;
  media: Media;
  controller: Controller;
}) {
  const box = useRef<HTMLDivElement>(null);
  useImageTools(box, item, controller);
  const [broken, setBroken] = useState(false);
  const name = textOf(item.view.data["name"]);
  useLayoutEffect(() => {
    const image = media.image(item);
    if (!image || !box.current) return;
    image.alt = name ? `image ${name}` : `image of item ${item.name}`;
    const width = Number(item.view.data["width"] ?? 0);
    const height = Number(item.view.data["height"] ?? 0);
    const small = width > 0 && Math.max(width, height) <= 64;
    image.classList.toggle("nblabel-pixels", small);
    image.classList.toggle("nblabel-clear", item.view.data["clear"] === true);
    if (small) image.style.aspectRatio = `${width} / ${height}`;
    image.onerror = () => setBroken(true);
    setBroken(false);
    box.current.replaceChildren(image);
  }, [item.id, item.view]);
  return (
    <>
      <div class="nblabel-image" ref={box} hidden={broken} />
      {broken && <BrokenView data={{ title: "This image cannot be shown", text: name }} />}
    </>
  );
}

function RowView({ fields }: { fields: unknown }) {
  const rows = Array.isArray(fields) ? (fields as Readonly<Record<string, unknown>>[]) : [];
  return (
    <table class="nblabel-row">
      <tbody>
        {rows.map((field) => (
          <tr key={textOf(field["name"])}>
            <th scope="row" dir="auto">
              {textOf(field["name"])}
            </th>
            <td dir="auto" data-type={textOf(field["type"])}>
              {field["type"] === "missing" ? (
                <span class="nblabel-missing">missing</span>
              ) : (
                textOf(field["text"])
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Nothing may be fetched, nothing may run: what is left of the source after sanitising is shown. */
const POLICY =
  "default-src 'none'; img-src data: blob:; media-src data: blob:; style-src 'unsafe-inline'; font-src data:";

function HtmlView({ source }: { source: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [page, colored] = useMemo(() => {
    const holder = document.createElement("div");
    holder.append(sanitize(source, { links: false, styles: true }));
    // What has colors of its own was made for a light page: on a dark one it may not be seen.
    const own = hasColors(holder);
    const made =
      `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
      `<meta charset="utf-8"><style>${FRAME_STYLE}${own ? SHEET_STYLE : ""}</style>` +
      `<body>${holder.innerHTML}`;
    return [made, own] as const;
  }, [source]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const fit = () => {
      const root = element.contentDocument?.documentElement;
      if (!root) return;
      element.style.height = `${Math.min(root.scrollHeight + 2, 420)}px`;
      if (!colored) root.style.color = getComputedStyle(element).color;
      // Keys pressed in the frame belong to the labeler.
      root.ownerDocument.onkeydown = (event) => {
        // Copying out of it, and what else belongs to the page, stays as it is.
        if (event.ctrlKey || event.metaKey || event.key === "Tab") return;
        element.dispatchEvent(new KeyboardEvent("keydown", event));
        event.preventDefault();
      };
    };
    const around = element.closest(".nblabel");
    element.addEventListener("load", fit);
    around?.addEventListener(THEME_CHANGED, fit);
    fit();
    return () => {
      element.removeEventListener("load", fit);
      around?.removeEventListener(THEME_CHANGED, fit);
    };
  }, [page, colored]);
  return (
    <iframe
      ref={frame}
      class="nblabel-html"
      title="item"
      sandbox="allow-same-origin"
      referrerpolicy="no-referrer"
      tabIndex={-1}
      srcDoc={page}
    />
  );
}

/** The user said `trust_html=True`: shown as it is. */
const isTrusted = ({ kind, data }: ViewPart): boolean =>
  kind === "html" && data["trusted"] === true;

const hasTrusted = (view: ViewPart): boolean =>
  isTrusted(view) ||
  (view.kind === "several" && partsOf(view).some((part) => isTrusted(part.view)));

/**
 * Scripts run, but in an origin of their own: neither the notebook nor its kernel can be reached, no
 * window opened, no dialog shown. The frame says how tall it is, and gives the keys back after a
 * click, since it cannot be listened to from here.
 */
function TrustedView({ source }: { source: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const page = useMemo(
    () =>
      `<!doctype html><meta charset="utf-8"><style>${FRAME_STYLE}${SHEET_STYLE}</style>` +
      `<script>${FRAME_SCRIPT}</script><body>${source}`,
    [source],
  );
  useEffect(() => {
    const heard = (event: MessageEvent) => {
      const element = frame.current;
      if (!element || event.source !== element.contentWindow) return;
      const said = event.data as unknown;
      if (typeof said === "number") element.style.height = `${Math.min(Math.max(said, 0), 420)}px`;
      else if (said === "back" && document.activeElement === element) {
        element.closest<HTMLElement>(".nblabel")?.focus({ preventScroll: true });
      }
    };
    window.addEventListener("message", heard);
    return () => window.removeEventListener("message", heard);
  }, []);
  return (
    <iframe
      ref={frame}
      class="nblabel-html"
      title="item"
      sandbox="allow-scripts"
      referrerpolicy="no-referrer"
      tabIndex={-1}
      srcDoc={page}
    />
  );
}

const FRAME_SCRIPT =
  'addEventListener("load",()=>new ResizeObserver(()=>parent.postMessage(' +
  'document.documentElement.scrollHeight+2,"*")).observe(document.body));' +
  'addEventListener("click",(e)=>{if(getSelection().isCollapsed&&' +
  '!e.target.closest("a,input,textarea,select,[contenteditable]"))parent.postMessage("back","*")})';

const hasColors = (holder: Element): boolean =>
  holder.querySelector("[color], [bgcolor], [fill], [stroke]") !== null ||
  [...holder.querySelectorAll("[style], style")].some((element) =>
    /color|background/i.test(element.getAttribute("style") ?? element.textContent),
  );

const SHEET_STYLE = "html{background:white;color:black}body{margin:8px 12px}";
const FRAME_STYLE =
  "html{background:transparent;font:14px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}" +
  "body{margin:0}table{border-collapse:collapse;overflow-wrap:normal}td,th{padding:2px 8px;text-align:start;" +
  "border-bottom:1px solid rgb(128 128 128/.3)}img,svg,video{max-width:100%;height:auto}" +
  "a{color:inherit}pre{white-space:pre-wrap}";

function BrokenView({ data }: { data: Readonly<Record<string, unknown>> }) {
  const detail = textOf(data["detail"]);
  return (
    <div class="nblabel-broken">
      <strong>{textOf(data["title"]) || "This item cannot be shown"}</strong>
      <p>{textOf(data["text"])}</p>
      {detail && (
        <details>
          <summary>traceback</summary>
          <pre>{detail}</pre>
        </details>
      )}
      <p class="nblabel-soft">You can skip it, or label it anyway.</p>
    </div>
  );
}
