// A sound: its waveform, and keys and buttons that play it.

import { pressName, type Press } from "../keymap";
import type { Look, LookHost, MountedLook, Shown } from "../modules";
import css from "./audio.css";
import { Paper, bytesOf, make, styled, type Colors } from "./paper";
import { PLAY_KEYS, Player, css as playerCss } from "./player";
import { peaksOf, typeOf } from "./sound";

const HEIGHT = 96;
const PARTS = 1000;

class Sound implements MountedLook {
  readonly keys = PLAY_KEYS("sound");
  private readonly player: Player;
  private readonly paper: Paper;
  private peaks: Float32Array = new Float32Array(0);
  private shown = "";
  private view: unknown = null;
  private abort = new AbortController();
  private readonly coming = make("p", "nblabel-soft");

  constructor(el: HTMLElement, host: LookHost) {
    styled(el, playerCss + css);
    const box = make("div", "nblabel-sound");
    const wave = make("div", "nblabel-wave");
    this.player = new Player(new Audio(), host, {
      what: "sound",
      hint: "⇧␣ plays · ⇧← ⇧→ seek · - + speed",
      changed: () => this.paper.draw(),
    });
    this.coming.setAttribute("role", "status");
    box.append(this.player.name, wave, this.player.row, this.coming, this.player.wrong);
    el.append(box);
    this.paper = new Paper(wave, HEIGHT, (context, width, colors) =>
      this.paint(context, width, colors),
    );
    this.paper.canvas.setAttribute("role", "img");
    wave.addEventListener("pointerdown", (event) => {
      const { left, width } = wave.getBoundingClientRect();
      this.player.seek(((event.clientX - left) / width) * this.player.length);
    });
  }

  show(shown: Shown): void {
    // A new suggestion for the same sound must not stop it.
    if (shown.id === this.shown && shown.view === this.view) return;
    this.shown = shown.id;
    this.view = shown.view;
    this.peaks = new Float32Array(0);
    const { data } = shown.view;
    this.player.begin(data);
    this.paper.canvas.setAttribute("aria-label", `waveform of item ${shown.name}`);
    const peaks = data["streamed"] === true ? undefined : shown.buffers[1];
    if (peaks) {
      const whole = new Int8Array(bytesOf(peaks).buffer);
      this.peaks = Float32Array.from(whole, (value) => value / 127);
    }
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    const coming = (text: string) => (this.coming.textContent = text);
    coming("");
    void this.player
      .take(shown, typeOf(data["mime"]), signal, coming)
      .then((parts) => (peaks || !parts.length ? undefined : this.decode(parts, shown.view)));
  }

  press(press: Press): boolean {
    return this.player.key(pressName(press));
  }

  destroy(): void {
    this.abort.abort();
    this.player.begin({});
    this.paper.destroy();
  }

  /** Peaks of a compressed sound: only the browser has decoded it. */
  private async decode(parts: readonly Uint8Array<ArrayBuffer>[], view: unknown): Promise<void> {
    try {
      const context = new OfflineAudioContext(1, 1, 8000);
      const sound = await context.decodeAudioData(await new Blob([...parts]).arrayBuffer());
      if (view !== this.view) return;
      this.peaks = peaksOf(sound.getChannelData(0), PARTS);
      this.player.seconds = sound.duration;
      this.paper.draw();
    } catch {
      // It may still be heard; if not, the element says so.
    }
  }

  private paint(context: CanvasRenderingContext2D, width: number, colors: Colors): void {
    const n = this.peaks.length / 2;
    const { share } = this.player;
    const middle = HEIGHT / 2;
    context.fillStyle = colors.line;
    context.fillRect(0, middle - 0.5, width, 1);
    for (let x = 0; x < width && n > 0; x++) {
      const from = Math.floor((x * n) / width);
      const to = Math.max(from + 1, Math.floor(((x + 1) * n) / width));
      let low = 1;
      let high = -1;
      for (let k = from; k < to; k++) {
        low = Math.min(low, this.peaks[2 * k] ?? 0);
        high = Math.max(high, this.peaks[2 * k + 1] ?? 0);
      }
      context.fillStyle = x < share * width ? colors.brand : colors.soft;
      const top = middle - high * (middle - 2);
      context.fillRect(x, top, 1, Math.max(1, (high - low) * (middle - 2)));
    }
    context.fillStyle = colors.ink;
    context.fillRect(Math.min(width - 2, share * width), 0, 2, HEIGHT);
  }
}

const look: Look = { mount: (el, host) => new Sound(el, host) };

export default look;
