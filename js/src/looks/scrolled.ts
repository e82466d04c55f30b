// What looks share that write an item into one box, which scrolls with the card.

import { pressName, type Press } from "../keymap";
import type { MountedLook, Shown } from "../modules";
import { make, scroll, styled } from "./paper";

export abstract class Scrolled implements MountedLook {
  readonly keys = [{ keys: ["up", "down"], does: "move a long item" }];
  protected readonly box: HTMLElement;

  constructor(
    private readonly el: HTMLElement,
    name: string,
    css: string,
  ) {
    styled(el, css);
    this.box = make("div", name);
    el.append(this.box);
  }

  abstract show(shown: Shown): void;

  press(press: Press): boolean {
    return scroll(this.el, pressName(press));
  }

  destroy(): void {
    this.box.remove();
  }
}
