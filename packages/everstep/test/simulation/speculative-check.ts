/** What holds of a speculative workflow task, from one transition to the next (invariant 25, WT-36 … WT-39). */
import { EventType } from '../../src/core/proto.ts';
import type { HistoryEvent } from '../../src/core/proto.ts';
import { isOpen } from '../../src/core/state.ts';
import type { RunState, WorkflowTaskInfo } from '../../src/core/state.ts';
import { numberOf } from '../../src/core/time.ts';
import { isCloseEvent, type Complain } from './history-check.ts';

const ends: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
]);

/** 25: its ids are the next ones until it is written, whole; and when it is dropped there is nothing to write. */
export function checkSpeculative(
  before: RunState | undefined,
  after: RunState,
  events: readonly HistoryEvent[],
  complain: Complain,
): void {
  const is = isOpen(after) ? after.workflowTask : undefined;
  if (is?.kind === 'speculative') checkPending(is, after, complain);
  const was = before?.workflowTask;
  if (!before || was?.kind !== 'speculative') return;
  const stays = is?.scheduledEventId === was.scheduledEventId && is.stamp === was.stamp;
  if (stays && is.kind === 'speculative') {
    if (events.length > 0) complain(25, `${events.length} events came past a speculative task`);
    return;
  }
  if (stays || events.some(({ eventType }) => ends.has(eventType ?? 0))) {
    checkWritten(was, events, complain);
  } else if (isOpen(after)) {
    checkDropped(before, after, was, events, complain);
  } else if (was.startedEventId !== 0 || !isCloseEvent(events[0] ?? {})) {
    complain(25, `closes past speculative task ${was.scheduledEventId}/${was.startedEventId}`);
  }
}

function checkPending(task: WorkflowTaskInfo, state: RunState, complain: Complain): void {
  const { scheduledEventId, startedEventId, attempt } = task;
  const next = state.nextEventId;
  if (scheduledEventId !== next || (startedEventId !== 0 && startedEventId !== next + 1)) {
    complain(25, `${scheduledEventId}/${startedEventId} is speculative, the next event is ${next}`);
  }
  if (attempt !== 1) complain(25, `attempt ${attempt} is speculative`);
  if (state.buffered.length > 0) complain(25, 'events wait behind a speculative task');
}

function checkWritten(
  task: WorkflowTaskInfo,
  events: readonly HistoryEvent[],
  complain: Complain,
): void {
  const [first, second] = events;
  if (
    first?.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED ||
    numberOf(first.eventId) !== task.scheduledEventId ||
    (task.startedEventId !== 0 &&
      (second?.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED ||
        numberOf(second.eventId) !== task.startedEventId))
  ) {
    complain(25, `speculative task ${task.scheduledEventId} is not written as it was shown`);
  }
}

/** Nothing but the schedule of the task that follows, and nothing that the worker has taken. */
function checkDropped(
  before: RunState,
  after: RunState,
  task: WorkflowTaskInfo,
  events: readonly HistoryEvent[],
  complain: Complain,
): void {
  const scheduled = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED;
  if (events.length > 1 || events.some(({ eventType }) => eventType !== scheduled)) {
    complain(25, `speculative task ${task.scheduledEventId} is dropped, and leaves events`);
  }
  if (task.startedEventId === 0) complain(25, 'a speculative task is dropped that nobody had');
  for (const { stage, updateId } of before.updates.values()) {
    if (stage !== 'sent') continue;
    const now = after.updates.get(updateId)?.stage;
    if (now !== 'rejected')
      complain(25, `update ${updateId} is ${now ?? 'gone'}, its task dropped`);
  }
}
