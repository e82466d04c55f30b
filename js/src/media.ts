// Images of the items ahead, decoded before they are needed.

import type { Item } from "./state";

const MOST = 400;

const BITMAPS: ReadonlySet<unknown> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
]);

/**
 * The address of an image's bytes. A blob belongs to the notebook's own origin, whatever shows it:
 * opened in a tab of its own, a blob of SVG or HTML could run scripts there. An SVG is therefore a
 * data address, which has no origin, and what says to be anything else is taken for a bitmap.
 */
export function addressOf(mime: unknown, bytes: Uint8Array<ArrayBuffer>): string {
  if (mime === "image/svg+xml") {
    let text = "";
    for (let at = 0; at < bytes.length; at += CHUNK) {
      text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
    }
    return `data:image/svg+xml;base64,${btoa(text)}`;
  }
  const type = BITMAPS.has(mime) ? (mime as string) : "image/png";
  return URL.createObjectURL(new Blob([bytes], { type }));
}

const CHUNK = 8192;

export class Media {
  private readonly images = new Map<string, { image: HTMLImageElement; url: string }>();

  /** The decoded image of an item; made on the spot if nobody prepared it. */
  image(item: Item): HTMLImageElement | null {
    if (item.view.kind !== "image") return null;
    const key = JSON.stringify([item.id, item.view.data["side"] ?? null]); // small, or whole
    const known = this.images.get(key);
    if (known) return known.image;
    const buffer = item.buffers[0];
    if (!buffer) return null;
    const mime = item.view.data["mime"];
    // A copy: the buffer of a message may be larger than the view on it.
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
    const url = addressOf(mime, bytes);
    const image = new Image();
    image.src = url;
    image.draggable = false;
    void image.decode().catch(() => undefined);
    this.images.set(key, { image, url });
    this.trim();
    return image;
  }

  private trim(): void {
    for (const [id, { url }] of this.images) {
      if (this.images.size <= MOST) return;
      URL.revokeObjectURL(url);
      this.images.delete(id);
    }
  }

  close(): void {
    for (const { url } of this.images.values()) URL.revokeObjectURL(url);
    this.images.clear();
  }
}
