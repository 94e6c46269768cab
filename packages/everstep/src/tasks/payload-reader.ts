/** What the history's payloads and failures decode to. */
import type { LoadedDataConverter, Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Entry, HistoryEvent } from './journal.ts';
import { stepFailure } from './run-failure.ts';
import { TaskCodeError } from './task-errors.ts';

const { EventType } = proto.temporal.api.enums.v1;

export class PayloadReader {
  readonly #converter: LoadedDataConverter;

  constructor(converter: LoadedDataConverter) {
    this.#converter = converter;
  }

  /**
   * @param what Whose payload it is, for the message.
   * @throws TaskCodeError PAYLOAD_UNREADABLE
   */
  value(payload: Payload | null | undefined, what: string): unknown {
    if (!payload) return undefined;
    try {
      return this.#converter.payloadConverter.fromPayload(payload);
    } catch (cause) {
      throw unreadable(what, cause);
    }
  }

  /**
   * Gives the waiter of that entry what the event that closed it says.
   *
   * @throws TaskCodeError PAYLOAD_UNREADABLE
   */
  answer(entry: Entry, event: HistoryEvent): void {
    const { waiter } = entry;
    if (waiter === undefined) return;
    switch (event.eventType) {
      case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const payload = event.activityTaskCompletedEventAttributes?.result?.payloads?.[0];
        waiter.resolve(entry.raw ? payload : this.value(payload, entry.id));
        break;
      }
      case EventType.EVENT_TYPE_TIMER_FIRED:
        waiter.resolve(undefined);
        break;
      default:
        waiter.reject(this.stepFailure(entry, event));
    }
  }

  /**
   * The failure of the step that this event closed without a result.
   *
   * @throws TaskCodeError PAYLOAD_UNREADABLE
   */
  stepFailure(entry: Entry, event: HistoryEvent): Error {
    try {
      const { failureConverter, payloadConverter } = this.#converter;
      const failure = stepFailure(event, entry);
      return failureConverter.failureToError(failure, payloadConverter);
    } catch (cause) {
      throw unreadable(entry.id, cause);
    }
  }
}

function unreadable(what: string, cause: unknown): TaskCodeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TaskCodeError(
    'PAYLOAD_UNREADABLE',
    `The payload of "${what}" cannot be decoded: ${why}. The data converter must know every encoding that the history holds`,
    { cause },
  );
}
