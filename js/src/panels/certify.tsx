// Certificates: what one would take; then, while it is made, what to do, in numbers, and the bound
// falling to its goal.

import { count } from "../format";
import { keyCap, pressName } from "../keymap";
import type { Panel, PanelHost } from "../modules";
import type { CertifyPart, OfferPart } from "../protocol";
import { button, keyed, make, replaced, styled } from "../looks/paper";
import css from "./certify.css";

const [WIDTH, HEIGHT] = [260, 84];
const [LEFT, RIGHT, TOP, BOTTOM] = [4, 8, 14, 14];
const SVG = "http://www.w3.org/2000/svg";

/** 0.0213 as 2.1 %: two digits that count. */
export function share(value: number): string {
  const percent = 100 * value;
  return `${percent.toFixed(percent >= 9.95 ? 0 : percent >= 0.995 ? 1 : 2)} %`;
}

/** The curve in the box of the picture, from the first look to the last one that is needed. */
export function drawn({ curve, goal, audited, left }: CertifyPart) {
  const most = Math.max(goal, ...curve.map(([, bound]) => bound), 1e-9);
  // Twice as good is one step down, wherever it is; the goal stands above the floor.
  const floor = Math.max(Math.min(goal, ...curve.map(([, bound]) => bound)) / 1.5, most / 1e4);
  const height = (value: number): number => {
    const at = Math.log(Math.max(value, floor) / floor) / Math.log(most / floor || 1);
    return HEIGHT - BOTTOM - at * (HEIGHT - TOP - BOTTOM);
  };
  const end = Math.max(1, audited + (left ?? 0));
  const across = (k: number): number => LEFT + (k / end) * (WIDTH - LEFT - RIGHT);
  const points = curve.map(([k, bound]) => [across(k), height(bound)] as const);
  return { points, goal: height(goal), end: points.at(-1) ?? ([LEFT, TOP] as const) };
}

class Certify {
  readonly el = make("section", "nblabel-certify");
  private readonly title = make("strong");
  private readonly advice = make("p");
  private readonly numbers = make("div", "nblabel-certify-numbers");
  private readonly buttons = make("div", "nblabel-buttons");
  private readonly picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  private readonly offers = make("table", "nblabel-offers");
  private readonly hint = make("small", "nblabel-offer-hint");
  private part: CertifyPart | null = null;
  private asks = false;
  /** Counts what was asked of the kernel, so that a late answer goes nowhere. */
  private turn = 0;

  constructor(
    el: HTMLElement,
    private readonly host: PanelHost,
  ) {
    styled(el, css);
    this.el.setAttribute("aria-label", "certificate");
    const top = make("div", "nblabel-certify-top");
    top.append(this.title, this.buttons);
    const text = make("div", "nblabel-certify-text");
    text.append(this.advice, this.numbers);
    const choice = make("div", "nblabel-choice");
    choice.append(this.offers, this.hint);
    this.el.append(top, text, this.picture, choice);
    el.append(this.el);
  }

  show(part: CertifyPart | null): void {
    for (const one of [this.numbers, this.picture]) one.toggleAttribute("hidden", !part);
    for (const one of [this.offers, this.hint]) one.hidden = part !== null;
    if (!part) {
      if (this.part || !this.turn) void this.plan();
      this.part = null;
      return;
    }
    this.turn += 1;
    const news = part.id !== this.part?.id || part.state !== this.part.state;
    this.part = part;
    if (news) this.asks = false;
    const reached = part.state === "certified";
    this.el.dataset["state"] = part.state;
    if (news && reached) this.host.say(`Certified. ${part.advice}`);
    this.render();
    this.draw(part);
  }

  press(press: Parameters<typeof pressName>[0], target: EventTarget | null): boolean {
    const name = pressName(press);
    if (!this.part) return this.pressOffers(name, target);
    if (this.part.state === "certified") {
      if (name !== "escape") return false;
      this.host.dismiss();
      return true;
    }
    if (name === this.host.keys.giveUp && !press.repeat) this.ask();
    else if (name === "escape" && this.asks) this.stay();
    else return false;
    return true;
  }

