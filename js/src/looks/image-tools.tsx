// Zoom, brightness and contrast of the images in a card; of two beside each other for both.

import type { KeyHelp, Look, LookHost, MountedLook } from "../modules";
import { pressName, type Press } from "../keymap";
import {
  PLAIN,
  clamp,
  described,
  filterOf,
  panKey,
  panned,
  placed,
  sightKey,
  zoomed,
  type Sight,
  type Size,
} from "../viewing";

class ImageTools implements MountedLook {
  private sight: Sight = PLAIN;
  /** Where a drag has come to. */
  private drag: readonly [number, number] | null = null;
  private readonly abort = new AbortController();

  readonly keys: readonly KeyHelp[] = [
    { keys: ["+", "-", "0"], does: "closer, further, all of it; up, down and ⇧ arrows move it" },
    { keys: ["b", "d"], does: "brighter, darker" },
    { keys: ["k", "l"], does: "more or less contrast" },
    { keys: ["o"], does: "the image as it is" },
  ];

  constructor(
    private readonly el: HTMLElement,
    private readonly host: LookHost,
  ) {
    const options = { signal: this.abort.signal, passive: false };
    el.addEventListener("wheel", (event) => this.onWheel(event), options);
    el.addEventListener("pointerdown", (event) => this.onDown(event), options);
    el.addEventListener("pointermove", (event) => this.onMove(event), options);
    for (const end of ["pointerup", "pointercancel"] as const)
      el.addEventListener(end, () => (this.drag = null), options);
  }

  /** Another item: all of it is seen, in the light that was chosen. */
  show(): void {
    this.set({ ...this.sight, zoom: 1, x: 0.5, y: 0.5 });
  }

  press(press: Press): boolean {
    const key = pressName(press);
    const { frame } = this;
    const next = sightKey(frame, frame, this.sight, key) ?? panKey(frame, frame, this.sight, key);
    if (!next) return false;
    const said = described(this.sight, next);
    if (said) this.host.say(said);
    this.set(next);
    return true;
  }

  destroy(): void {
    this.abort.abort();
    this.set(PLAIN);
  }

  private get boxes(): readonly HTMLElement[] {
    return [...this.el.querySelectorAll<HTMLElement>(".nblabel-image")];
  }

  /** As the boxes are laid out, before they are enlarged; two beside each other are of one size. */
  private get frame(): Size {
    const [box] = this.boxes;
    return { width: box?.offsetWidth || 1, height: box?.offsetHeight || 1 };
  }

  private set(sight: Sight): void {
    this.sight = sight;
    for (const box of this.boxes) {
      const size = { width: box.offsetWidth || 1, height: box.offsetHeight || 1 };
      const { left, top } = placed(size, size, sight);
      const near = sight.zoom > 1;
      if (box.parentElement) box.parentElement.style.overflow = near ? "clip" : "";
      box.style.transformOrigin = "0 0";
      box.style.transform = near ? `translate(${left}px, ${top}px) scale(${sight.zoom})` : "";
      box.style.filter = filterOf(sight);
      box.style.cursor = near ? "grab" : "";
    }
  }

  private onWheel(event: WheelEvent): void {
    const box = (event.target as Element).closest<HTMLElement>(".nblabel-image");
    if (!box || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const { frame } = this;
    const rect = placed(frame, frame, this.sight);
    const { left, top } = box.getBoundingClientRect();
    // The box is where the image is; the frame lies where it began.
    const at = [event.clientX - left + rect.left, event.clientY - top + rect.top] as const;
    const factor = Math.exp(-clamp(event.deltaY, -50, 50) / 150);
    this.set(zoomed(frame, frame, this.sight, factor, at));
  }

  private onDown(event: PointerEvent): void {
    if (event.button > 1 || this.sight.zoom === 1) return;
    if (!(event.target as Element).closest(".nblabel-image")) return;
    this.drag = [event.clientX, event.clientY];
    this.el.setPointerCapture(event.pointerId);
  }

  private onMove(event: PointerEvent): void {
    if (!this.drag) return;
    const { frame } = this;
    const [x, y] = this.drag;
    this.set(panned(frame, frame, this.sight, event.clientX - x, event.clientY - y));
    this.drag = [event.clientX, event.clientY];
  }
}

const look: Look = { mount: (el, host) => new ImageTools(el, host) };

export default look;
