// Which points are selected: those that are kept, and those in the circle around the cursor. Pure.

const KEPT = 1;
const CIRCLE = 2;

export class Selection {
  private readonly flags: Uint8Array;
  private circle: readonly number[] = [];
  private count = 0;

  constructor(
    points: number,
    /** Told of each point that is selected from now on, or not any more. */
    private readonly changed: (place: number, chosen: boolean) => void = () => undefined,
  ) {
    this.flags = new Uint8Array(points);
  }

  get size(): number {
    return this.count;
  }

  has(place: number): boolean {
    return this.flags[place]! > 0;
  }

  places(): number[] {
    const found: number[] = [];
    if (this.count) this.flags.forEach((flag, place) => flag && found.push(place));
    return found;
  }

  add(places: Iterable<number>): void {
    for (const place of places) this.set(place, this.flags[place]! | KEPT);
  }

  /** Add a point, or take it out. */
  toggle(place: number): void {
    this.set(place, this.flags[place]! ? 0 : KEPT);
  }

  /** What is in the circle now, instead of what was in it before. */
  around(places: readonly number[]): void {
    for (const place of this.circle) this.set(place, this.flags[place]! & ~CIRCLE);
    this.circle = places;
    for (const place of places) this.set(place, this.flags[place]! | CIRCLE);
  }

  /** What is in the circle stays selected when it moves on. */
  keep(): void {
    this.add(this.circle);
  }

  clear(): void {
    this.circle = [];
    if (this.count) this.flags.forEach((flag, place) => flag && this.set(place, 0));
  }

  private set(place: number, flag: number): void {
    const before = this.flags[place]! > 0;
    this.flags[place] = flag;
    if (before === flag > 0) return;
    this.count += before ? -1 : 1;
    this.changed(place, !before);
  }
}
