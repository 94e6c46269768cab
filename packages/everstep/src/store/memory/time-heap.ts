/**
 * Numbers by time, earliest first, in two flat arrays: 16 bytes an entry. Entries are never taken out from the
 * middle; `isLive` tells which still hold, and the others are dropped when they come up or get too many.
 */
export class TimeHeap {
  readonly #isLive: (time: number, id: number) => boolean;
  #times = new Float64Array(16);
  #ids = new Float64Array(16);
  #size = 0;
  #compactAt = 1_024;

  constructor(isLive: (time: number, id: number) => boolean) {
    this.#isLive = isLive;
  }

  add(time: number, id: number): void {
    if (this.#size >= this.#compactAt) this.#compact();
    if (this.#size === this.#times.length) this.#grow();
    this.#size += 1;
    this.#up(this.#size - 1, time, id);
  }

  /** The earliest time, 0 = there is none. */
  earliest(): number {
    while (this.#size > 0) {
      const time = this.#times[0] as number;
      if (this.#isLive(time, this.#ids[0] as number)) return time;
      this.#pop();
    }
    return 0;
  }

  /** Takes out the earliest live ids with a time not after `until`, each once. */
  take(until: number, limit: number): { readonly time: number; readonly id: number }[] {
    const taken: { time: number; id: number }[] = [];
    while (taken.length < limit && this.#size > 0) {
      const time = this.#times[0] as number;
      if (time > until) break;
      const id = this.#ids[0] as number;
      this.#pop();
      const last = taken.at(-1);
      const twice = last !== undefined && last.time === time && last.id === id;
      if (!twice && this.#isLive(time, id)) taken.push({ time, id });
    }
    return taken;
  }

  /** The same, and leaves them in. */
  peek(until: number, limit: number): { readonly time: number; readonly id: number }[] {
    const found = this.take(until, limit);
    for (const { time, id } of found) this.add(time, id);
    return found;
  }

  #before(time: number, id: number, at: number): boolean {
    const other = this.#times[at] as number;
    return time < other || (time === other && id < (this.#ids[at] as number));
  }

  #set(at: number, time: number, id: number): void {
    this.#times[at] = time;
    this.#ids[at] = id;
  }

  #up(from: number, time: number, id: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(time, id, parent)) break;
      this.#set(at, this.#times[parent] as number, this.#ids[parent] as number);
      at = parent;
    }
    this.#set(at, time, id);
  }

  #pop(): void {
    this.#size -= 1;
    const time = this.#times[this.#size] as number;
    const id = this.#ids[this.#size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (
        right < this.#size &&
        this.#before(this.#times[right] as number, this.#ids[right] as number, child)
      ) {
        child = right;
      }
      if (this.#before(time, id, child)) break;
      this.#set(at, this.#times[child] as number, this.#ids[child] as number);
      at = child;
    }
    this.#set(at, time, id);
  }

  #grow(): void {
    const times = new Float64Array(this.#size * 2);
    const ids = new Float64Array(this.#size * 2);
    times.set(this.#times);
    ids.set(this.#ids);
    this.#times = times;
    this.#ids = ids;
  }

  #compact(): void {
    const times = this.#times;
    const ids = this.#ids;
    const size = this.#size;
    this.#size = 0;
    for (let i = 0; i < size; i += 1) {
      const time = times[i] as number;
      const id = ids[i] as number;
      if (!this.#isLive(time, id)) continue;
      this.#size += 1;
      this.#up(this.#size - 1, time, id);
    }
    this.#compactAt = Math.max(1_024, this.#size * 2);
  }
}