  destroy(): void {
    this.el.remove();
  }

  // ---------------------------------------------------------------- what it would take

  private async plan(): Promise<void> {
    const turn = ++this.turn;
    this.el.dataset["state"] = "offer";
    this.title.textContent = "Let the machine label the rest";
    this.advice.textContent = "Reckoning what it would take …";
    this.offers.replaceChildren();
    this.hint.textContent = "";
    this.closing();
    const { offers, confidence, error } = await this.host.certificate();
    if (turn !== this.turn) return;
    const possible = offers.some(({ begins }) => begins);
    this.advice.textContent =
      error ??
      (possible ? promise(confidence) : (offers.at(-1)?.advice ?? "There is nothing to certify."));
    if (possible) {
      const levels = [...new Set(offers.map(({ max_error }) => max_error))];
      this.offers.append(
        head(),
        ...levels.map((level) => this.row(offers.filter(({ max_error }) => max_error === level))),
      );
    }
    this.offers.querySelector("button")?.focus({ preventScroll: true });
    this.host.say(this.advice.textContent ?? "");
  }

  /** The ways to one share of errors: the numbers are those of the first that can be begun. */
  private row(ways: readonly OfferPart[]): HTMLElement {
    const row = make("tr");
    const open = ways.filter(({ begins }) => begins);
    const [first] = open;
    const most = `${Number((100 * (ways[0]?.max_error ?? 0)).toPrecision(3))} %`;
    const name = make("th", "", `${most} wrong`);
    name.scope = "row";
    const cell = (text: string) => make("td", "", text);
    const buttons = make("td");
    for (const way of open) {
      const how = `about ${count(way.audits)} ${way.blind ? "blind" : "on pages"}`;
      const title = `at most ${most} wrong: ${way.blind ? BLIND : SHOWN}`;
      const made = button(how, title, () => void this.begin(way));
      made.addEventListener("focus", () => (this.hint.textContent = way.advice));
      buttons.append(made, " ");
    }
    if (!first) buttons.append(make("small", "", "needs labels"));
    row.append(
      name,
      cell(first ? count(first.machine) : "–"),
      cell(first ? count(first.by_hand) : "–"),
      buttons,
    );
    return row;
  }

  private async begin({ max_error, blind }: OfferPart): Promise<void> {
    const turn = ++this.turn;
    const { error } = await this.host.certificate(max_error, blind);
    if (error !== null) {
      if (turn === this.turn) this.advice.textContent = error;
      this.host.say(error);
    } else if (!blind) this.host.verify();
  }

  private pressOffers(name: string, target: EventTarget | null): boolean {
    if (name === "escape") {
      this.host.dismiss();
      return true;
    }
    const rows = [...this.offers.querySelectorAll("tr")].flatMap((tr) => {
      const buttons = [...tr.querySelectorAll("button")];
      return buttons.length ? [buttons] : [];
    });
    const row = rows.findIndex((buttons) => buttons.includes(target as HTMLButtonElement));
    const [down, right] = ARROWS[name] ?? [];
    if (row < 0 || down === undefined || right === undefined) return false;
    const to = rows[row + down];
    const at = (rows[row]?.indexOf(target as HTMLButtonElement) ?? 0) + right;
    to?.[Math.min(at, to.length - 1)]?.focus();
    return true;
  }

  private closing(): void {
    replaced(this.buttons, "offer", () => [
      keyed("close", "Esc", () => this.host.dismiss(), "close this panel (Escape)"),
    ]);
  }

  // ---------------------------------------------------------------- while it is made

  private ask(): void {
    if (this.asks && this.part) this.host.giveUp(this.part.id);
    this.asks = !this.asks;
    this.render();
    if (this.asks) this.host.say(this.advice.textContent ?? "");
  }

  private stay(): void {
    this.asks = false;
    this.render();
  }

