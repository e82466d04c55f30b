// Places on the Earth and on the screen: pure. World coordinates are fractions of the whole map,
// from its upper left corner, in the projection that all tiles have.

/** What is seen: the middle in world coordinates, and the zoom of tiles (256 pixels at 0). */
export interface Seen {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** Latitude and longitude, in degrees. */
export type Place = readonly [number, number];

export const TILE = 256;
/** Where the square map ends. */
const MOST_LATITUDE = 85.0511;

const clamp = (value: number, least: number, most: number) =>
  Math.min(most, Math.max(least, value));

export function project([latitude, longitude]: Place): readonly [number, number] {
  const bounded = (clamp(latitude, -MOST_LATITUDE, MOST_LATITUDE) * Math.PI) / 180;
  const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + bounded / 2)) / (2 * Math.PI);
  return [longitude / 360 + 0.5, clamp(y, 0, 1)];
}

/** The map around all places, no closer than `closest`. */
export function around(
  places: readonly Place[],
  width: number,
  height: number,
  closest: number,
  least: number,
): Seen {
  const points = places.map(project);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const fits = (room: number, share: number) =>
    share > 0 ? Math.log2((0.8 * room) / TILE / share) : Infinity;
  const zoom = Math.min(closest, fits(width, right - left), fits(height, bottom - top));
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    zoom: Math.max(least, Math.floor(zoom * 2) / 2),
  };
}

/** What a key does to the map; null if nothing. */
export function moved(
  seen: Seen,
  key: string,
  width: number,
  height: number,
  most: number,
): Seen | null {
  const world = TILE * 2 ** seen.zoom;
  switch (key) {
    case "+":
    case "=":
      return { ...seen, zoom: Math.min(most, seen.zoom + 1) };
    case "-":
      return { ...seen, zoom: Math.max(0, seen.zoom - 1) };
    case "shift+left":
      return panned(seen, -width / 4 / world, 0);
    case "shift+right":
      return panned(seen, width / 4 / world, 0);
    case "shift+up":
      return panned(seen, 0, -height / 4 / world);
    case "shift+down":
      return panned(seen, 0, height / 4 / world);
    default:
      return null;
  }
}

/** Around the Earth, but not over its poles. */
export const panned = (seen: Seen, dx: number, dy: number): Seen => ({
  ...seen,
  x: (((seen.x + dx) % 1) + 1) % 1,
  y: clamp(seen.y + dy, 0, 1),
});

/** A place as it is written: 47.3769° N, 8.5417° E. */
export function written([latitude, longitude]: Place): string {
  const part = (value: number, [above, below]: readonly [string, string]) =>
    `${String(Math.abs(value))}° ${value < 0 ? below : above}`;
  return `${part(latitude, ["N", "S"])}, ${part(longitude, ["E", "W"])}`;
}

/** Degrees between two lines of the grid, so that they are some way apart. */
export function gridStep(zoom: number): number {
  const pixels = (TILE * 2 ** zoom) / 360;
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].find((s) => s * pixels >= 90) ?? 45;
}
