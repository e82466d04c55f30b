// Keys and buttons that play a sound or a video.

import type { KeyHelp, LookHost, Shown } from "../modules";
import { button, bytesOf, make, textOf } from "./paper";
import { clock, turn } from "./playing";
import { whole } from "./stream";
import css from "./player.css";

export { css };

export const PLAY_KEYS = (what: string): readonly KeyHelp[] => [
  { keys: ["shift+space"], does: `play or pause the ${what}` },
  { keys: ["shift+left", "shift+right"], does: "two seconds back or on" },
  { keys: ["home"], does: `to the start of the ${what}` },
  { keys: ["-", "+"], does: "slower, faster" },
];

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

interface Options {
  readonly what: string;
  readonly hint: string;
  /** Of a video: frames a second, and what the buttons for a frame do. */
  readonly rate?: () => number;
  readonly step?: (key: string) => void;
  /** After each change, and with each frame while it plays. */
  readonly changed: () => void;
}

/** An element that plays, with a row of buttons. */
export class Player {
  /** What it is called, and what is to be known of it. */
  readonly name = make("div", "nblabel-media-name");
  readonly row = make("div", "nblabel-turns");
  readonly wrong = make("p", "nblabel-soft");
  /** As the kernel says it, where the browser does not know. */
  seconds = NaN;
  private readonly play: HTMLButtonElement;
  private readonly time = make("output");
  private readonly speed = make("output");
  private url = "";
  private frame = 0;

  constructor(
    readonly media: HTMLMediaElement,
    private readonly host: LookHost,
    private readonly options: Options,
  ) {
    const does = (key: string) => () => void this.key(key);
    const speeds = make("span", "nblabel-speeds");
    this.play = button("▶ play", "play or pause (Shift+Space)", does("shift+space"));
    this.play.classList.add("nblabel-play");
    const steps = options.rate
      ? [button("‹", "one frame back (,)", does(",")), button("›", "one frame on (.)", does("."))]
      : [];
    this.row.append(
      this.play,
      button("« 2 s", "two seconds back (Shift+←)", does("shift+left")),
      ...steps,
      button("2 s »", "two seconds on (Shift+→)", does("shift+right")),
      this.time,
      speeds,
      make("span", "nblabel-soft", options.hint),
    );
    speeds.append(
      button("−", "slower (-)", does("-")),
      this.speed,
      button("+", "faster (+)", does("+")),
    );
    this.wrong.setAttribute("role", "alert");
    for (const event of ["play", "pause", "ended", "seeked", "loadedmetadata", "ratechange"]) {
      media.addEventListener(event, () => this.tell());
    }
    media.preservesPitch = true;
    media.addEventListener("error", () => {
      if (this.url) this.fail(`This browser cannot play the ${options.what}.`);
    });
  }

  get length(): number {
    return Number.isFinite(this.media.duration) ? this.media.duration : this.seconds;
  }

  get share(): number {
    return this.length > 0 ? this.media.currentTime / this.length : 0;
  }

  /** Of another item: nothing of the one before is left. */
  begin(data: Readonly<Record<string, unknown>>): void {
    cancelAnimationFrame(this.frame);
    this.media.pause();
    this.wrong.textContent = "";
    this.seconds = typeof data["seconds"] === "number" ? data["seconds"] : NaN;
    this.name.textContent = [textOf(data["name"]), textOf(data["note"])]
      .filter(Boolean)
      .join(" · ");
    this.name.hidden = !this.name.textContent;
    const old = this.url;
    this.url = "";
    if (!old) return;
    this.media.removeAttribute("src");
    this.media.load();
    URL.revokeObjectURL(old);
  }

  load(bytes: readonly BlobPart[], type: string, autoplay: boolean): void {
    this.url = URL.createObjectURL(new Blob([...bytes], { type }));
    this.media.src = this.url;
    if (autoplay) this.start();
    this.tell();
  }

  /**
   * The bytes of a medium: with its item, or piece by piece while it is shown. `coming` hears how
   * far that is, and an empty text at its end.
   */
  async take(
    shown: Shown,
    type: string,
    signal: AbortSignal,
    coming: (text: string) => void,
  ): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    const { data } = shown.view;
    const autoplay = data["autoplay"] === true;
    if (data["streamed"] !== true) {
      const bytes = bytesOf(shown.buffers[0]);
      this.load([bytes], type, autoplay);
      return [bytes];
    }
    coming(`loading ${megabytes(Number(data["size"]))} …`);
    try {
      const parts = await whole(shown, "", signal, (bytes, total) => {
        if (!signal.aborted) coming(`loading ${megabytes(bytes)} of ${megabytes(total)}`);
      });
      if (signal.aborted) return [];
      this.load(parts, type, autoplay);
      return parts;
    } catch (error) {
      if (!signal.aborted)
        this.fail(`The ${this.options.what} cannot be had: ${(error as Error).message}.`);
      return [];
    } finally {
      if (!signal.aborted) coming("");
    }
  }

  fail(why: string): void {
    this.wrong.textContent = `${why} You can skip it.`;
  }

  key(key: string): boolean {
    const made = turn(
      {
        at: this.media.currentTime,
        length: this.length || 0,
        speed: this.media.playbackRate,
        ...(this.options.rate && { rate: this.options.rate() }),
      },
      key,
    );
    if (!made) return false;
    if ("toggle" in made) {
      if (this.media.paused) this.start();
      else this.media.pause();
    } else if ("at" in made) {
      if (this.options.rate && /^[,.<>]$/.test(key)) this.media.pause();
      this.seek(made.at);
    } else {
      this.media.defaultPlaybackRate = made.speed; // of those that come, too
      this.media.playbackRate = made.speed;
      this.host.say(`speed ${made.speed}`);
    }
    return true;
  }

  seek(at: number): void {
    if (Number.isFinite(at)) this.media.currentTime = at;
    this.tell();
  }

  private start(): void {
    if (!this.url) return;
    // A browser may wait for the first key or click before it lets a page be heard.
    void this.media.play().catch(() => this.tell());
  }

  private tell(): void {
    cancelAnimationFrame(this.frame);
    const { media } = this;
    const playing = !media.paused && !media.ended;
    this.play.textContent = playing ? "❚❚ pause" : "▶ play";
    this.play.dataset["playing"] = String(playing);
    const tenths = !(this.length > 600);
    this.time.textContent = `${clock(media.currentTime, tenths)} / ${clock(this.length, tenths)}`;
    this.speed.textContent = `${media.playbackRate}×`;
    this.options.changed();
    if (playing) this.frame = requestAnimationFrame(() => this.tell());
  }
}
