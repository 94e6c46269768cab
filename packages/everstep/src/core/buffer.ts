/**
 * Events that came while a workflow task was started (WT-33) and how they enter the history (WT-34).
 * Their ids are given here, so whatever refers to an id of the buffer is wired here too.
 */
import type { Draft } from './draft.ts';
import { EventType } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { numberOf } from './time.ts';
import type { WireLong } from './time.ts';

const none: readonly HistoryEvent[] = [];

interface CloseShape {
  /** The attributes of the close, and which id in them names what closed. */
  readonly attributes: keyof HistoryEvent;
  readonly of: 'scheduledEventId' | 'initiatedEventId';
}

/** The events that move to the end of the flushed buffer, behind the start they belong to. */
const closes: Partial<Record<EventType, CloseShape>> = {
  [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]: {
    attributes: 'activityTaskCompletedEventAttributes',
    of: 'scheduledEventId',
  },
  [EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED]: {
    attributes: 'activityTaskFailedEventAttributes',
    of: 'scheduledEventId',
  },
  [EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]: {
    attributes: 'activityTaskTimedOutEventAttributes',
    of: 'scheduledEventId',
  },
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED]: {
    attributes: 'activityTaskCanceledEventAttributes',
    of: 'scheduledEventId',
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED]: {
    attributes: 'childWorkflowExecutionCompletedEventAttributes',
    of: 'initiatedEventId',
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED]: {
    attributes: 'childWorkflowExecutionFailedEventAttributes',
    of: 'initiatedEventId',
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED]: {
    attributes: 'childWorkflowExecutionCanceledEventAttributes',
    of: 'initiatedEventId',
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: {
    attributes: 'childWorkflowExecutionTimedOutEventAttributes',
    of: 'initiatedEventId',
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED]: {
    attributes: 'childWorkflowExecutionTerminatedEventAttributes',
    of: 'initiatedEventId',
  },
};

/** Puts the buffer into the batch. The buffered objects are shared with older states, so each is copied. */
export function flushBuffer(draft: Draft): void {
  const buffered = draft.state.buffered;
  if (buffered.length === 0) return;
  draft.state.buffered = none;
  const started = new Map<number, HistoryEvent['eventId']>();
  const late: HistoryEvent[] = [];
  for (const event of buffered) {
    if (event.eventType && closes[event.eventType]) {
      late.push(event);
      continue;
    }
    const added = draft.append({ ...event });
    if (added.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED) {
      started.set(
        numberOf(added.activityTaskStartedEventAttributes?.scheduledEventId),
        added.eventId,
      );
    } else if (added.eventType === EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
      const initiated = numberOf(
        added.childWorkflowExecutionStartedEventAttributes?.initiatedEventId,
      );
      started.set(initiated, added.eventId);
      const child = draft.state.children.get(initiated);
      if (child)
        draft.own('children').set(initiated, { ...child, startedEventId: numberOf(added.eventId) });
    }
  }
  for (const event of late) {
    const shape = event.eventType ? closes[event.eventType] : undefined;
    const attributes =
      shape && (event[shape.attributes] as Record<string, WireLong> | null | undefined);
    if (!shape || !attributes) continue;
    const startedEventId = started.get(numberOf(attributes[shape.of]));
    draft.append(
      startedEventId
        ? { ...event, [shape.attributes]: { ...attributes, startedEventId } }
        : { ...event },
    );
  }
}

/** Drops what a run that closed will never see (WT-34). */
export function dropBuffer(draft: Draft): void {
  draft.state.buffered = none;
}
