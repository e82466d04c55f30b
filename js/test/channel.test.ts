import { describe, expect, test } from "vitest";
import { Channel, ORPHAN_MS, SLOW_MS, type WantPart } from "../src/channel";
import type { EventPart, FromKernel } from "../src/protocol";
import type { Draft } from "../src/state";
import { FakeStorage, FakeWorld, SHOWN, STATUS, want, windowMessage } from "./helpers";

interface Sent {
  readonly type: string;
  readonly id: string;
  readonly client: string;
  readonly events?: readonly EventPart[];
  readonly unsent?: number;
  readonly [name: string]: unknown;
}

let drafts = 0;
function draft(item = "i", change: Partial<Draft> = {}): Draft {
  drafts += 1;
  return {
    id: `d${drafts}`,
    kind: "label",
    item,
    value: "ham",
    at: "2026-03-04T05:06:07.000Z",
    seconds: 1,
    shown: SHOWN,
    ...change,
  };
}

/** A channel on a wire that keeps what was sent. */
class Line {
  readonly sent: Sent[] = [];
  readonly heard: FromKernel[] = [];
  readonly asked: (WantPart | null)[] = [];
  readonly wholes: (boolean | undefined)[] = [];
  readonly slow: boolean[] = [];
  unsaved = -1;
  broken = false;
  readonly channel: Channel;

  constructor(readonly world: FakeWorld = new FakeWorld()) {
    this.channel = new Channel(
      {
        send: (message) => {
          if (this.broken) throw new Error("the comm is closed");
          this.sent.push(JSON.parse(JSON.stringify(message)) as Sent);
        },
      },
      world,
      {
        message: (message, _, asked, whole) => {
          this.heard.push(message);
          this.asked.push(asked);
          this.wholes.push(whole);
        },
        unsaved: (count) => (this.unsaved = count),
        slow: (slow) => this.slow.push(slow),
      },
    );
  }

  open(): this {
    this.channel.open("s");
    return this;
  }
  welcome(change: object = {}): this {
    const about = { session: "s", annotator: "ana", note: "", trail: [], more: null };
    return this.hear({ type: "welcome", ...about, status: STATUS, ...change });
  }
  ack(ids: readonly string[], expected: number, change: object = {}): this {
    return this.hear({ type: "ack", ids, expected, status: STATUS, ...change });
  }
  hear(message: object): this {
    this.channel.receive({ v: 1, client: this.channel.client, re: "", ...message }, []);
    return this;
  }
  items(re: string): this {
    return this.hear({ ...windowMessage([]), client: this.channel.client, re });
  }
  of(type: string): Sent[] {
    return this.sent.filter((message) => message.type === type);
  }
  last(type: string): Sent {
    return this.of(type).at(-1)!;
  }
}

const storageOf = (line: Line) => line.world.storage as FakeStorage;
const seqs = (message: Sent) => message.events?.map((event) => event.seq);
const ids = (message: Sent) => message.events?.map((event) => event.id);

describe("hello", () => {
  test("is said until the welcome, more and more seldom", () => {
    const line = new Line().open();
    const start = line.world.time;
    const times: number[] = [];
    for (let s = 0; s < 120; s++) {
      const before = line.of("hello").length;
      line.world.advance(1000);
      if (line.of("hello").length > before) times.push((line.world.time - start) / 1000);
    }
    expect(times).toEqual([4, 12, 28, 58, 88, 118]);
    expect(line.last("hello")).toMatchObject({ v: 1, speaks: [1], unsent: 0 });
    line.welcome();
    line.world.advance(300_000);
    expect(line.of("hello").length).toBe(7);
    expect(line.world.waiting).toBe(0);
  });

  test("comes before anything else", () => {
    const line = new Line().open();
    line.channel.say([draft(), draft()]);
    line.channel.ask(want());
    expect(line.sent.map((message) => message.type)).toEqual(["hello"]);
    expect(line.unsaved).toBe(2);
    line.world.advance(4000);
    expect(line.last("hello").unsent).toBe(2);
    line.welcome();
    expect(seqs(line.last("event"))).toEqual([1, 2]);
    expect(line.heard.map((message) => message.type)).toEqual(["welcome"]);
  });

  test("a second welcome is passed on and sends nothing twice", () => {
    const line = new Line().open().welcome();
    line.channel.say([draft()]);
    const before = line.sent.length;
    line.welcome();
    expect(line.sent.length).toBe(before);
    expect(line.heard.length).toBe(2);
  });
});

