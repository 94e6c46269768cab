/**
 * A whole run that stands still (PZ-1): no new workflow task, no activity given out. What came before may finish, and
 * what comes meanwhile is written and waits.
 */
import { parkActivity, releaseActivity } from './activity-control.ts';
import { accepted, alreadyCompleted, refuse } from './answer.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import type { Answer, InputOf } from './input.ts';
import { reportPauses } from './pause-info.ts';
import { EventType, WorkflowTaskFailedCause } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { isOpen } from './state.ts';
import { msOfTimestamp } from './time.ts';
import { endFailedTask } from './workflow-task-failure.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

export function pauseRun(draft: Draft, input: InputOf<'pauseRun'>): Answer<undefined> {
  const { state } = draft;
  if (!isOpen(state)) return alreadyCompleted();
  const { identity, reason, requestId } = input;
  if (state.pause) {
    return requestId !== '' && state.pause.requestId === requestId
      ? accepted
      : refuse('FAILED_PRECONDITION', 'workflow is already paused.');
  }
  const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED, {
    workflowExecutionPausedEventAttributes: { identity, reason, requestId },
  });
  applyPaused(draft, event);
  for (const activity of state.activities.values()) {
    if (activity.startedTime === 0) parkActivity(draft, activity);
  }
  const task = state.workflowTask;
  if (task && task.startedEventId === 0) {
    // Nobody has it, and nobody may take it now. It did not fail by itself, so the next one is a first attempt.
    endFailedTask(draft, task, {
      cause:
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED,
      identity: 'history-service',
    });
    state.workflowTaskAttempt = 1;
    state.workflowTaskProblems = draft.base.workflowTaskProblems;
  }
  return accepted;
}

export function unpauseRun(draft: Draft, input: InputOf<'unpauseRun'>): Answer<undefined> {
  const { state } = draft;
  if (!isOpen(state)) return alreadyCompleted();
  if (!state.pause) return refuse('FAILED_PRECONDITION', 'workflow is not paused.');
  const { identity, reason, requestId } = input;
  const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED, {
    workflowExecutionUnpausedEventAttributes: { identity, reason, requestId },
  });
  applyUnpaused(draft, event);
  for (const activity of state.activities.values()) {
    if (activity.startedTime === 0 && !activity.paused) releaseActivity(draft, activity);
  }
  scheduleWorkflowTask(draft);
  return accepted;
}

function applyPaused(draft: Draft, event: HistoryEvent): void {
  const attributes = event.workflowExecutionPausedEventAttributes;
  draft.state.pause = {
    time: msOfTimestamp(event.eventTime),
    identity: attributes?.identity ?? '',
    reason: attributes?.reason ?? '',
    requestId: attributes?.requestId ?? '',
    status: draft.state.status === 'created' ? 'created' : 'running',
  };
  reportPauses(draft);
}

function applyUnpaused(draft: Draft, _event: HistoryEvent): void {
  draft.state.pause = undefined;
  reportPauses(draft);
}

export const pauseEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED]: applyPaused,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED]: applyUnpaused,
};
