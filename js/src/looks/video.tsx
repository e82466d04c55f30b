// A video: played, slowed down and stepped through by keys; a large one comes when it is shown.

import { pressName, type Press } from "../keymap";
import { addressOf } from "../media";
import type { Look, LookHost, MountedLook, Shown } from "../modules";
import { bytesOf, make, styled, textOf } from "./paper";
import { PLAY_KEYS, Player, css as playerCss } from "./player";
import css from "./video.css";

/** Frames a second where neither the kernel nor the browser knows better. */
const USUAL_RATE = 25;
/** Steps a second while the rate is not known, and how many are tried. */
const PROBES = 120;
const MOST_PROBES = 30;
const TYPES: ReadonlySet<unknown> = new Set(["video/mp4", "video/webm", "video/ogg"]);

/** A blob belongs to the notebook's origin: only types that hold no script. */
export const typeOf = (mime: unknown): string => (TYPES.has(mime) ? (mime as string) : "video/mp4");

/** Frames a second, from the times of two frames that were shown one after the other. */
export function rateOf(earlier: number, later: number): number | null {
  const rate = 1 / (later - earlier);
  return rate >= 4 && rate <= 250 ? Math.round(rate * 100) / 100 : null;
}

class Video implements MountedLook {
  readonly keys = [...PLAY_KEYS("video"), { keys: [",", "."], does: "one frame back or on" }];
  private readonly video = make("video");
  private readonly poster = make("img");
  private readonly coming = make("span", "nblabel-coming");
  private readonly bar = make("i");
  private readonly player: Player;
  private shown = "";
  private view: unknown = null;
  private abort = new AbortController();
  private rate: number | null = null;
  private given = false;
  private last = NaN;
  private probing = false;

  constructor(el: HTMLElement, host: LookHost) {
    styled(el, playerCss + css);
    const box = make("div", "nblabel-video");
    const screen = make("div", "nblabel-screen");
    const seek = make("div", "nblabel-seek");
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
    this.video.tabIndex = -1;
    this.coming.setAttribute("role", "status");
    this.poster.alt = "";

    seek.append(this.bar);
    this.player = new Player(this.video, host, {
      what: "video",
      step: (key) => this.key(key),
      hint: "⇧␣ plays · , . frame",
      rate: () => this.rate ?? USUAL_RATE,
      changed: () => this.bar.style.setProperty("--share", String(this.player.share)),
    });
    screen.append(this.video, this.poster, this.coming, this.player.wrong);
    box.append(this.player.name, screen, seek, this.player.row);
    el.append(box);
    screen.addEventListener("click", () => this.player.key("shift+space"));
    const to = (event: PointerEvent) => {
      const { left, width } = seek.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
      this.player.seek(share * this.player.length);
    };
    seek.addEventListener("pointerdown", (event) => {
      seek.setPointerCapture(event.pointerId);
      to(event);
    });
    seek.addEventListener("pointermove", (event) => event.buttons === 1 && to(event));
    this.video.addEventListener("loadeddata", () => this.ready());
    this.video.addEventListener("error", () => (this.coming.hidden = true));
    this.watch();
  }

  show(shown: Shown): void {
    // A new suggestion for the same video must not stop it.
    if (shown.id === this.shown && shown.view === this.view) return;
    this.clear();
    this.shown = shown.id;
    this.view = shown.view;
    const { data } = shown.view;
    this.player.begin(data);
    this.given = typeof data["rate"] === "number" && data["rate"] > 0;
    this.rate = this.given ? (data["rate"] as number) : null;
    this.video.setAttribute("aria-label", `video of item ${shown.name}`);
    const poster = textOf(data["poster"]) && shown.buffers[data["streamed"] === true ? 0 : 1];
    this.poster.hidden = !poster;
    if (poster) this.poster.src = addressOf(data["poster"], bytesOf(poster));
    this.coming.hidden = false;
    this.coming.textContent = "loading …";
    void this.player.take(shown, typeOf(data["mime"]), this.abort.signal, (text) => {
      this.coming.textContent = text || "loading …";
      if (!text) this.coming.hidden = this.player.wrong.textContent !== "";
    });
  }

  press(press: Press): boolean {
    return this.key(pressName(press));
  }

  private key(key: string): boolean {
    const by = { ",": -1, "<": -1, ".": 1, ">": 1 }[key];
    if (!by || this.rate || Number.isNaN(this.last)) return this.player.key(key);
    void this.probe(by);
    return true;
  }

  /** While the rate is not known: on by less than a frame, until another picture is there. */
  private async probe(by: number): Promise<void> {
    const { video, view, last } = this;
    if (this.probing) return;
    this.probing = true;
    video.pause();
    for (let k = 1; k <= MOST_PROBES && this.view === view && this.last === last; k++) {
      const at = video.currentTime + by / PROBES;
      if (at < 0 || at > this.player.length) break;
      this.player.seek(at);
      await new Promise((done) => video.addEventListener("seeked", done, { once: true }));
      // The picture is said to be another one with the frame that shows it.
      for (const _ of [1, 2]) await new Promise((done) => requestAnimationFrame(done));
    }
    this.probing = false;
    const found = rateOf(Math.min(last, this.last), Math.max(last, this.last));
    if (this.view !== view || !found) return;
    this.rate = found;
    this.player.seek(this.last + 0.5 / found); // the middle of the frame, as for all others
  }

  destroy(): void {
    this.clear();
    this.player.begin({});
  }

  private clear(): void {
    this.abort.abort();
    this.abort = new AbortController();
    if (this.poster.src.startsWith("blob:")) URL.revokeObjectURL(this.poster.src);
    this.poster.removeAttribute("src");
    this.last = NaN;
  }

  private ready(): void {
    this.coming.hidden = true;
    this.poster.hidden = true;
    // What a browser recorded may not say how long it is: seen only from its end.
    if (this.video.duration !== Infinity) return;
    this.video.addEventListener("durationchange", () => this.player.seek(0), { once: true });
    this.video.currentTime = 1e7;
  }

  /** While it plays, the browser says when each frame is due: the shortest step is the rate. */
  private watch(): void {
    if (!("requestVideoFrameCallback" in this.video)) return;
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      const found = this.video.paused ? null : rateOf(this.last, mediaTime);
      if (found && !this.given && found > (this.rate ?? 0)) this.rate = found;
      this.last = mediaTime;
      this.watch();
    });
  }
}

const look: Look = { mount: (el, host) => new Video(el, host) };

export default look;
