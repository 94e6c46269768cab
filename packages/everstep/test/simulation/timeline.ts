/**
 * Time of a simulated world: a heap of what is to happen, by (time, tie-break), and the ends of turns that come
 * before any of it. Nothing waits for real time; between two entries every promise that can settle has settled.
 */
import type { Timer } from '../../src/service/clock.ts';
import type { Chance } from '../chance.ts';

interface Entry {
  readonly at: number;
  readonly tie: number;
  run: (() => void) | undefined;
}

/** So many entries without a moment between them are a loop. */
const spinsMax = 20_000;

export class Timeline {
  /** Milliseconds since the world began; only goes forward. */
  elapsed = 0;
  /** Turns of the event loop that were needed, for the figures. */
  turns = 0;
  /** Time no longer passes. */
  spinning = false;
  #spins = 0;
  readonly #chance: Chance;
  readonly #heap: Entry[] = [];
  #ends: (() => void)[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Entries of the same time run in an order that is drawn. */
  after(ms: number, run: () => void): Timer {
    const entry: Entry = {
      at: this.elapsed + Math.max(0, ms),
      tie: this.#chance.next(),
      run,
    };
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** When the promises that can settle have settled; before any timer. */
  endOfTurn(run: () => void): void {
    this.#ends.push(run);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Lets time pass, entry by entry, until then or until `done` says so. */
  async run(until: number, done: () => boolean = () => false): Promise<void> {
    await this.#settle();
    for (;;) {
      if (this.spinning || done()) return;
      const next = this.#pop(until);
      if (next === undefined) break;
      this.#spins = next.at > this.elapsed ? 0 : this.#spins + 1;
      if (this.#spins > spinsMax) this.spinning = true;
      this.elapsed = Math.max(this.elapsed, next.at);
      next.run?.();
      await this.#settle();
    }
    this.elapsed = Math.max(this.elapsed, until);
  }

  async #settle(): Promise<void> {
    for (;;) {
      // Node drains its microtasks before the next macrotask, whatever their number.
      await new Promise((resolve) => setImmediate(resolve));
      this.turns += 1;
      const ends = this.#ends;
      if (ends.length === 0) return;
      this.#ends = [];
      for (const end of ends) end();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Entry;
      if (!before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  /** The earliest entry that still holds and is not after `until`. */
  #pop(until: number): Entry | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) return undefined;
      const last = this.#heap.pop() as Entry;
      if (last !== first) this.#sink(last);
      if (first.run !== undefined) return first;
    }
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) {
        child += 1;
      }
      if (before(entry, heap[child] as Entry)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie);
}
