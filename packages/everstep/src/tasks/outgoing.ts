/**
 * What a workflow sends out to other runs, and its markers: children, signals to and cancels of others, patches. As
 * in the journal, what the history holds is found again by name; of one name, by the number of its asking, which stands
 * in the event's `control`: what was withdrawn before it left has used its number up.
 */
import {
  ApplicationFailure,
  CancelledFailure,
  WorkflowExecutionAlreadyStartedError,
  type LoadedDataConverter,
  type Payload,
} from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { childFailure } from './child-failure.ts';
import { Deferred, type DeferredOwner } from './context-promise.ts';
import { numberOf } from './int64.ts';
import type { HistoryEvent } from './journal.ts';
import { PayloadReader } from './payload-reader.ts';

type Command = temporal.api.command.v1.ICommand;
type Unreached = Pick<
  temporal.api.history.v1.ISignalExternalWorkflowExecutionFailedEventAttributes,
  'initiatedEventId' | 'workflowExecution'
>;
type ChildAttributes = temporal.api.command.v1.IStartChildWorkflowExecutionCommandAttributes;

const { EventType, CommandType } = proto.temporal.api.enums.v1;

/** As Temporal's own SDK writes it, so its tools show it as what it is. */
const patchMarker = 'core_patch';

/** Something that went out, or is to. */
export class OutgoingEntry {
  readonly name: string;
  initiatedEventId = 0;
  /** A child's, as the history has it. */
  workflowType = '';
  /** Owed to the history; undefined once it is on its way, or given up. */
  command: Command | undefined;
  /** A child that started, a signal or a cancel that arrived. */
  readonly arrived: Deferred;
  /** A child's result. */
  readonly ended: Deferred;
  /** Its cancel is on its way. */
  cancelAsked = false;

  constructor(name: string, owner: DeferredOwner) {
    this.name = name;
    this.arrived = new Deferred(owner);
    this.ended = new Deferred(owner);
  }
}

/** What of one name the history holds and the code has asked for, by the number of its asking. */
interface Row {
  readonly entries: Map<number, OutgoingEntry>;
  initiated: number;
  asked: number;
}

export class Outgoing {
  readonly #owner: DeferredOwner;
  readonly #converter: LoadedDataConverter;
  readonly #reader: PayloadReader;
  readonly #rows = new Map<string, Row>();
  readonly #byEventId = new Map<number, OutgoingEntry>();
  readonly #patches = new Map<string, boolean>();
  readonly #recordedPatches = new Set<string>();
  #owed: (OutgoingEntry | Command)[] = [];
  #indexedTo = 0;

  constructor(owner: DeferredOwner, converter: LoadedDataConverter) {
    this.#owner = owner;
    this.#converter = converter;
    this.#reader = new PayloadReader(converter);
  }

  /** Learns what these events hold. Harmless when events come twice. */
  index(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      const eventId = numberOf(event.eventId);
      if (eventId <= this.#indexedTo) continue;
      this.#indexedTo = eventId;
      const initiated = initiatedIn(event);
      if (initiated) this.#initiated(initiated, eventId);
      const marker = event.markerRecordedEventAttributes;
      if (marker?.markerName === patchMarker) {
        const data = this.#reader.value(marker.details?.['patch-data']?.payloads?.[0], 'a patch');
        this.#recordedPatches.add(String((data as { id?: unknown } | undefined)?.id));
      }
    }
  }

