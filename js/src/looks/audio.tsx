// A sound: its waveform, and keys and buttons that play it.

import { pressName, type Press } from "../keymap";
import type { Look, LookHost, MountedLook, Shown } from "../modules";
import css from "./audio.css";
import { Paper, button, bytesOf, make, styled, textOf, type Colors } from "./paper";
import { clock, peaksOf, turn, typeOf } from "./sound";

const HEIGHT = 96;
const PARTS = 1000;

class Sound implements MountedLook {
  readonly keys = [
    { keys: ["shift+space"], does: "play or pause the sound" },
    { keys: ["shift+left", "shift+right"], does: "two seconds back or on" },
    { keys: ["home"], does: "to the start of the sound" },
    { keys: ["-", "+"], does: "slower, faster" },
  ];
  private readonly audio = new Audio();
  private readonly paper: Paper;
  private readonly name = make("div", "nblabel-sound-name");
  private readonly wrong = make("p", "nblabel-soft");
  private readonly play: HTMLButtonElement;
  private readonly time = make("output");
  private readonly speed = make("output");
  private peaks: Float32Array = new Float32Array(0);
  private seconds = NaN;
  private shown = "";
  private view: unknown = null;
  private url = "";
  private frame = 0;

  constructor(
    el: HTMLElement,
    private readonly host: LookHost,
  ) {
    styled(el, css);
    const box = make("div", "nblabel-sound");
    const wave = make("div", "nblabel-wave");
    const turns = make("div", "nblabel-turns");
    const speeds = make("span", "nblabel-speeds");
    const does = (key: string) => () => this.key(key);
    this.play = button("▶ play", "play or pause (Shift+Space)", does("shift+space"));
    this.play.classList.add("nblabel-play");
    turns.append(
      this.play,
      button("« 2 s", "two seconds back (Shift+←)", does("shift+left")),
      button("2 s »", "two seconds on (Shift+→)", does("shift+right")),
      this.time,
      speeds,
      make("span", "nblabel-soft", "⇧␣ plays · ⇧← ⇧→ seek · - + speed"),
    );
    speeds.append(
      button("−", "slower (-)", does("-")),
      this.speed,
      button("+", "faster (+)", does("+")),
    );
    this.wrong.setAttribute("role", "alert");
    box.append(this.name, wave, turns, this.wrong);
    el.append(box);
    this.paper = new Paper(wave, HEIGHT, (context, width, colors) =>
      this.paint(context, width, colors),
    );
    this.paper.canvas.setAttribute("role", "img");
    wave.addEventListener("pointerdown", (event) => {
      const { left, width } = wave.getBoundingClientRect();
      this.seek(((event.clientX - left) / width) * this.length);
    });
    for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata", "ratechange"]) {
      this.audio.addEventListener(name, () => this.tell());
    }
    this.audio.preservesPitch = true;
    this.audio.addEventListener("error", () => {
      if (this.url) this.wrong.textContent = "This browser cannot play the sound. You can skip it.";
    });
  }

  show(shown: Shown): void {
    // A new suggestion for the same sound must not stop it.
    if (shown.id === this.shown && shown.view === this.view) return;
    this.clear();
    this.shown = shown.id;
    this.view = shown.view;
    const { data } = shown.view;
    const bytes = bytesOf(shown.buffers[0]);
    this.seconds = typeof data["seconds"] === "number" ? data["seconds"] : NaN;
    this.name.textContent = [textOf(data["name"]), textOf(data["note"])]
      .filter(Boolean)
      .join(" · ");
    this.name.hidden = !this.name.textContent;
    this.wrong.textContent = "";
    this.paper.canvas.setAttribute("aria-label", `waveform of item ${shown.name}`);
    this.url = URL.createObjectURL(new Blob([bytes], { type: typeOf(data["mime"]) }));
    this.audio.src = this.url;
    const peaks = shown.buffers[1];
    if (peaks) {
      const whole = new Int8Array(bytesOf(peaks).buffer);
      this.peaks = Float32Array.from(whole, (value) => value / 127);
    } else {
      void this.decode(bytes.buffer, shown.view);
    }
    this.tell();
    if (data["autoplay"] === true) this.start();
  }

  press(press: Press): boolean {
    return this.key(pressName(press));
  }

  destroy(): void {
    this.clear();
    this.paper.destroy();
  }

  private get length(): number {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.seconds;
  }

  private clear(): void {
    cancelAnimationFrame(this.frame);
    this.audio.pause();
    this.peaks = new Float32Array(0);
    const old = this.url;
    this.url = "";
    if (old) {
      this.audio.removeAttribute("src");
      this.audio.load();
      URL.revokeObjectURL(old);
    }
  }

  private key(key: string): boolean {
    const place = {
      at: this.audio.currentTime,
      length: this.length || 0,
      speed: this.audio.playbackRate,
    };
    const made = turn(place, key);
    if (!made) return false;
    if ("toggle" in made) {
      if (this.audio.paused) this.start();
      else this.audio.pause();
    } else if ("at" in made) this.seek(made.at);
    else {
      this.audio.defaultPlaybackRate = made.speed; // of the sounds that come, too
      this.audio.playbackRate = made.speed;
      this.host.say(`speed ${made.speed}`);
    }
    return true;
  }

  private start(): void {
    // A browser may wait for the first key or click before it lets a page be heard.
    void this.audio.play().catch(() => this.tell());
  }

  private seek(at: number): void {
    if (Number.isFinite(at)) this.audio.currentTime = at;
    this.tell();
  }

  /** Peaks of a compressed sound: only the browser has decoded it. */
  private async decode(bytes: ArrayBuffer, view: unknown): Promise<void> {
    try {
      const context = new OfflineAudioContext(1, 1, 8000);
      const sound = await context.decodeAudioData(bytes);
      if (view !== this.view) return;
      this.peaks = peaksOf(sound.getChannelData(0), PARTS);
      this.seconds = sound.duration;
      this.tell();
    } catch {
      // It may still be heard; if not, the element says so.
    }
  }

  private tell(): void {
    cancelAnimationFrame(this.frame);
    const playing = !this.audio.paused && !this.audio.ended;
    this.play.textContent = playing ? "❚❚ pause" : "▶ play";
    this.play.dataset["playing"] = String(playing);
    const tenths = !(this.length > 600);
    this.time.textContent = `${clock(this.audio.currentTime, tenths)} / ${clock(this.length, tenths)}`;
    this.speed.textContent = `${this.audio.playbackRate}×`;
    this.paper.draw();
    if (playing) this.frame = requestAnimationFrame(() => this.tell());
  }

  private paint(context: CanvasRenderingContext2D, width: number, colors: Colors): void {
    const n = this.peaks.length / 2;
    const share = this.length > 0 ? this.audio.currentTime / this.length : 0;
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
