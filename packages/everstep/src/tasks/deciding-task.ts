/** Which workflow task took up an event: the first after it that was completed, or is the one that is driven. */
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { numberOf } from './int64.ts';
import type { HistoryEvent } from './journal.ts';

const { EventType } = proto.temporal.api.enums.v1;

export interface DecidingTask {
  readonly startedEventId: number;
  /** When it was started, epoch ms: what time it is for the code. */
  readonly at: number;
}

/** In the order of the history. One that failed or timed out decided nothing. */
export function decidingTasks(
  events: readonly HistoryEvent[],
  untilEventId: number,
): DecidingTask[] {
  const tasks: DecidingTask[] = [];
  for (const [index, event] of events.entries()) {
    if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
    const startedEventId = numberOf(event.eventId);
    const completed = events[index + 1]?.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
    if (completed || startedEventId === untilEventId) {
      tasks.push({ startedEventId, at: optionalTsToMs(event.eventTime) ?? 0 });
    }
  }
  return tasks;
}
