// Points drawn pixel by pixel: the same picture where there is no graphics card.

import { scaleOf, type Points } from "../../plane";
import { FAINT, LARGER, LAYERS, OPAQUE, RIM, colorAt, layerOf } from "./painter";
import type { Painter, Scene } from "./painter";

/** The pixels of a disc: where they are from its middle, how much of each it covers, its rim. */
interface Stamp {
  readonly dx: Int32Array;
  readonly dy: Int32Array;
  readonly cover: Float32Array;
  readonly rim: Float32Array;
}

export function stamp(size: number, rimmed = 0): Stamp {
  const reach = Math.max(0, Math.ceil(size / 2 - 0.5));
  const [dx, dy, cover, rim]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const far = Math.hypot(x, y);
      const covered = Math.min(1, size / 2 + 0.5 - far);
      if (covered <= 0.05) continue;
      dx.push(x);
      dy.push(y);
      cover.push(covered);
      rim.push(rimmed ? Math.min(1, Math.max(0, far - (size / 2 - rimmed) + 0.5)) : 0);
    }
  }
  return {
    dx: Int32Array.from(dx),
    dy: Int32Array.from(dy),
    cover: Float32Array.from(cover),
    rim: Float32Array.from(rim),
  };
}

class Pixels implements Painter {
  readonly kind = "canvas";
  private points: Points = new Float32Array(0);
  private codes = new Uint16Array(0);
  private chosen = new Uint8Array(0);
  private image: ImageData | null = null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly context: CanvasRenderingContext2D,
  ) {}

  load(points: Points): void {
    this.points = points;
    this.codes = new Uint16Array(points.length / 2);
    this.chosen = new Uint8Array(points.length / 2);
  }

  color(codes: Uint16Array, chosen: Uint8Array): void {
    this.codes = codes as Uint16Array<ArrayBuffer>;
    this.chosen = chosen as Uint8Array<ArrayBuffer>;
  }

  paint(scene: Scene): void {
    const { room, density } = scene;
    const width = Math.max(1, Math.round(room.width * density));
    const height = Math.max(1, Math.round(room.height * density));
    if (this.image?.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = this.context.createImageData(width, height);
    }
    this.image.data.fill(0);
    for (let layer = 0; layer < LAYERS; layer++) this.layer(scene, layer, this.image);
    this.context.putImageData(this.image, 0, 0);
  }

  private layer(scene: Scene, layer: number, { data, width, height }: ImageData): void {
    const { camera, room, density, colors, ramp, only, ring } = scene;
    const { points, codes, chosen } = this;
    const scale = scaleOf(camera, room) * density;
    const [left, top] = [width / 2 - camera.x * scale, height / 2 + camera.y * scale];
    const size = Math.max(1, scene.size * density * LARGER[layer]!);
    const { dx, dy, cover, rim } = stamp(size, layer === 2 ? RIM * density : 0);
    const count = layer === 2 ? codes.length : scene.count;
    for (let k = 0; k < count; k++) {
      const code = codes[k]!;
      if (layerOf(code, chosen[k]!) !== layer) continue;
      const x = Math.round(left + points[2 * k]! * scale - 0.5);
      const y = Math.round(top - points[2 * k + 1]! * scale - 0.5);
      if (x < -16 || y < -16 || x > width + 16 || y > height + 16) continue;
      const from = 4 * colorAt(code, ramp);
      const faint = only !== null && code !== only && layer < 2;
      const opaque = faint ? FAINT : OPAQUE[layer]!;
      const [red, green, blue] = [colors[from]!, colors[from + 1]!, colors[from + 2]!];
      for (let p = 0; p < dx.length; p++) {
        const [px, py] = [x + dx[p]!, y + dy[p]!];
        if (px < 0 || py < 0 || px >= width || py >= height) continue;
        const at = 4 * (py * width + px);
        const alpha = cover[p]! * opaque;
        const under = (data[at + 3]! / 255) * (1 - alpha);
        const out = alpha + under;
        const edge = rim[p]!;
        data[at] = ((red * (1 - edge) + ring[0] * edge) * alpha + data[at]! * under) / out;
        data[at + 1] =
          ((green * (1 - edge) + ring[1] * edge) * alpha + data[at + 1]! * under) / out;
        data[at + 2] = ((blue * (1 - edge) + ring[2] * edge) * alpha + data[at + 2]! * under) / out;
        data[at + 3] = 255 * out;
      }
    }
  }

  done(): boolean {
    return true;
  }

  destroy(): void {
    this.canvas.remove();
  }
}

/** A painter without a graphics card, null where there is no canvas either. */
export function pixelPainter(): Painter | null {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  return context && new Pixels(canvas, context);
}
