/** Reads a run's events: from memory where they are, from the store where not. */
import { decodeBatch } from '../core/history-batch.ts';
import type { HistoryEvent } from '../core/proto.ts';
import { numberOf } from '../core/time.ts';
import type { Store } from '../store/store.ts';
import type { LiveRun } from './unit.ts';

/** Bytes of one read of the store. */
const readBytes = 2 * 1024 * 1024;

export class HistoryReader {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Events fromEventId … untilEventId − 1, committed or in the run's open unit. */
  async read(run: LiveRun, fromEventId: number, untilEventId: number): Promise<HistoryEvent[]> {
    const inMemory = run.eventsFrom(fromEventId);
    if (inMemory) return cut(inMemory, fromEventId, untilEventId);
    const tail = run.eventsFrom(run.tailFrom) ?? [];
    const tailFrom = run.tailFrom;
    const events: HistoryEvent[] = [];
    let next = fromEventId;
    const storedUntil = Math.min(untilEventId, tailFrom);
    while (next < storedUntil && run.ref !== undefined) {
      const batches = await this.#store.history.read({
        ref: run.ref,
        fromEventId: next,
        bytesMax: readBytes,
      });
      if (batches.length === 0) break;
      for (const batch of batches) {
        for (const event of decodeBatch(batch.bytes)) {
          const id = numberOf(event.eventId);
          if (id >= next && id < storedUntil) events.push(event);
        }
        next = batch.nextEventId;
      }
    }
    if (untilEventId > tailFrom) {
      const from = Math.max(fromEventId, tailFrom);
      for (const event of cut(tail.slice(from - tailFrom), from, untilEventId)) events.push(event);
    }
    return events;
  }

  async event(run: LiveRun, eventId: number): Promise<HistoryEvent | undefined> {
    const inMemory = run.event(eventId);
    if (inMemory) return inMemory;
    const [event] = await this.read(run, eventId, eventId + 1);
    return event;
  }
}

function cut(events: HistoryEvent[], fromEventId: number, untilEventId: number): HistoryEvent[] {
  const count = untilEventId - fromEventId;
  return count >= events.length ? events : events.slice(0, Math.max(0, count));
}
