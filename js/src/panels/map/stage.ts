// Where the points are: what the mouse does to them, and what is drawn above them.

import { closer, moved, onMap, onScreen, scaleOf, thinned, type Spot } from "../../plane";
import { make } from "../../looks/paper";
import type { Scene } from "./scene";

export type Tool = "lasso" | "box" | "move";
export const TOOLS: readonly Tool[] = ["lasso", "box", "move"];

/** A point is under the mouse if it is no further than this, in pixels. */
const REACH = 12;
/** A press that moved no further is a click. */
const CLICK = 4;
const LASSO_STEP = 3;
const WHEEL = 0.0016;

export interface StageHooks {
  readonly scene: Scene;
  tool(): Tool;
  /** What was encircled; `more` adds to what is selected. */
  caught(places: readonly number[], more: boolean): void;
  clicked(place: number | null, more: boolean): void;
  /** The point under the mouse. */
  over(place: number | null): void;
  /** Whether turning the wheel is meant for the map. */
  wheels(): boolean;
}

interface Drag {
  readonly tool: Tool;
  readonly more: boolean;
  readonly path: Spot[];
  last: Spot;
  far: boolean;
}

export class Stage {
  readonly el = make("div", "nblabel-map-stage");
  readonly cover = make("canvas", "nblabel-map-cover");
  /** The point that the keys are at, and the radius around it, in units of the map. */
  cursor: number | null = null;
  radius = 0;
  hovered: number | null = null;
  private drag: Drag | null = null;
  private readonly observer: ResizeObserver;

  constructor(private readonly hooks: StageHooks) {
    const { el } = this;
    el.append(hooks.scene.painter.canvas, this.cover);
    this.cover.setAttribute("aria-hidden", "true");
    hooks.scene.painter.canvas.setAttribute("role", "img");
    el.addEventListener("pointerdown", (event) => this.down(event));
    el.addEventListener("pointermove", (event) => this.move(event));
    el.addEventListener("pointerup", (event) => this.up(event));
    el.addEventListener("pointercancel", () => this.end());
    el.addEventListener("pointerleave", () => this.hover(null));
    el.addEventListener("contextmenu", (event) => event.preventDefault());
    el.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(el);
  }

