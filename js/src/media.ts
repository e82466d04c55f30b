// Images of the items ahead, decoded before they are needed.

import type { Item } from "./state";

const MOST = 400;

export class Media {
  private readonly images = new Map<string, { image: HTMLImageElement; url: string }>();

  /** The decoded image of an item; made on the spot if nobody prepared it. */
  image(item: Item): HTMLImageElement | null {
    if (item.view.kind !== "image") return null;
    const known = this.images.get(item.id);
    if (known) return known.image;
    const buffer = item.buffers[0];
    if (!buffer) return null;
    const mime = item.view.data["mime"];
    // A copy: the buffer of a message may be larger than the view on it.
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
    const url = URL.createObjectURL(
      new Blob([bytes], { type: typeof mime === "string" ? mime : "image/png" }),
    );
    const image = new Image();
    image.src = url;
    image.draggable = false;
    void image.decode().catch(() => undefined);
    this.images.set(item.id, { image, url });
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
