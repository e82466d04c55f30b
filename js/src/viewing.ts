// How an image is looked at: zoom, place, brightness, contrast. Pure, and never part of a label.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly left: number;
  readonly top: number;
}

export interface Sight {
  /** 1 shows the whole image. */
  readonly zoom: number;
  /** The place of the image in the middle of the frame, in fractions of it. */
  readonly x: number;
  readonly y: number;
  readonly brightness: number;
  readonly contrast: number;
}

export const PLAIN: Sight = { zoom: 1, x: 0.5, y: 0.5, brightness: 1, contrast: 1 };
export const MOST_ZOOM = 40;
export const ZOOM_STEP = 1.25;
/** Bounds and step of brightness and contrast. */
export const TONE = { least: 0.2, most: 3, step: 0.1 } as const;

export const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

/** Where the image lies in its frame, both in pixels of the screen: inside it, or covering it. */
export function placed(frame: Size, size: Size, { zoom, x, y }: Sight): Rect {
  const scale = Math.min(frame.width / size.width, frame.height / size.height) * zoom;
  const side = (room: number, length: number, at: number) =>
    length <= room ? (room - length) / 2 : clamp(room / 2 - at * length, room - length, 0);
  const [width, height] = [size.width * scale, size.height * scale];
  return {
    left: side(frame.width, width, x),
    top: side(frame.height, height, y),
    width,
    height,
  };
}

/** The same view with its middle where the image really lies. */
function settled(frame: Size, size: Size, sight: Sight): Sight {
  const rect = placed(frame, size, sight);
  return {
    ...sight,
    x: clamp((frame.width / 2 - rect.left) / rect.width, 0, 1),
    y: clamp((frame.height / 2 - rect.top) / rect.height, 0, 1),
  };
}

/** Closer or further; what lies at a place of the frame stays there. */
export function zoomed(
  frame: Size,
  size: Size,
  sight: Sight,
  factor: number,
  at: readonly [number, number] = [frame.width / 2, frame.height / 2],
): Sight {
  const rect = placed(frame, size, sight);
  const zoom = clamp(sight.zoom * factor, 1, MOST_ZOOM);
  const grown = zoom / sight.zoom;
  const middle = (room: number, start: number, length: number, point: number) =>
    (room / 2 - point + (point - start) * grown) / (length * grown);
  return settled(frame, size, {
    ...sight,
    zoom,
    x: middle(frame.width, rect.left, rect.width, at[0]),
    y: middle(frame.height, rect.top, rect.height, at[1]),
  });
}

/** The image moved in its frame, in pixels of the screen. */
export function panned(frame: Size, size: Size, sight: Sight, dx: number, dy: number): Sight {
  const { width, height } = placed(frame, size, sight);
  return settled(frame, size, { ...sight, x: sight.x - dx / width, y: sight.y - dy / height });
}

/** The part of the image that is in view, in fractions. */
export function inView(frame: Size, size: Size, sight: Sight): Rect {
  const rect = placed(frame, size, sight);
  const left = Math.max(0, -rect.left / rect.width);
  const top = Math.max(0, -rect.top / rect.height);
  return {
    left,
    top,
    width: Math.min(1, (frame.width - rect.left) / rect.width) - left,
    height: Math.min(1, (frame.height - rect.top) / rect.height) - top,
  };
}

/** Moved so far that a place of the image is well in view. */
export function revealed(
  frame: Size,
  size: Size,
  sight: Sight,
  point: readonly [number, number],
): Sight {
  const { left, top, width, height } = inView(frame, size, sight);
  const shift = (at: number, from: number, length: number) =>
    Math.min(0, at - from - length * 0.1) + Math.max(0, at - from - length * 0.9);
  return settled(frame, size, {
    ...sight,
    x: sight.x + shift(point[0], left, width),
    y: sight.y + shift(point[1], top, height),
  });
}

const toned = (value: number, by: number): number =>
  clamp(Math.round((value + by * TONE.step) * 100) / 100, TONE.least, TONE.most);

/** What a key does to the look; null if it means nothing here. */
export function sightKey(frame: Size, size: Size, sight: Sight, key: string): Sight | null {
  switch (key) {
    case "+":
    case "=":
      return zoomed(frame, size, sight, ZOOM_STEP);
    case "-":
      return zoomed(frame, size, sight, 1 / ZOOM_STEP);
    case "0":
      return { ...sight, zoom: 1, x: 0.5, y: 0.5 };
    case "b":
      return { ...sight, brightness: toned(sight.brightness, 1) };
    case "d":
      return { ...sight, brightness: toned(sight.brightness, -1) };
    case "k":
      return { ...sight, contrast: toned(sight.contrast, 1) };
    case "l":
      return { ...sight, contrast: toned(sight.contrast, -1) };
    case "o":
      return { ...sight, brightness: 1, contrast: 1 };
  }
  return null;
}

/** Arrows move the view by a part of the frame; null for other keys and where all is in view. */
export function panKey(frame: Size, size: Size, sight: Sight, key: string): Sight | null {
  const step = STEPS[key.replace("shift+", "")];
  if (!step || sight.zoom === 1) return null;
  const part = key.startsWith("shift+") ? 0.5 : 0.1;
  return panned(frame, size, sight, -step[0] * frame.width * part, -step[1] * frame.height * part);
}

export const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
};

export const percent = (value: number): string => `${Math.round(value * 100)} %`;

/** For a screen reader: what changed from one look to the next. */
export function described(before: Sight, after: Sight): string {
  if (after.zoom !== before.zoom) return `zoom ${percent(after.zoom)}`;
  if (after.brightness !== before.brightness && after.contrast !== before.contrast)
    return "brightness and contrast as they are";
  if (after.brightness !== before.brightness) return `brightness ${percent(after.brightness)}`;
  if (after.contrast !== before.contrast) return `contrast ${percent(after.contrast)}`;
  return "";
}

export const filterOf = ({ brightness, contrast }: Sight): string =>
  brightness === 1 && contrast === 1 ? "" : `brightness(${brightness}) contrast(${contrast})`;
