/**
 * The user's payload codecs (encryption, compression), at the edge of the process: the runtime sees decoded
 * payloads only. They are asynchronous, so with none of them nothing here is called.
 */
import type { LoadedDataConverter, Payload } from '@temporalio/common';
import {
  decodeOptional,
  decodeOptionalFailure,
  encodeOptional,
  encodeOptionalFailure,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { HistoryEvent } from './journal.ts';

type Payloads = temporal.api.common.v1.IPayloads;
type Failure = temporal.api.failure.v1.IFailure;

export class PayloadEdge {
  readonly #codecs: LoadedDataConverter['payloadCodecs'];

  constructor(converter: LoadedDataConverter) {
    this.#codecs = converter.payloadCodecs;
  }

  get open(): boolean {
    return this.#codecs.length === 0;
  }

  /** Copies of those events that carry what the runtime reads. */
  decodeEvents(events: readonly HistoryEvent[]): Promise<HistoryEvent[]> {
    return Promise.all(events.map((event) => this.#decodeEvent(event)));
  }

  async #decodeEvent(event: HistoryEvent): Promise<HistoryEvent> {
    const {
      workflowExecutionStartedEventAttributes: started,
      workflowExecutionSignaledEventAttributes: signaled,
      activityTaskCompletedEventAttributes: completed,
      activityTaskFailedEventAttributes: failed,
      activityTaskTimedOutEventAttributes: timedOut,
      activityTaskCanceledEventAttributes: canceled,
    } = event;
    if (started) {
      const input = await this.#decode(started.input);
      return { ...event, workflowExecutionStartedEventAttributes: { ...started, input } };
    }
    if (signaled) {
      const input = await this.#decode(signaled.input);
      return { ...event, workflowExecutionSignaledEventAttributes: { ...signaled, input } };
    }
    if (completed) {
      const result = await this.#decode(completed.result);
      return { ...event, activityTaskCompletedEventAttributes: { ...completed, result } };
    }
    if (failed) {
      const failure = await this.#decodeFailure(failed.failure);
      return { ...event, activityTaskFailedEventAttributes: { ...failed, failure } };
    }
    if (timedOut) {
      const failure = await this.#decodeFailure(timedOut.failure);
      return { ...event, activityTaskTimedOutEventAttributes: { ...timedOut, failure } };
    }
    if (canceled) {
      const details = await this.#decode(canceled.details);
      return { ...event, activityTaskCanceledEventAttributes: { ...canceled, details } };
    }
    return event;
  }

  async #decode(payloads: Payloads | null | undefined): Promise<Payloads | null> {
    if (!payloads?.payloads) return payloads ?? null;
    return { payloads: (await decodeOptional(this.#codecs, payloads.payloads)) ?? null };
  }

  async #decodeFailure(failure: Failure | null | undefined): Promise<Failure | null> {
    return (await decodeOptionalFailure(this.#codecs, failure)) ?? null;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return this.open ? payloads : ((await decodeOptional(this.#codecs, payloads)) ?? []);
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return this.open ? payloads : ((await encodeOptional(this.#codecs, payloads)) ?? []);
  }

  async encodeFailure(failure: Failure): Promise<Failure> {
    return this.open ? failure : ((await encodeOptionalFailure(this.#codecs, failure)) ?? failure);
  }

  /** The commands of a workflow task: only those that close the run carry payloads. */
  async encodeCommands(
    commands: readonly temporal.api.command.v1.ICommand[],
  ): Promise<temporal.api.command.v1.ICommand[]> {
    return Promise.all(
      commands.map(async (command) => {
        const completed = command.completeWorkflowExecutionCommandAttributes;
        const failed = command.failWorkflowExecutionCommandAttributes;
        if (completed?.result?.payloads) {
          const payloads = await this.encode(completed.result.payloads);
          return {
            ...command,
            completeWorkflowExecutionCommandAttributes: { ...completed, result: { payloads } },
          };
        }
        if (failed?.failure) {
          const failure = await this.encodeFailure(failed.failure);
          return { ...command, failWorkflowExecutionCommandAttributes: { ...failed, failure } };
        }
        return command;
      }),
    );
  }
}
