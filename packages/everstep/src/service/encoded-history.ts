import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** A reply's history in the wire's bytes, as they lie in the store; decoded for whoever asks for its events. */
export class EncodedHistory {
  readonly bytes: Uint8Array;
  #events: HistoryEvent[] | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get events(): HistoryEvent[] {
    this.#events ??= proto.temporal.api.history.v1.History.decode(this.bytes).events;
    return this.#events;
  }
}
