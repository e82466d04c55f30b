// A part of an item that is too large for its view: fetched from the kernel piece by piece.

import type { Shown } from "../modules";

/**
 * All bytes of a part, as they came. Ends with an error if the kernel has none, or if the part changes meanwhile.
 *
 * `came` hears how many bytes are there, and of how many.
 */
export async function whole(
  shown: Shown,
  name: string,
  signal: AbortSignal,
  came: (bytes: number, total: number) => void = () => undefined,
): Promise<Uint8Array<ArrayBuffer>[]> {
  if (!shown.piece) throw new Error("this page cannot ask for parts of an item");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let [here, total] = [0, 1];
  while (here < total) {
    if (signal.aborted) throw new Error("nobody waits for it");
    const piece = await shown.piece(name, here, signal);
    const { bytes } = piece;
    if (!bytes?.byteLength || (here && piece.total !== total))
      throw new Error("it changed while it was read");
    parts.push(
      new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength).slice(),
    );
    here += bytes.byteLength;
    total = piece.total;
    came(here, total);
  }
  return parts;
}
