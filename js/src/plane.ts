// A plane full of points: how it is looked at, and which points lie where. Pure.

/** x and y of each point, one after the other. */
export type Points = Float32Array;

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly low: number;
  readonly high: number;
}

// ---------------------------------------------------------------- looking

/** What is in view: its middle, and how much closer than the whole map. */
export interface Camera extends Spot {
  readonly zoom: number;
}

export interface Room {
  readonly width: number;
  readonly height: number;
}

export const WHOLE: Camera = { x: 0, y: 0, zoom: 1 };
export const MOST_CLOSE = 4000;
/** Part of the room that the map from -1 to 1 takes. */
const FILLS = 0.94;

/** Pixels of one unit of the map. */
export const scaleOf = ({ zoom }: Camera, { width, height }: Room): number =>
  (zoom * FILLS * Math.max(1, Math.min(width, height))) / 2;

/** Where a spot of the map is on the screen, and the way back; up is up. */
export function onScreen(camera: Camera, room: Room, { x, y }: Spot): Spot {
  const scale = scaleOf(camera, room);
  return {
    x: room.width / 2 + (x - camera.x) * scale,
    y: room.height / 2 - (y - camera.y) * scale,
  };
}

export function onMap(camera: Camera, room: Room, { x, y }: Spot): Spot {
  const scale = scaleOf(camera, room);
  return {
    x: camera.x + (x - room.width / 2) / scale,
    y: camera.y - (y - room.height / 2) / scale,
  };
}

/** The middle stays on the map. */
const settled = ({ x, y, zoom }: Camera): Camera => ({
  x: clamp(x, -1, 1),
  y: clamp(y, -1, 1),
  zoom,
});

/** Closer or further; what lies at a spot of the screen stays there. */
export function closer(camera: Camera, room: Room, factor: number, at: Spot): Camera {
  const zoom = clamp(camera.zoom * factor, 1, MOST_CLOSE);
  if (zoom === 1) return WHOLE;
  const [before, after] = [onMap(camera, room, at), onMap({ ...camera, zoom }, room, at)];
  return settled({ x: camera.x + before.x - after.x, y: camera.y + before.y - after.y, zoom });
}

/** Moved by pixels of the screen. */
export function moved(camera: Camera, room: Room, dx: number, dy: number): Camera {
  const scale = scaleOf(camera, room);
  return settled({ ...camera, x: camera.x - dx / scale, y: camera.y + dy / scale });
}

/** Moved no further than a spot needs to be well in view. */
export function revealed(camera: Camera, room: Room, spot: Spot): Camera {
  const { x, y } = onScreen(camera, room, spot);
  const off = (at: number, length: number) =>
    Math.max(0, at - length * 0.9) + Math.min(0, at - length * 0.1);
  const [dx, dy] = [off(x, room.width), off(y, room.height)];
  return dx || dy ? moved(camera, room, -dx, -dy) : camera;
}

const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

// ---------------------------------------------------------------- finding

/** Points that one cell of the index holds on average. */
const PER_CELL = 8;
const MOST_CELLS = 1024;

/** Points by the cell of a coarse grid that they lie in, so that few are looked at. */
export class Index {
  readonly count: number;
  private readonly side: number;
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;

  constructor(readonly points: Points) {
    this.count = points.length / 2;
    this.side = clamp(Math.ceil(Math.sqrt(this.count / PER_CELL)), 1, MOST_CELLS);
    const { side } = this;
    this.starts = new Uint32Array(side * side + 1);
    const cells = new Uint32Array(this.count);
    for (let k = 0; k < this.count; k++) {
      const cell = this.cell(points[2 * k + 1]!) * side + this.cell(points[2 * k]!);
      cells[k] = cell;
      this.starts[cell + 1]!++;
    }
    for (let c = 0; c < side * side; c++) this.starts[c + 1]! += this.starts[c]!;
    const next = this.starts.slice(0, side * side);
    this.order = new Uint32Array(this.count);
    for (let k = 0; k < this.count; k++) this.order[next[cells[k]!]!++] = k;
  }

  private cell(at: number): number {
    return clamp(Math.floor(((at + 1) / 2) * this.side), 0, this.side - 1);
  }

  private span(cell: number): readonly [number, number] {
    const width = 2 / this.side;
    return [cell * width - 1, (cell + 1) * width - 1];
  }

  /** Points in a box, its sides included. */
  inBox({ left, right, low, high }: Box): number[] {
    const found: number[] = [];
    const { points } = this;
    this.each(left, right, low, high, (k) => {
      const [x, y] = [points[2 * k]!, points[2 * k + 1]!];
      if (x >= left && x <= right && y >= low && y <= high) found.push(k);
    });
    return found;
  }