describe("events", () => {
  test("are numbered from 1 and sent at once", () => {
    const line = new Line().open().welcome();
    line.channel.say([draft()]);
    line.channel.say([draft(), draft()]);
    expect(line.of("event").map(seqs)).toEqual([[1], [2, 3]]);
    expect(line.unsaved).toBe(3);
  });

  test("stay in the outbox and in the storage until they are acknowledged", () => {
    const line = new Line().open().welcome();
    const said = [draft(), draft()];
    line.channel.say(said);
    expect(storageOf(line).length).toBe(2);
    line.ack([said[0]!.id], 2);
    expect([line.unsaved, storageOf(line).length]).toEqual([1, 1]);
    line.ack([said[0]!.id, said[1]!.id], 3);
    expect([line.unsaved, storageOf(line).length]).toEqual([0, 0]);
    expect(line.heard.filter((message) => message.type === "ack").length).toBe(2);
  });

  test("are sent again until then, more and more seldom, and soon again after an answer", () => {
    const line = new Line().open().welcome();
    const said = [draft(), draft()];
    line.channel.say(said);
    const times: number[] = [];
    const start = line.world.time;
    for (let s = 0; s < 60; s++) {
      const before = line.of("event").length;
      line.world.advance(1000);
      if (line.of("event").length > before) times.push((line.world.time - start) / 1000);
    }
    expect(times).toEqual([4, 12, 28, 58]);
    expect(ids(line.last("event"))).toEqual(said.map((event) => event.id));
    line.ack([said[0]!.id], 2);
    const before = line.of("event").length;
    line.world.advance(4000);
    expect(line.of("event").length).toBe(before + 1);
    expect(ids(line.last("event"))).toEqual([said[1]!.id]);
    line.ack([said[1]!.id], 3);
    line.world.advance(300_000);
    expect(line.of("event").length).toBe(before + 1);
  });

  test("are sent again however fast one goes on labeling", () => {
    const line = new Line().open().welcome();
    const first = draft();
    line.channel.say([first]);
    for (let k = 0; k < 10; k++) {
      line.world.advance(500);
      line.channel.say([draft()]);
    }
    expect(line.of("event").filter((message) => ids(message)!.includes(first.id)).length).toBe(2);
  });

  test("wait for the screen, and are kept and sent once all the same", () => {
    const line = new Line().open();
    line.world.paint = 16;
    const said = [draft(), draft()];
    line.channel.say([said[0]!]);
    line.welcome();
    expect(line.of("event").length).toBe(1); // with the welcome
    line.world.advance(16);
    line.channel.say([said[1]!]);
    expect(storageOf(line).length).toBe(1);
    line.world.advance(16);
    expect(storageOf(line).length).toBe(2);
    expect(ids(line.last("event"))).toEqual([said[1]!.id]);
    line.ack(
      said.map((event) => event.id),
      3,
    );
    expect(line.unsaved).toBe(0);
  });

  test("are kept and sent before their paint by a page that goes", () => {
    const line = new Line().open().welcome();
    line.world.paint = 16;
    const said = draft();
    line.channel.say([said]);
    expect(storageOf(line).length).toBe(0);
    line.world.leave();
    expect(storageOf(line).length).toBe(1);
    expect(ids(line.last("event"))).toEqual([said.id]);
  });

  test("go in parts that the kernel takes", () => {
    const line = new Line().open();
    line.channel.say(Array.from({ length: 1200 }, () => draft()));
    line.welcome();
    expect(line.of("event").map((message) => message.events?.length)).toEqual([500, 500, 200]);
    expect(line.of("event").flatMap(seqs)).toEqual(Array.from({ length: 1200 }, (_, k) => k + 1));
  });

  test("that are rejected are dropped; those to be kept are sent again", () => {
    const line = new Line().open().welcome();
    const said = [draft(), draft()];
    line.channel.say(said);
    const reject = { type: "reject", code: "x", text: "no" };
    line.hear({ ...reject, ids: [said[0]!.id], retry: false });
    expect([line.unsaved, storageOf(line).length]).toEqual([1, 1]);
    line.hear({ ...reject, ids: [said[1]!.id], retry: true });
    expect([line.unsaved, storageOf(line).length]).toEqual([1, 1]);
    line.world.advance(4000);
    expect(ids(line.last("event"))).toEqual([said[1]!.id]);
    expect(line.heard.filter((message) => message.type === "reject").length).toBe(2);
  });

  test("a wire that throws loses nothing", () => {
    const line = new Line().open().welcome();
    line.broken = true;
    const said = draft();
    line.channel.say([said]);
    line.broken = false;
    line.world.advance(4000);
    expect(ids(line.last("event"))).toEqual([said.id]);
  });
});

