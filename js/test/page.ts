// A page in a notebook for tests of what stands on the screen; needs a DOM.

import type { Config } from "../src/controller";
import { Controller } from "../src/controller";
import type { EventPart, ItemPart, StatusPart } from "../src/protocol";
import { mount } from "../src/views/frame";
import { FakeWorld, config, status, welcomeMessage, windowMessage } from "./helpers";

/** Let effects run and the screen follow. */
export const settle = async () => {
  for (let k = 0; k < 3; k++) await new Promise((done) => setTimeout(done, 2));
};

/** A page in a notebook, with a kernel that says what the test says. */
export class Page {
  readonly host = document.createElement("div");
  readonly el = document.createElement("div");
  readonly world = new FakeWorld();
  readonly sent: { type: string; id: string; client: string; events?: EventPart[] }[] = [];
  readonly controller: Controller;
  /** Keys that got through to the notebook around. */
  readonly leaked: string[] = [];
  private readonly unmount: () => void;

  constructor(change: Partial<Config> = {}) {
    const send = (message: unknown) => void this.sent.push(JSON.parse(JSON.stringify(message)));
    this.controller = new Controller(config(change), { send }, this.world);
    document.body.append(this.host);
    this.host.append(this.el);
    for (const type of ["keydown", "keyup", "keypress"]) {
      this.host.addEventListener(type, (event) =>
        this.leaked.push(`${type} ${(event as KeyboardEvent).key}`),
      );
    }
    this.controller.open();
    this.unmount = mount(this.el, this.controller);
  }

  close(): void {
    this.unmount();
    this.controller.close();
    this.host.remove();
  }

  get root(): HTMLElement {
    return this.el.querySelector<HTMLElement>(".nblabel")!;
  }
  get text(): string {
    return this.root.textContent ?? "";
  }
  get item(): string | null {
    return this.one("[data-item]")?.getAttribute("data-item") ?? null;
  }
  get said(): readonly EventPart[] {
    return this.sent.flatMap((message) => message.events ?? []);
  }
  one<E extends HTMLElement = HTMLElement>(selector: string): E | null {
    return this.root.querySelector<E>(selector);
  }
  all<E extends HTMLElement = HTMLElement>(selector: string): E[] {
    return [...this.root.querySelectorAll<E>(selector)];
  }
  button(name: string | RegExp): HTMLButtonElement {
    const found = this.all<HTMLButtonElement>("button").find((button) =>
      (button.textContent ?? "").match(name),
    );
    if (!found) throw new Error(`no button ${String(name)} in ${this.text}`);
    return found;
  }
  get search(): HTMLInputElement {
    return this.one<HTMLInputElement>("input.nblabel-search")!;
  }

  async hear(message: object, buffers: DataView[] = []): Promise<this> {
    const client = this.sent[0]!.client;
    this.controller.receive({ ...message, client }, buffers);
    await settle();
    return this;
  }
  async welcome(change: Partial<StatusPart> = {}): Promise<this> {
    return this.hear(welcomeMessage({ status: status(change) }));
  }
  /** The kernel hands out these items and has no others. */
  async items(
    items: readonly ItemPart[],
    change: Partial<StatusPart> = {},
    buffers: DataView[] = [],
  ): Promise<this> {
    const about = status({ left: items.length, ...change });
    await this.welcome(change);
    const re = this.sent.filter((message) => message.type === "want").at(-1)?.id ?? "";
    return this.hear(windowMessage(items, { status: about, re }), buffers);
  }
  /** The kernel has nothing new: what was asked when the focus came in is answered. */
  async quiet(change: Partial<StatusPart> = {}): Promise<this> {
    const re = this.sent.filter((message) => message.type === "want").at(-1)?.id ?? "";
    return this.hear(windowMessage([], { window: false, re, status: status(change) }));
  }
  async ack(change: Partial<StatusPart> = {}): Promise<this> {
    const ids = this.said.map((event) => event.id);
    const about = { expected: this.said.length + 1, status: status(change) };
    return this.hear({ v: 1, type: "ack", re: "", ids, ...about });
  }

  async press(key: string, init: KeyboardEventInit = {}, target?: Element): Promise<KeyboardEvent> {
    const at = target ?? document.activeElement ?? document.body;
    const make = (type: string) =>
      new KeyboardEvent(type, { key, bubbles: true, cancelable: true, composed: true, ...init });
    const event = make("keydown");
    at.dispatchEvent(event);
    at.dispatchEvent(make("keyup"));
    await settle();
    return event;
  }
  async type(text: string): Promise<void> {
    const { search } = this;
    search.value = text;
    search.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await settle();
  }
  async click(target: HTMLElement): Promise<void> {
    target.focus();
    target.click();
    await settle();
  }
  focus(): void {
    this.root.focus();
  }
}
