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
type UpdateRequest = temporal.api.update.v1.IRequest;
type Memo = temporal.api.common.v1.IMemo;
type Command = temporal.api.command.v1.ICommand;

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
      childWorkflowExecutionCompletedEventAttributes: childCompleted,
      childWorkflowExecutionFailedEventAttributes: childFailed,
      childWorkflowExecutionCanceledEventAttributes: childCanceled,
      markerRecordedEventAttributes: marker,
      workflowExecutionUpdateAcceptedEventAttributes: accepted,
    } = event;
    if (started) {
      const input = await this.#decode(started.input);
      const memo = started.memo && (await this.#decodeMemo(started.memo));
      return {
        ...event,
        workflowExecutionStartedEventAttributes: { ...started, input, ...(memo && { memo }) },
      };
    }
    if (childCompleted) {
      const result = await this.#decode(childCompleted.result);
      return {
        ...event,
        childWorkflowExecutionCompletedEventAttributes: { ...childCompleted, result },
      };
    }
    if (childFailed) {
      const failure = await this.#decodeFailure(childFailed.failure);
      return { ...event, childWorkflowExecutionFailedEventAttributes: { ...childFailed, failure } };
    }
    if (childCanceled) {
      const details = await this.#decode(childCanceled.details);
      return {
        ...event,
        childWorkflowExecutionCanceledEventAttributes: { ...childCanceled, details },
      };
    }
    if (accepted?.acceptedRequest) {
      const acceptedRequest = await this.decodeUpdate(accepted.acceptedRequest);
      return {
        ...event,
        workflowExecutionUpdateAcceptedEventAttributes: { ...accepted, acceptedRequest },
      };
    }
    if (marker?.details) {
      const details: Record<string, Payloads> = {};
      for (const [name, payloads] of Object.entries(marker.details)) {
        details[name] = (await this.#decode(payloads)) ?? {};
      }
      return { ...event, markerRecordedEventAttributes: { ...marker, details } };
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

  async decodeUpdate(request: UpdateRequest): Promise<UpdateRequest> {
    const args = await this.#decode(request.input?.args);
    return { ...request, input: { ...request.input, args } };
  }

  async #decodeMemo({ fields }: Memo): Promise<Memo> {
    const decoded: [string, Payload][] = [];
    for (const [name, payload] of Object.entries(fields ?? {})) {
      decoded.push([name, (await this.decode([payload]))[0] ?? payload]);
    }
    return { fields: Object.fromEntries(decoded) };
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

  /** The commands of a workflow task. */
  encodeCommands(commands: readonly Command[]): Promise<Command[]> {
    return Promise.all(commands.map((command) => this.#encodeCommand(command)));
  }

  async #encodeCommand(command: Command): Promise<Command> {
    const {
      completeWorkflowExecutionCommandAttributes: completed,
      failWorkflowExecutionCommandAttributes: failed,
      continueAsNewWorkflowExecutionCommandAttributes: continued,
      scheduleActivityTaskCommandAttributes: scheduled,
      startChildWorkflowExecutionCommandAttributes: child,
      signalExternalWorkflowExecutionCommandAttributes: signal,
      recordMarkerCommandAttributes: marker,
    } = command;
    if (completed) {
      const result = await this.#encodeAll(completed.result);
      return {
        ...command,
        completeWorkflowExecutionCommandAttributes: { ...completed, ...(result && { result }) },
      };
    }
    if (failed?.failure) {
      const failure = await this.encodeFailure(failed.failure);
      return { ...command, failWorkflowExecutionCommandAttributes: { ...failed, failure } };
    }
    if (continued) {
      const started = await this.#encodeStart(continued);
      return { ...command, continueAsNewWorkflowExecutionCommandAttributes: started };
    }
    if (child) {
      const started = await this.#encodeStart(child);
      return { ...command, startChildWorkflowExecutionCommandAttributes: started };
    }
    if (scheduled?.input) {
      const input = await this.#encodeAll(scheduled.input);
      return {
        ...command,
        scheduleActivityTaskCommandAttributes: { ...scheduled, ...(input && { input }) },
      };
    }
    if (signal?.input) {
      const input = await this.#encodeAll(signal.input);
      return {
        ...command,
        signalExternalWorkflowExecutionCommandAttributes: { ...signal, ...(input && { input }) },
      };
    }
    if (marker?.details) {
      const details: Record<string, Payloads> = {};
      for (const [name, payloads] of Object.entries(marker.details)) {
        details[name] = (await this.#encodeAll(payloads)) ?? {};
      }
      return { ...command, recordMarkerCommandAttributes: { ...marker, details } };
    }
    return command;
  }

  /** What begins a run: its input and memo. */
  async #encodeStart<T extends { input?: Payloads | null; memo?: Memo | null }>(
    start: T,
  ): Promise<T> {
    const input = await this.#encodeAll(start.input);
    const encoded: [string, Payload][] = [];
    for (const [name, payload] of Object.entries(start.memo?.fields ?? {})) {
      encoded.push([name, (await this.encode([payload]))[0] ?? payload]);
    }
    const fields = Object.fromEntries(encoded);
    return { ...start, ...(input && { input }), ...(start.memo && { memo: { fields } }) };
  }

  async #encodeAll(payloads: Payloads | null | undefined): Promise<Payloads | undefined> {
    if (!payloads?.payloads) return undefined;
    return { payloads: await this.encode(payloads.payloads) };
  }
}