describe("a kernel that does not know the page", () => {
  const known = () => {
    const line = new Line().open().welcome();
    const said = Array.from({ length: 4 }, () => draft());
    line.channel.say(said);
    line.ack([said[0]!.id, said[1]!.id], 3);
    return { line, said };
  };

  test("gets what it lacks, counted from 1, under a new name", () => {
    const { line, said } = known();
    const name = line.channel.client;
    line.ack([], 1);
    expect(line.channel.client).not.toBe(name);
    const message = line.last("event");
    expect(message.client).toBe(line.channel.client);
    expect(seqs(message)).toEqual([1, 2]);
    expect(ids(message)).toEqual([said[2]!.id, said[3]!.id]);
    expect([...storageOf(line).kept.keys()].every((key) => key.includes(line.channel.client))).toBe(
      true,
    );
    line.channel.say([draft()]);
    expect(seqs(line.last("event"))).toEqual([3]);
    line.ack([said[2]!.id, said[3]!.id], 3);
    expect([line.unsaved, storageOf(line).length]).toEqual([1, 1]);
  });

  test("is asked again for items", () => {
    const { line } = known();
    line.channel.ask(want({ n: 7, retrain: true }));
    const first = line.last("want");
    line.ack([], 1);
    const second = line.last("want");
    expect(second).toMatchObject({ n: 7, retrain: true, client: line.channel.client });
    expect(second.id).not.toBe(first.id);
    expect(line.channel.asking).toBe(true);
  });

  test("is told from one that waits for an event on its way", () => {
    const { line } = known();
    const name = line.channel.client;
    line.ack([], 3);
    line.ack([], 9);
    expect(line.channel.client).toBe(name);
    expect(line.of("event").length).toBe(1);
  });
});