  /** Points no further from a spot than a radius. */
  within({ x, y }: Spot, radius: number): number[] {
    const found: number[] = [];
    const { points } = this;
    this.each(x - radius, x + radius, y - radius, y + radius, (k) => {
      if ((points[2 * k]! - x) ** 2 + (points[2 * k + 1]! - y) ** 2 <= radius * radius)
        found.push(k);
    });
    return found;
  }

  /** Points inside a polygon, however it crosses itself: by the even-odd rule. */
  inPolygon(corners: readonly Spot[]): number[] {
    const found: number[] = [];
    if (corners.length < 3) return found;
    const xs = corners.map(({ x }) => x);
    const ys = corners.map(({ y }) => y);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [first, last] = [this.cell(Math.min(...ys)), this.cell(Math.max(...ys))];
    const { points, side } = this;
    for (let row = first; row <= last; row++) {
      // The cells at the rim hold what lies outside of them too.
      const low = row === 0 ? -Infinity : this.span(row)[0];
      const high = row === side - 1 ? Infinity : this.span(row)[1];
      const edges: number[] = [];
      for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
        if (Math.max(ys[a]!, ys[b]!) < low || Math.min(ys[a]!, ys[b]!) > high) continue;
        edges.push(xs[a]!, ys[a]!, xs[b]!, ys[b]!);
      }
      if (!edges.length) continue;
      this.eachInRow(row, left, right, (k) => {
        const [x, y] = [points[2 * k]!, points[2 * k + 1]!];
        let inside = false;
        for (let e = 0; e < edges.length; e += 4) {
          const [ax, ay, bx, by] = [edges[e]!, edges[e + 1]!, edges[e + 2]!, edges[e + 3]!];
          if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
        }
        if (inside) found.push(k);
      });
    }
    return found;
  }

  /** The point nearest to a spot, no further than `most`; null if there is none. */
  nearest(spot: Spot, most = Infinity): number | null {
    return this.best(spot, (dx, dy) => {
      const far = Math.hypot(dx, dy);
      return far <= most ? far : null;
    });
  }

  /**
   * The next point from a spot in a direction: in the quarter around it, at least `least` away; one
   * to the side counts as further than one straight ahead. Null if there is none.
   */
  towards(from: Spot, [toX, toY]: readonly [number, number], least: number): number | null {
    return this.best(from, (dx, dy) => {
      const along = dx * toX + dy * toY;
      const aside = Math.abs(dx * toY - dy * toX);
      return along < least || aside > along ? null : along + 2 * aside;
    });
  }

  /** The point with the least cost, which is never less than its distance; null: not this one. */
  private best({ x, y }: Spot, cost: (dx: number, dy: number) => number | null): number | null {
    const { points, side, starts, order } = this;
    const [column, row] = [this.cell(x), this.cell(y)];
    const width = 2 / side;
    let [found, least] = [-1, Infinity];
    // Rings of cells, until none can hold a better one. A spot outside is further from all.
    const last = Math.max(column, row, side - 1 - column, side - 1 - row);
    for (let ring = 0; ring <= last && (ring - 1) * width <= least; ring++) {
      for (let r = Math.max(0, row - ring); r <= Math.min(side - 1, row + ring); r++) {
        const whole = Math.abs(r - row) === ring;
        const step = whole || ring === 0 ? 1 : 2 * ring;
        for (let c = column - ring; c <= column + ring; c += step) {
          if (c < 0 || c >= side) continue;
          const cell = r * side + c;
          for (let at = starts[cell]!; at < starts[cell + 1]!; at++) {
            const k = order[at]!;
            const price = cost(points[2 * k]! - x, points[2 * k + 1]! - y);
            if (price !== null && price < least) [found, least] = [k, price];
          }
        }
      }
    }
    return found < 0 ? null : found;
  }

  private each(
    left: number,
    right: number,
    low: number,
    high: number,
    visit: (k: number) => void,
  ): void {
    const last = this.cell(high);
    for (let row = this.cell(low); row <= last; row++) this.eachInRow(row, left, right, visit);
  }

  private eachInRow(row: number, left: number, right: number, visit: (k: number) => void): void {
    const [first, last] = [row * this.side + this.cell(left), row * this.side + this.cell(right)];
    const end = this.starts[last + 1]!;
    for (let at = this.starts[first]!; at < end; at++) visit(this.order[at]!);
  }
}

// ---------------------------------------------------------------- a path by hand

/** A path without the corners that are closer to the one before than some pixels. */
export function thinned(path: readonly Spot[], least: number): Spot[] {
  const kept: Spot[] = [];
  for (const spot of path) {
    const last = kept.at(-1);
    if (!last || Math.hypot(spot.x - last.x, spot.y - last.y) >= least) kept.push(spot);
  }
  return kept;
}

/** The places from 0 up in an order that is as good as random, and always the same. */
export function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  let seed = 2463534242;
  for (let k = count - 1; k > 0; k--) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const other = (seed >>> 0) % (k + 1);
    const kept = order[k]!;
    order[k] = order[other]!;
    order[other] = kept;
  }
  return order;
}
