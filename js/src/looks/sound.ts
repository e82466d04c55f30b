// What a waveform is drawn from, and what a sound may be: no page needed.

/** Lowest and highest value of equal parts of a sound, -1 to 1, one after the other. */
export function peaksOf(samples: ArrayLike<number>, parts: number): Float32Array {
  const n = Math.min(parts, samples.length);
  const made = new Float32Array(2 * n);
  for (let k = 0; k < n; k++) {
    const end = Math.floor(((k + 1) * samples.length) / n);
    let low = Infinity;
    let high = -Infinity;
    for (let i = Math.floor((k * samples.length) / n); i < end; i++) {
      const value = samples[i] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    made[2 * k] = low;
    made[2 * k + 1] = high;
  }
  return made;
}

const TYPES: ReadonlySet<unknown> = new Set(
  "wav mpeg mp4 flac ogg webm".split(" ").map((name) => `audio/${name}`),
);

/** A blob belongs to the notebook's origin: only types that hold no script. */
export const typeOf = (mime: unknown): string => (TYPES.has(mime) ? (mime as string) : "audio/wav");
