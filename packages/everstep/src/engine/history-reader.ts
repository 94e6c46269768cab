/** Reads a run's events: from memory where they are, from the store where not. */
import { decodeBatch, encodeBatch, sliceBatch } from '../core/history-batch.ts';
import { EncodedHistory } from '../service/encoded-history.ts';
import type { HistoryEvent } from '../core/proto.ts';
import type { JoinedStore } from '../store/store.ts';
import { runNotFound } from './executor.ts';
import type { LiveRun } from './unit.ts';

/** Bytes of one read of the store. */
const readBytes = 2 * 1024 * 1024;

export class HistoryReader {
  readonly #store: JoinedStore;

  constructor(store: JoinedStore) {
    this.#store = store;
  }

  /** Events fromEventId … untilEventId − 1, committed or in the run's open unit. */
  async read(run: LiveRun, fromEventId: number, untilEventId: number): Promise<HistoryEvent[]> {
    const inMemory = run.eventsFrom(fromEventId);
    if (inMemory) return cut(inMemory, fromEventId, untilEventId);
    const { stored, tail } = await this.#parts(run, fromEventId, untilEventId);
    return [...stored.flatMap(decodeBatch), ...tail];
  }

  /** The same for a reply, with more events behind them: what lies in the store is not decoded. */
  async message(
    run: LiveRun,
    fromEventId: number,
    untilEventId: number,
    more: readonly HistoryEvent[] = [],
  ): Promise<{ readonly events: HistoryEvent[] }> {
    const inMemory = fromEventId < untilEventId ? run.eventsFrom(fromEventId) : [];
    if (inMemory) return { events: [...cut(inMemory, fromEventId, untilEventId), ...more] };
    const { stored, tail } = await this.#parts(run, fromEventId, untilEventId);
    return new EncodedHistory(Buffer.concat([...stored, encodeBatch([...tail, ...more])]));
  }

  /** What the store has, as it has it, and what comes after that. */
  async #parts(
    run: LiveRun,
    fromEventId: number,
    untilEventId: number,
  ): Promise<{ readonly stored: Uint8Array[]; readonly tail: HistoryEvent[] }> {
    const { ref, tailFrom } = run;
    const tail = run.eventsFrom(tailFrom) ?? [];
    const stored: Uint8Array[] = [];
    let next = fromEventId;
    const storedUntil = Math.min(untilEventId, tailFrom);
    while (next < storedUntil && ref !== undefined) {
      const batches = await this.#store.history.read({
        ref,
        fromEventId: next,
        bytesMax: readBytes,
      });
      if (batches.length === 0) {
        const [head] = await this.#store.runs.heads({ refs: [ref] });
        if (!head) throw runNotFound(run.key);
        break;
      }
      for (const batch of batches) {
        if (next < storedUntil) stored.push(sliceBatch(batch, next, storedUntil));
        next = batch.nextEventId;
      }
    }
    return {
      stored,
      tail: cut(tail, tailFrom, untilEventId).slice(Math.max(0, fromEventId - tailFrom)),
    };
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