  #initiated({ name, control, workflowType }: Initiated, eventId: number): void {
    const row = this.#row(name);
    row.initiated += 1;
    const entry = this.#entry(row, name, Number(control) || row.initiated);
    entry.initiatedEventId = eventId;
    entry.workflowType = workflowType;
    entry.command = undefined;
    this.#byEventId.set(eventId, entry);
  }

  #row(name: string): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { entries: new Map(), initiated: 0, asked: 0 };
      this.#rows.set(name, row);
    }
    return row;
  }

  #entry(row: Row, name: string, number: number): OutgoingEntry {
    const entry = row.entries.get(number) ?? new OutgoingEntry(name, this.#owner);
    row.entries.set(number, entry);
    return entry;
  }

  /** Gives what one event says to who asked, or will ask. */
  apply(event: HistoryEvent): void {
    switch (event.eventType) {
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
        const started = event.childWorkflowExecutionStartedEventAttributes;
        this.#of(started)?.arrived.resolve(started?.workflowExecution?.runId ?? '');
        break;
      }
      case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
        this.#notStarted(event);
        break;
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: {
        const completed = event.childWorkflowExecutionCompletedEventAttributes;
        const entry = this.#of(completed);
        entry?.ended.resolve(this.#reader.value(completed?.result?.payloads?.[0], entry.name));
        break;
      }
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
        this.#endedBadly(event.childWorkflowExecutionFailedEventAttributes, event);
        break;
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
        this.#endedBadly(event.childWorkflowExecutionCanceledEventAttributes, event);
        break;
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        this.#endedBadly(event.childWorkflowExecutionTimedOutEventAttributes, event);
        break;
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
        this.#endedBadly(event.childWorkflowExecutionTerminatedEventAttributes, event);
        break;
      case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
        this.#of(event.externalWorkflowExecutionSignaledEventAttributes)?.arrived.resolve(
          undefined,
        );
        break;
      case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        this.#of(event.externalWorkflowExecutionCancelRequestedEventAttributes)?.arrived.resolve(
          undefined,
        );
        break;
      case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
        this.#unreached(event.signalExternalWorkflowExecutionFailedEventAttributes, 'signalled');
        break;
      case EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
        this.#unreached(
          event.requestCancelExternalWorkflowExecutionFailedEventAttributes,
          'cancelled',
        );
        break;
      default:
    }
  }

  #of(
    attributes: { initiatedEventId?: Parameters<typeof numberOf>[0] } | null | undefined,
  ): OutgoingEntry | undefined {
    return this.#byEventId.get(numberOf(attributes?.initiatedEventId));
  }

  #notStarted(event: HistoryEvent): void {
    const failed = event.startChildWorkflowExecutionFailedEventAttributes;
    const workflowId = failed?.workflowId ?? '';
    const error = new WorkflowExecutionAlreadyStartedError(
      `The child ${workflowId} could not be started: a workflow with that id is running. Give the child another workflowId`,
      workflowId,
      failed?.workflowType?.name ?? '',
    );
    const entry = this.#of(failed);
    entry?.arrived.reject(error);
    entry?.ended.reject(error);
  }

  #endedBadly(
    attributes: { initiatedEventId?: Parameters<typeof numberOf>[0] } | null | undefined,
    event: HistoryEvent,
  ): void {
    this.#of(attributes)?.ended.reject(childFailure(event, this.#converter));
  }

  #unreached(attributes: Unreached | null | undefined, what: string): void {
    const workflowId = attributes?.workflowExecution?.workflowId ?? '';
    this.#of(attributes)?.arrived.reject(
      ApplicationFailure.nonRetryable(
        `Workflow ${workflowId} could not be ${what}: no run of that id is open`,
        'ExternalWorkflowNotFound',
      ),
    );
  }

  /** Asks for the next of that name; `command` is sent when the history does not hold it. */
  ask(name: string, command: (control: string) => Command): OutgoingEntry {
    const row = this.#row(name);
    row.asked += 1;
    const entry = this.#entry(row, name, row.asked);
    if (entry.initiatedEventId === 0) {
      entry.command = command(String(row.asked));
      this.#owed.push(entry);
    }
    return entry;
  }

  /** The child hears of it, and its end is waited for; what is not on its way yet never leaves. */
  cancelChild(entry: OutgoingEntry, workflowId: string, error: CancelledFailure): void {
    if (entry.ended.settled || entry.cancelAsked) return;
    entry.cancelAsked = true;
    if (this.withdraw(entry)) {
      entry.arrived.reject(error);
      entry.ended.reject(error);
      return;
    }
    // Before it has started nobody is there to hear of it.
    entry.arrived.whenSettled(() => {
      if (!entry.ended.settled) {
        this.ask(cancelName(workflowId, ''), cancelCommand(workflowId));
      }
    });
  }

  /** True when it was not on its way yet, and never leaves. */
  withdraw(entry: OutgoingEntry): boolean {
    if (entry.initiatedEventId > 0) return false;
    entry.command = undefined;
    return true;
  }

  /** Whether the code that stands behind this patch runs: as decided the first time, in this run and for ever. */
  patched(id: string, live: boolean): boolean {
    const decided = this.#patches.get(id);
    if (decided !== undefined) return decided;
    const recorded = this.#recordedPatches.has(id);
    this.#patches.set(id, recorded || live);
    if (!recorded && live) {
      const data = this.#converter.payloadConverter.toPayload({ id, deprecated: false });
      this.#owed.push({
        commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
        recordMarkerCommandAttributes: {
          markerName: patchMarker,
          details: { 'patch-data': { payloads: [data] } },
        },
      });
    }
    return recorded || live;
  }

  /** What is owed to the history, in the order it was asked; asked for once. */
  takeCommands(): Command[] {
    const commands: Command[] = [];
    for (const owed of this.#owed) {
      if (!(owed instanceof OutgoingEntry)) commands.push(owed);
      else if (owed.command && owed.initiatedEventId === 0) commands.push(owed.command);
    }
    this.#owed = [];
    return commands;
  }
}

export function childName(workflowId: string): string {
  return `child ${workflowId}`;
}

export function signalName(workflowId: string, runId: string, signal: string): string {
  return `signal ${signal} to ${workflowId} ${runId}`;
}

export function cancelName(workflowId: string, runId: string): string {
  return `cancel of ${workflowId} ${runId}`;
}

interface Initiated {
  readonly name: string;
  readonly control: string;
  readonly workflowType: string;
}

function initiatedIn(event: HistoryEvent): Initiated | undefined {
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) {
    const { workflowId, workflowType, control } = child;
    return {
      name: childName(workflowId ?? ''),
      control: control ?? '',
      workflowType: workflowType?.name ?? '',
    };
  }
  const signal = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  if (signal) {
    const { workflowId, runId } = signal.workflowExecution ?? {};
    const name = signalName(workflowId ?? '', runId ?? '', signal.signalName ?? '');
    return { name, control: signal.control ?? '', workflowType: '' };
  }
  const cancel = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
  if (cancel) {
    const { workflowId, runId } = cancel.workflowExecution ?? {};
    const name = cancelName(workflowId ?? '', runId ?? '');
    return { name, control: cancel.control ?? '', workflowType: '' };
  }
  return undefined;
}

export function startChildCommand(attributes: ChildAttributes): (control: string) => Command {
  return (control) => ({
    commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: { ...attributes, control },
  });
}

export function signalCommand(
  target: { readonly workflowId: string; readonly runId: string },
  name: string,
  input: Payload,
  childWorkflowOnly: boolean,
): (control: string) => Command {
  return (control) => ({
    commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
    signalExternalWorkflowExecutionCommandAttributes: {
      execution: { workflowId: target.workflowId, runId: target.runId },
      signalName: name,
      input: { payloads: [input] },
      childWorkflowOnly,
      control,
    },
  });
}

/** Of a child of this run. */
export function cancelCommand(workflowId: string): (control: string) => Command {
  return (control) => ({
    commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
    requestCancelExternalWorkflowExecutionCommandAttributes: {
      workflowId,
      childWorkflowOnly: true,
      control,
    },
  });
}