describe("what earlier pages left behind", () => {
  const leave = (storage: FakeStorage, time: number, said: readonly Draft[]) => {
    const line = new Line(new FakeWorld(storage, time)).open().welcome();
    line.channel.say(said);
    return line;
  };

  test("is sent first, then the page says hello again, and only then is welcome", () => {
    const storage = new FakeStorage();
    const said = [draft("a"), draft("b")];
    leave(storage, 1000, said);
    const line = new Line(new FakeWorld(storage, 2000)).open().welcome();
    expect(line.sent.map((message) => message.type)).toEqual(["hello", "event"]);
    expect(ids(line.last("event"))).toEqual(said.map((event) => event.id));
    expect(seqs(line.last("event"))).toEqual([1, 2]);
    expect(line.unsaved).toBe(2);
    line.channel.ask(want());
    line.welcome();
    expect(line.heard).toEqual([]);
    expect([...storage.kept.keys()].every((key) => key.includes(line.channel.client))).toBe(true);
    line.ack([said[0]!.id], 2).ack([said[1]!.id], 3);
    expect(line.of("hello").length).toBe(2);
    line.welcome();
    expect(line.heard.map((message) => message.type)).toEqual(["ack", "ack", "welcome"]);
    expect(line.of("event").length).toBe(1);
    expect(storage.length).toBe(0);
    line.channel.say([draft()]);
    expect(seqs(line.last("event"))).toEqual([3]);
  });

  test("is sent again when it was lost once more", () => {
    const storage = new FakeStorage();
    const said = [draft()];
    leave(storage, 1000, said);
    const line = new Line(new FakeWorld(storage, 2000)).open().welcome();
    line.world.advance(4000);
    expect(line.of("event").length).toBe(2);
    expect(line.of("hello").length).toBe(1);
    line.hear({ type: "reject", ids: [said[0]!.id], code: "x", text: "", retry: false });
    expect(line.of("hello").length).toBe(2);
  });

  test("is delivered by a page beside it, once it has lain for long while the kernel answers", () => {
    const storage = new FakeStorage();
    const line = new Line(new FakeWorld(storage, 1000)).open().welcome();
    const said = [draft("a"), draft("b")];
    leave(storage, 1000, said);
    const [first, second] = [...storage.kept.keys()];
    line.world.stored(first!);
    line.world.stored(second!);
    line.world.advance(ORPHAN_MS - 1);
    expect(line.of("event")).toEqual([]);
    line.world.advance(1);
    expect(ids(line.last("event"))).toEqual(said.map((event) => event.id));
    expect(line.unsaved).toBe(2);
    // Kept by this page now, and no longer by the one that is gone.
    expect([...storage.kept.keys()].every((key) => key.includes(line.channel.client))).toBe(true);
    line.ack(
      said.map((event) => event.id),
      3,
    );
    expect(storage.length).toBe(0);
    expect(line.of("hello").length).toBe(2);
  });

  test("is left to a page that lives, to another log, and to a kernel that does not answer", () => {
    const storage = new FakeStorage();
    const line = new Line(new FakeWorld(storage, 1000)).open().welcome();
    const beside = leave(storage, 1000, [draft("a")]);
    const { waiting } = line.world;
    line.world.stored("nblabel/other/page/000000001");
    expect(line.world.waiting).toBe(waiting);
    line.world.stored([...storage.kept.keys()][0]!);
    line.world.advance(ORPHAN_MS / 2);
    beside.world.advance(ORPHAN_MS / 2);
    // It says more: it lives, and has its own way to the kernel.
    beside.channel.say([draft("b")]);
    line.world.advance(ORPHAN_MS / 2);
    expect(line.of("event")).toEqual([]);
    beside.ack([...beside.last("event").events!.map((event) => event.id)], 3);
    line.channel.ask(want());
    line.world.advance(ORPHAN_MS - 1);
    expect(line.slow).toEqual([true]);
    line.world.advance(2 * ORPHAN_MS);
    expect(line.of("event")).toEqual([]);
    line.items(line.last("want").id);
    line.world.advance(ORPHAN_MS);
    expect(line.of("event").length).toBe(1);
    const closed = new Line(new FakeWorld(storage, 1000)).open().welcome();
    closed.channel.close();
    closed.world.stored("nblabel/s/page/000000001");
    expect(closed.world.waiting).toBe(0);
  });

  test("comes in the order it was said, whatever the pages are called", () => {
    for (const [first, second] of [
      [1000, 2000],
      [2000, 1000],
    ] as const) {
      const storage = new FakeStorage();
      const one = [draft(), draft()];
      const two = [draft(), draft()];
      const a = leave(storage, first, []);
      leave(storage, second, two);
      a.channel.say(one);
      const line = new Line(new FakeWorld(storage, 9000)).open().welcome();
      const expected = first < second ? [...one, ...two] : [...two, ...one];
      expect(ids(line.last("event"))).toEqual(expected.map((event) => event.id));
    }
  });

  test("keeps the order of each page when its clock goes backwards", () => {
    const storage = new FakeStorage();
    const said = [draft(), draft(), draft()];
    const page = leave(storage, 5000, [said[0]!]);
    page.world.time = 1000;
    page.channel.say([said[1]!, said[2]!]);
    const line = new Line(new FakeWorld(storage, 9000)).open().welcome();
    expect(ids(line.last("event"))).toEqual(said.map((event) => event.id));
  });

  test("takes nothing back before it is said, whatever the clocks", () => {
    const storage = new FakeStorage();
    const label = draft();
    const back = draft("i", { kind: "retract", value: label.id });
    const early = leave(storage, 1000, []);
    leave(storage, 9000, [label]);
    early.channel.say([back]);
    const line = new Line(new FakeWorld(storage, 9500)).open().welcome();
    expect(ids(line.last("event"))).toEqual([label.id, back.id]);
  });

  test("of another log is left alone, until it is too old", () => {
    const storage = new FakeStorage();
    const old = new Line(new FakeWorld(storage, 1000));
    old.channel.open("other");
    old.welcome({ session: "other" });
    old.channel.say([draft()]);
    storage.setItem("somebody/else", "1");
    const line = new Line(new FakeWorld(storage, 2000)).open().welcome();
    expect(line.of("event")).toEqual([]);
    expect(storage.length).toBe(2);
    new Line(new FakeWorld(storage, 61 * 86_400_000)).open().welcome();
    expect([...storage.kept.keys()]).toEqual(["somebody/else"]);
  });

  test("is passed over where it is broken or not whole", () => {
    const storage = new FakeStorage();
    const event = { ...draft(), seq: 1 };
    const put = (k: number, kept: unknown) => storage.setItem(`nblabel/s/x/${k}`, String(kept));
    put(1, "{");
    put(2, "null");
    put(3, JSON.stringify({ at: 1, event: { ...event, shown: undefined } }));
    put(4, JSON.stringify({ at: "1", event }));
    put(5, JSON.stringify({ at: 1, event: { ...event, kind: "certify" } }));
    const line = new Line(new FakeWorld(storage)).open().welcome();
    expect(line.heard.length).toBe(1);
    expect(storage.length).toBe(0);
  });
});