  private spotOf(event: MouseEvent): Spot {
    const { left, top } = this.el.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  private at(spot: Spot): number | null {
    const { scene } = this.hooks;
    const on = onMap(scene.camera, scene.room, spot);
    return scene.index.nearest(on, REACH / scaleOf(scene.camera, scene.room));
  }

  private down(event: PointerEvent): void {
    if ((event.target as HTMLElement).closest("button, .nblabel-map-card")) return;
    const spot = this.spotOf(event);
    const tool = event.button !== 0 || event.altKey ? "move" : this.hooks.tool();
    const more = event.shiftKey || event.ctrlKey || event.metaKey;
    this.drag = { tool, more, path: [spot], last: spot, far: false };
    this.el.setPointerCapture(event.pointerId);
    this.el.dataset["drags"] = tool;
  }

  private move(event: PointerEvent): void {
    const spot = this.spotOf(event);
    const { drag } = this;
    if (!drag) {
      this.hover(this.at(spot));
      return;
    }
    const [start] = drag.path as [Spot];
    drag.far ||= Math.hypot(spot.x - start.x, spot.y - start.y) > CLICK;
    if (drag.tool === "move" && drag.far) {
      const { scene } = this.hooks;
      scene.look(moved(scene.camera, scene.room, spot.x - drag.last.x, spot.y - drag.last.y));
    } else if (drag.tool === "lasso") {
      // What the browser has put together is a smoother path.
      const all = event.getCoalescedEvents?.() ?? [];
      drag.path.push(...(all.length ? all.map((one) => this.spotOf(one)) : [spot]));
    }
    drag.last = spot;
    this.paint();
  }

  private up(event: PointerEvent): void {
    const { drag } = this;
    this.end();
    if (!drag) return;
    const { scene } = this.hooks;
    const place = (spot: Spot) => onMap(scene.camera, scene.room, spot);
    if (!drag.far) {
      if (event.button === 0) this.hooks.clicked(this.at(drag.last), drag.more);
    } else if (drag.tool === "lasso") {
      const corners = thinned(drag.path, LASSO_STEP).map(place);
      this.hooks.caught(scene.index.inPolygon(corners), drag.more);
    } else if (drag.tool === "box") {
      const [from, to] = [place(drag.path[0]!), place(drag.last)];
      const box = {
        left: Math.min(from.x, to.x),
        right: Math.max(from.x, to.x),
        low: Math.min(from.y, to.y),
        high: Math.max(from.y, to.y),
      };
      this.hooks.caught(scene.index.inBox(box), drag.more);
    }
  }

  private end(): void {
    this.drag = null;
    delete this.el.dataset["drags"];
    this.paint();
  }

  private wheel(event: WheelEvent): void {
    // Who scrolls through the notebook is not to be held here.
    if (!this.hooks.wheels()) return;
    event.preventDefault();
    const { scene } = this.hooks;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp(-event.deltaY * lines * WHEEL);
    scene.look(closer(scene.camera, scene.room, factor, this.spotOf(event)));
  }

  private hover(place: number | null): void {
    if (place === this.hovered) return;
    this.hovered = place;
    this.hooks.over(place);
    this.paint();
  }

  private resize(): void {
    const { scene } = this.hooks;
    const { clientWidth: width, clientHeight: height } = this.el;
    if (!width || !height) return;
    scene.room = { width, height };
    scene.draw();
    this.paint();
  }

  /** The path, the cursor and its circle: above the points, and cheap. */
  paint(): void {
    const context = this.cover.getContext("2d");
    const { scene } = this.hooks;
    if (!context) return;
    const density = window.devicePixelRatio || 1;
    const { width, height } = scene.room;
    this.cover.width = Math.round(width * density);
    this.cover.height = Math.round(height * density);
    context.scale(density, density);
    const style = getComputedStyle(this.el);
    const ink = style.getPropertyValue("--nbl-ink").trim() || "#777";
    const brand = style.getPropertyValue("--nbl-brand").trim() || "#15c";
    if (this.hovered !== null) {
      const { x, y } = scene.onScreen(this.hovered);
      ring(context, x, y, 8, ink, 1.5);
    }
    if (this.cursor !== null) {
      const { x, y } = scene.onScreen(this.cursor);
      const radius = this.radius * scaleOf(scene.camera, scene.room);
      if (radius > 0) {
        context.fillStyle = brand;
        context.globalAlpha = 0.1;
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fill();
        context.globalAlpha = 1;
        ring(context, x, y, radius, brand, 1.5);
      }
      ring(context, x, y, 9, brand, 2.5);
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ] as const) {
        context.beginPath();
        context.moveTo(x + 9 * dx, y + 9 * dy);
        context.lineTo(x + 15 * dx, y + 15 * dy);
        context.stroke();
      }
    }
    const { drag } = this;
    if (!drag?.far || drag.tool === "move") return;
    const [start] = drag.path as [Spot];
    context.beginPath();
    if (drag.tool === "box") {
      context.rect(start.x, start.y, drag.last.x - start.x, drag.last.y - start.y);
    } else {
      for (const { x, y } of drag.path) context.lineTo(x, y);
      context.closePath();
    }
    context.globalAlpha = 0.1;
    context.fillStyle = brand;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = brand;
    context.lineWidth = 1.5;
    context.stroke();
  }

  /** Where a card beside a point fits. */
  beside(place: number): Spot {
    const { scene } = this.hooks;
    return onScreen(scene.camera, scene.room, scene.where(place));
  }

  destroy(): void {
    this.observer.disconnect();
    this.el.remove();
  }
}

function ring(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  color: string,
  width: number,
): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}