  private render(): void {
    const { part } = this;
    if (!part) return;
    const reached = part.state === "certified";
    this.title.textContent = reached ? "✓ Certified" : "Towards a certificate";
    this.advice.textContent = this.asks
      ? "Give up? What you verified stays labeled. A later attempt has less confidence to spend, so it takes more looks."
      : part.advice;
    this.numbers.replaceChildren(
      number(count(part.audited), "verified"),
      number(count(part.errors), "wrong"),
      number(`≤ ${share(part.bound)}`, "may be wrong"),
      number(count(part.machine), reached ? "labeled by the machine" : "for the machine"),
    );
    const { giveUp: key, page } = this.host.keys;
    const shown = keyCap(key);
    const giveUp = () => this.ask();
    const state = reached ? "reached" : this.asks ? "asks" : part.blind ? "runs" : "pages";
    replaced(this.buttons, state, () =>
      reached
        ? [keyed("close", "Esc", () => this.host.dismiss(), "close this panel (Escape)")]
        : this.asks
          ? [
              keyed("give up", shown, giveUp, "give up this attempt"),
              keyed("go on", "Esc", () => this.stay(), "go on with this attempt (Escape)"),
            ]
          : [
              ...(part.blind || !this.host.pages
                ? []
                : [keyed("verify", keyCap(page), () => this.host.verify(), "verify on pages")]),
              keyed("give up", shown, giveUp, "give up this attempt …"),
            ],
    );
  }

  private draw(part: CertifyPart): void {
    const { points, goal, end } = drawn(part);
    const line = points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
    const [x, y] = end;
    const first = part.curve[0]?.[1] ?? part.bound;
    this.picture.setAttribute(
      "aria-label",
      `Upper bound on the share of wrong labels: ${share(first)} before the first look, ` +
        `${share(part.bound)} after ${count(part.audited)}; the goal is ${share(part.goal)}.`,
    );
    const label = (text: string, at: object) => {
      const made = svg("text", at);
      made.textContent = text;
      return made;
    };
    // Beside the end of the curve, or before it where there is no room.
    const late = x > WIDTH - 64;
    this.picture.replaceChildren(
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: goal, y2: goal, class: "nblabel-goal" }),
      label(`goal ${share(part.goal)}`, { x: LEFT, y: goal + 11 }),
      svg("path", { d: line.join(""), class: "nblabel-fall" }),
      svg("circle", { cx: x, cy: y, r: 3.5, class: "nblabel-now" }),
      ...(part.state === "certified"
        ? []
        : [
            label(share(part.bound), {
              x: late ? x - 6 : x + 7,
              y: Math.max(10, y - 5),
              "text-anchor": late ? "end" : "start",
              class: "nblabel-bound",
            }),
          ]),
    );
  }
}

/** Rows down and buttons to the right. */
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  up: [-1, 0],
  down: [1, 0],
  left: [0, -1],
  right: [0, 1],
};
const BLIND = "verify one by one, without seeing what the machine says";
const SHOWN =
  "verify on pages, with what the machine says in sight, and traps that tell how much is missed";

const promise = (confidence: number): string =>
  `You verify items drawn at random, the machine labels the others, and of all labels at most so ` +
  `many are wrong, with ${Math.round(100 * confidence)} % confidence. Blind: one by one, without ` +
  `seeing what the machine says. On pages it is in sight, with traps that tell how much is missed.`;

function head(): HTMLElement {
  const row = make("tr");
  const names = ["at most", "by the machine", "left to you", "you verify"];
  row.append(
    ...names.map((name) => {
      const made = make("th", "", name);
      made.scope = "col";
      return made;
    }),
  );
  return row;
}

function number(value: string, what: string): HTMLElement {
  const pair = make("span");
  pair.append(make("b", "", value), " ", make("small", "", what));
  return pair;
}

function svg(tag: string, attributes: object): SVGElement {
  const made = document.createElementNS(SVG, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

const panel: Panel = { mount: (el, host) => new Certify(el, host) };
export default panel;