describe("storage", () => {
  test("that is full: labels live in the page, and the console says so", () => {
    const line = new Line().open().welcome();
    storageOf(line).full = true;
    const said = draft();
    line.channel.say([said]);
    expect(line.world.warnings.join()).toMatch(/storage is full/);
    expect(line.unsaved).toBe(1);
    expect(line.ack([said.id], 2).unsaved).toBe(0);
  });

  test("that is forbidden, or not there", () => {
    for (const storage of [Object.assign(new FakeStorage(), { forbidden: true }), null]) {
      const line = new Line(new FakeWorld(storage)).open().welcome();
      const said = draft();
      line.channel.say([said]);
      expect(line.ack([said.id], 2).unsaved).toBe(0);
      expect(line.heard.map((message) => message.type)).toEqual(["welcome", "ack"]);
    }
  });

  test("that keeps what should go: it is sent once more, which is harmless", () => {
    const storage = new FakeStorage();
    const line = new Line(new FakeWorld(storage)).open().welcome();
    const said = draft();
    line.channel.say([said]);
    storage.forbidden = true;
    expect(line.ack([said.id], 2).unsaved).toBe(0);
    storage.forbidden = false;
    const next = new Line(new FakeWorld(storage)).open().welcome();
    expect(ids(next.last("event"))).toEqual([said.id]);
  });
});

describe("messages that change nothing", () => {
  const calm = () => {
    const line = new Line().open().welcome();
    line.channel.say([draft()]);
    line.channel.ask(want());
    return line;
  };

  test("for another page", () => {
    const line = calm();
    const before = line.heard.length;
    for (const type of ["welcome", "ack", "items"]) {
      line.channel.receive({ v: 1, type, client: "other", re: "", ids: [], expected: 1 }, []);
    }
    line.ack([], 1, { client: "other" }).welcome({ client: "other" });
    expect(line.heard.length).toBe(before);
    expect(line.unsaved).toBe(1);
  });

  test("of another version, unknown or malformed: one line on the console", () => {
    const line = calm();
    const before = line.heard.length;
    line.ack([], 1, { v: 2 }).hear({ type: "party" }).hear({ type: "ack" });
    for (const raw of [null, undefined, 3, "hello", [], { v: 1 }]) line.channel.receive(raw, []);
    expect(line.heard.length).toBe(before);
    expect(line.world.warnings.length).toBe(9);
    expect(line.world.warnings.every((text) => text.startsWith("nblabel: "))).toBe(true);
  });

  test("that come twice or late", () => {
    const line = calm();
    const { id } = line.last("want");
    line.items(id);
    const before = line.heard.length;
    line.items(id).items("never asked");
    expect(line.heard.length).toBe(before);
    line.ack(["never said"], 1);
    expect(line.unsaved).toBe(1);
  });
});

