/** What an operator may do to pending activities (AC-15). No event is written. */
import { dispatchTaskOf } from './activity-attempt.ts';
import { accepted, alreadyCompleted, notFound } from './answer.ts';
import type { Draft, Mutable } from './draft.ts';
import type { ActivitySelector, Answer, InputOf } from './input.ts';
import { copyOfActivity, isOpen } from './state.ts';
import type { ActivityInfo } from './state.ts';

/** A queued task dies; a running attempt may finish, and a failure then parks it. */
export function pauseActivity(draft: Draft, input: InputOf<'pauseActivity'>): Answer<undefined> {
  return change(draft, input.activity, (activity) => {
    if (activity.paused) return;
    activity.paused = true;
    if (activity.startedTime !== 0) return;
    activity.stamp += 1;
    activity.dispatched = false;
  });
}

export function unpauseActivity(
  draft: Draft,
  input: InputOf<'unpauseActivity'>,
): Answer<undefined> {
  return change(draft, input.activity, (activity) => {
    if (!activity.paused) return;
    activity.paused = false;
    if (input.resetHeartbeat) delete activity.heartbeatDetails;
    if (activity.startedTime !== 0) {
      if (input.resetAttempts) activity.reset = true;
      return;
    }
    if (input.resetAttempts) activity.attempt = 1;
    dispatch(draft, activity);
  });
}

/** Attempt 1 again: at once for one that waits; of one that has started, the running attempt counts as the first. */
export function resetActivity(draft: Draft, input: InputOf<'resetActivity'>): Answer<undefined> {
  return change(draft, input.activity, (activity) => {
    if (!input.keepPaused) activity.paused = false;
    if (input.resetHeartbeat) delete activity.heartbeatDetails;
    if (activity.startedTime !== 0) {
      activity.reset = true;
      return;
    }
    activity.attempt = 1;
    if (!activity.paused) dispatch(draft, activity);
  });
}

/** A task of its own, so that one that is queued already is not taken too. */
function dispatch(draft: Draft, activity: Mutable<ActivityInfo>): void {
  activity.stamp += 1;
  activity.scheduledTime = draft.now;
  activity.dispatched = true;
  draft.tasks.push(dispatchTaskOf(activity));
}

function change(
  draft: Draft,
  selector: ActivitySelector,
  apply: (activity: Mutable<ActivityInfo>) => void,
): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const selected = [...draft.state.activities.values()].filter(
    (activity) =>
      selector.by === 'all' ||
      (selector.by === 'id' && activity.activityId === selector.activityId) ||
      (selector.by === 'type' && activity.activityType === selector.activityType),
  );
  if (selected.length === 0 && selector.by === 'id') {
    return notFound(`activity with ID ${selector.activityId} not found`);
  }
  for (const activity of selected) {
    const next = copyOfActivity(activity);
    apply(next);
    draft.own('activities').set(next.scheduledEventId, next);
    draft.touch();
  }
  return accepted;
}
