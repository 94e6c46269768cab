/** What a worker makes of a history: what is open, what was asked of the run, how far it has come. */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { msOfDuration, msOfTimestamp, numberOf } from '../../src/core/time.ts';
import { tokenOf } from './run-record.ts';

interface OpenTimer {
  readonly timerId: string;
  /** When it fires. */
  readonly at: number;
}

export interface RunView {
  /** Ids by scheduled, started or initiated event id. */
  readonly activities: Map<number, string>;
  readonly timers: Map<number, OpenTimer>;
  readonly children: Map<number, string>;
  readonly externals: Set<number>;
  readonly signals: string[];
  /** Updates that were accepted and not completed. */
  readonly updates: Set<string>;
  /** All that were ever accepted. */
  readonly accepted: Set<string>;
  cancelRequested: boolean;
  decisions: number;
  /** Of the start: how many more runs the chain may have. */
  chainLeft: number;
}

export function viewOf(events: readonly HistoryEvent[]): RunView {
  const view: RunView = {
    activities: new Map(),
    timers: new Map(),
    children: new Map(),
    externals: new Set(),
    signals: [],
    updates: new Set(),
    accepted: new Set(),
    cancelRequested: false,
    decisions: 0,
    chainLeft: 0,
  };
  for (const event of events) see(view, event);
  return view;
}

function see(view: RunView, event: HistoryEvent): void {
  const id = numberOf(event.eventId);
  const started = event.workflowExecutionStartedEventAttributes;
  if (started) {
    const data = started.input?.payloads?.[0]?.data;
    view.chainLeft = data ? Number(Buffer.from(data).toString()) || 0 : 0;
  }
  if (event.workflowTaskCompletedEventAttributes) view.decisions += 1;
  if (event.workflowExecutionCancelRequestedEventAttributes) view.cancelRequested = true;
  if (event.workflowExecutionSignaledEventAttributes) view.signals.push(tokenOf(event) ?? '');
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId;
  if (accepted) {
    view.updates.add(accepted);
    view.accepted.add(accepted);
  }
  const answered = event.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId;
  if (answered) view.updates.delete(answered);
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled) view.activities.set(id, scheduled.activityId ?? '');
  const activityEnd =
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  if (activityEnd) view.activities.delete(numberOf(activityEnd.scheduledEventId));
  const timer = event.timerStartedEventAttributes;
  if (timer) {
    const at = msOfTimestamp(event.eventTime) + msOfDuration(timer.startToFireTimeout);
    view.timers.set(id, { timerId: timer.timerId ?? '', at });
  }
  const timerEnd = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes;
  if (timerEnd) view.timers.delete(numberOf(timerEnd.startedEventId));
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) view.children.set(id, child.workflowId ?? '');
  const childEnd =
    event.startChildWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCompletedEventAttributes ??
    event.childWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCanceledEventAttributes ??
    event.childWorkflowExecutionTimedOutEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes;
  if (childEnd) view.children.delete(numberOf(childEnd.initiatedEventId));
  if (
    event.signalExternalWorkflowExecutionInitiatedEventAttributes ||
    event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes
  ) {
    view.externals.add(id);
  }
  const externalEnd =
    event.externalWorkflowExecutionSignaledEventAttributes ??
    event.signalExternalWorkflowExecutionFailedEventAttributes ??
    event.externalWorkflowExecutionCancelRequestedEventAttributes ??
    event.requestCancelExternalWorkflowExecutionFailedEventAttributes;
  if (externalEnd) view.externals.delete(numberOf(externalEnd.initiatedEventId));
}