describe("asking for items", () => {
  test("one request at a time; the newest other one waits", () => {
    const line = new Line().open().welcome();
    expect(line.channel.asking).toBe(false);
    line.channel.ask(want({ n: 1 }));
    line.channel.ask(want({ n: 2, retrain: true }));
    line.channel.ask(want({ n: 3, skipped: true }));
    line.channel.ask(want({ n: 4 }));
    expect(line.of("want").map((message) => message["n"])).toEqual([1]);
    line.items(line.last("want").id);
    expect(line.last("want")).toMatchObject({ n: 4, retrain: true, skipped: true });
    line.items(line.last("want").id);
    expect(line.of("want").length).toBe(2);
    expect(line.channel.asking).toBe(false);
    expect(line.asked.filter(Boolean).map((part) => part?.n)).toEqual([1, 4]);
  });

  test("of training and cancelling, the newest that waits holds", () => {
    const line = new Line().open().welcome();
    line.channel.ask(want({ n: 1 }));
    line.channel.ask(want({ n: 2, retrain: true }));
    line.channel.ask(want({ n: 3, cancel: true }));
    line.items(line.last("want").id);
    expect(line.last("want")).toMatchObject({ retrain: false, cancel: true });
    line.channel.ask(want({ n: 2, cancel: true }));
    line.channel.ask(want({ n: 3, retrain: true }));
    line.items(line.last("want").id);
    expect(line.last("want")).toMatchObject({ retrain: true, cancel: true }); // and then trains
  });

  test("a request that was lost on the way is sent again, with what waited behind it", () => {
    const line = new Line().open().welcome();
    line.world.advance(100_000);
    line.channel.ask(want({ n: 1, retrain: true }));
    line.world.advance(29_000);
    expect(line.of("want").length).toBe(1);
    line.world.advance(31_000);
    expect(line.of("want").length).toBe(2);
    const [first, second] = line.of("want");
    expect(second).toEqual({ ...first, id: second!.id });
    line.channel.ask(want({ n: 2, skipped: true }));
    line.items(first!.id); // too late: another answer is due
    line.world.advance(30_000);
    expect(line.of("want").length).toBe(3);
    expect(line.last("want")).toMatchObject({ n: 2, retrain: true, skipped: true });
    line.items(line.last("want").id);
    line.world.advance(100_000);
    expect(line.of("want").length).toBe(3);
    expect(line.world.waiting).toBe(0);
  });

  test("a refused request is not asked again", () => {
    const line = new Line().open().welcome();
    line.channel.ask(want());
    line.channel.ask(want());
    line.hear({ type: "refuse", re: line.last("want").id, code: "replaced", text: "gone" });
    expect(line.heard.at(-1)).toMatchObject({ type: "refuse", text: "gone" });
    line.world.advance(200_000);
    expect(line.of("want").length).toBe(1);
  });
});

describe("a slow kernel", () => {
  test("is reported once, and so is that it is back", () => {
    const line = new Line().open();
    line.world.advance(SLOW_MS - 1);
    expect(line.slow).toEqual([]);
    line.world.advance(60_000);
    expect(line.slow).toEqual([true]);
    line.welcome();
    expect(line.slow).toEqual([true, false]);
    line.world.advance(100_000);
    expect(line.slow).toEqual([true, false]);
  });

  test("is noticed however fast one goes on labeling", () => {
    const line = new Line().open().welcome();
    for (let k = 0; k < 8; k++) {
      line.channel.say([draft()]);
      line.world.advance(500);
    }
    expect(line.slow).toEqual([true]);
  });

  test("is no quick one", () => {
    const line = new Line().open().welcome();
    for (let k = 0; k < 20; k++) {
      const said = draft();
      line.channel.say([said]);
      line.world.advance(1000);
      line.ack([said.id], k + 2);
    }
    expect(line.slow).toEqual([]);
  });
});

describe("a line that was cut", () => {
  test("is tried a few times; until an answer comes nothing else is sent", () => {
    const line = new Line().open().welcome();
    line.channel.say([draft()]);
    line.channel.ask(want());
    line.channel.ping();
    const before = line.sent.length;
    expect(line.last("hello").unsent).toBe(1);
    line.channel.say([draft()]);
    line.channel.ask(want());
    line.world.advance(600_000);
    const tried = line.sent.slice(before);
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.length).toBeLessThan(5);
    expect(tried.every((message) => message.type === "hello")).toBe(true);
    expect(line.unsaved).toBe(2);
  });

  test("and was mended: what is unsaved is sent, and labeling goes on", () => {
    const line = new Line().open().welcome();
    const said = [draft(), draft()];
    line.channel.say([said[0]!]);
    line.channel.ping();
    line.channel.say([said[1]!]);
    line.welcome();
    expect(line.slow.at(-1)).toBe(false);
    expect(ids(line.last("event"))).toEqual(said.map((event) => event.id));
    line.ack(
      said.map((event) => event.id),
      3,
    );
    line.channel.ask(want());
    expect(line.last("want")).toBeDefined();
    expect(line.unsaved).toBe(0);
  });
});

test("after closing nothing is sent, heard or planned; what is said is kept for later", () => {
  const line = new Line().open().welcome();
  line.channel.say([draft()]);
  line.channel.ask(want());
  line.channel.close();
  const [sent, heard] = [line.sent.length, line.heard.length];
  expect(line.world.waiting).toBe(0);
  line.channel.say([draft()]);
  line.channel.ask(want());
  line.welcome().ack([], 1);
  line.world.advance(200_000);
  expect(line.world.waiting).toBe(0);
  expect([line.sent.length, line.heard.length]).toEqual([sent, heard]);
  expect([line.unsaved, storageOf(line).length]).toEqual([2, 2]);
});

test("a channel closed before its hello says nothing", () => {
  const line = new Line();
  line.channel.close();
  line.open();
  expect(line.sent).toEqual([]);
});

describe("saying hello again", () => {
  const whole = (line: Line) => line.wholes.at(-1);

  test("tells whether the welcome knows all that was said here", () => {
    const line = new Line().open().welcome();
    expect(whole(line)).toBe(false); // it answers the first hello
    line.channel.again();
    line.channel.again();
    expect(line.of("hello").length).toBe(2);
    line.welcome({ re: line.last("hello").id });
    expect(whole(line)).toBe(true);
    line.channel.again();
    line.channel.say([draft()]);
    line.welcome({ re: line.last("hello").id });
    expect(whole(line)).toBe(false); // said since: it may be in it or not
  });

  test("waits until nothing is unsent", () => {
    const line = new Line().open().welcome();
    const said = draft();
    line.channel.say([said]);
    line.channel.again();
    expect(line.of("hello").length).toBe(1);
    line.ack([said.id], 2);
    line.channel.again();
    expect(line.of("hello").length).toBe(2);
  });

  test("is done once more if it was lost", () => {
    const line = new Line().open().welcome();
    line.channel.again();
    const lost = line.last("hello").id;
    line.world.advance(4000);
    expect(line.of("hello").length).toBe(3);
    line.welcome({ re: lost });
    expect(whole(line)).toBe(false);
    line.welcome({ re: line.last("hello").id });
    expect(whole(line)).toBe(true);
    line.world.advance(300_000);
    expect(line.of("hello").length).toBe(3);
  });
});

describe("a piece of an item", () => {
  const piece = (re: string, change: object = {}) => ({
    v: 1,
    type: "piece",
    re,
    start: 0,
    total: 9,
    error: null,
    ...change,
  });

  test("is asked for by name, asked for again, and comes with its bytes", async () => {
    const line = new Line().open().welcome();
    const coming = line.channel.piece("i", "left/x", 4);
    const asked = line.last("read");
    expect(asked).toMatchObject({ item: "i", name: "left/x", start: 4, length: 1_000_000 });
    line.world.advance(5000);
    expect(line.sent.filter(({ type }) => type === "read")).toHaveLength(2);
    const bytes = new DataView(new ArrayBuffer(5));
    line.channel.receive({ ...piece(asked.id), client: line.channel.client }, [bytes]);
    expect(await coming).toEqual({ bytes, total: 9 });
    // Twice does no harm.
    line.channel.receive({ ...piece(asked.id), client: line.channel.client }, [bytes]);
  });

  test("that cannot be had says why", async () => {
    const line = new Line().open().welcome();
    const coming = line.channel.piece("i", "", 0);
    const answer = piece(line.last("read").id, { error: "gone" });
    line.channel.receive({ ...answer, client: line.channel.client }, []);
    await expect(coming).rejects.toThrow("gone");
  });

  test("that nobody waits for is not asked for again", () => {
    const line = new Line().open().welcome();
    const abort = new AbortController();
    void line.channel.piece("i", "", 0, abort.signal);
    abort.abort();
    const before = line.sent.length;
    line.world.advance(60_000);
    expect(line.sent.length).toBe(before);
  });
});
