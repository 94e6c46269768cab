/** What an operator may do to pending activities (AC-15). No event is written. */
import { mergeOptions, activityOptionsOf, restoreOptions } from './activity-options.ts';
import type { OriginalOptions } from './activity-option-field.ts';
import { dispatchTaskOf } from './activity-attempt.ts';
import { accept, accepted, alreadyCompleted, notFound } from './answer.ts';
import type { Refused } from './answer.ts';
import type { Draft, Mutable } from './draft.ts';
import type { ActivitySelector, Answer, InputOf, Replies } from './input.ts';
import { reportPauses } from './pause-info.ts';
import { copyOfActivity, isOpen } from './state.ts';
import type { ActivityInfo } from './state.ts';

/** A queued task dies; a running attempt may finish, and a failure then parks it. */
export function pauseActivity(draft: Draft, input: InputOf<'pauseActivity'>): Answer<undefined> {
  const { identity, reason } = input;
  return change(draft, input.activity, (activity) => {
    if (activity.paused) return;
    activity.paused = true;
    activity.pauseInfo = { time: draft.now, identity, reason };
    if (activity.startedTime === 0) park(activity);
  });
}

export function unpauseActivity(
  draft: Draft,
  input: InputOf<'unpauseActivity'>,
): Answer<undefined> {
  return change(draft, input.activity, (activity) => {
    if (!activity.paused) return;
    goOn(activity);
    if (input.resetHeartbeat) activity.heartbeatDetails = undefined;
    if (activity.startedTime !== 0) {
      if (input.resetAttempts) activity.reset = true;
      return;
    }
    if (input.resetAttempts) activity.attempt = 1;
    dispatch(draft, activity, input.jitterMs);
  });
}

/** Attempt 1 again: at once for one that waits; of one that has started, the running attempt counts as the first. */
export function resetActivity(draft: Draft, input: InputOf<'resetActivity'>): Answer<undefined> {
  const { requestId } = input;
  if (requestId !== '' && draft.state.signalRequestIds.has(requestId)) return accepted;
  const answer = change(draft, input.activity, (activity) => {
    if (!input.keepPaused) goOn(activity);
    if (input.resetHeartbeat) activity.heartbeatDetails = undefined;
    restore(draft, activity, input.originals);
    if (activity.startedTime !== 0) {
      activity.reset = true;
      return;
    }
    activity.attempt = 1;
    if (!activity.paused) dispatch(draft, activity, input.jitterMs);
  });
  if (answer.ok && requestId !== '') draft.own('signalRequestIds').add(requestId);
  return answer;
}

/** The new options hold for a running attempt as well; one that waits gets a task anew, on its queue of now. */
export function updateActivityOptions(
  draft: Draft,
  input: InputOf<'updateActivityOptions'>,
): Answer<Replies['updateActivityOptions']> {
  let last: ActivityInfo | undefined;
  const { options, fields, originals } = input;
  const answer = change(draft, input.activity, (activity) => {
    const refused = options && mergeOptions(draft, activity, options, fields);
    if (refused) return refused;
    restore(draft, activity, originals);
    if (activity.startedTime === 0 && !activity.paused) place(draft, activity);
    last = activity;
    return undefined;
  });
  if (!answer.ok) return answer;
  return accept({ options: last ? activityOptionsOf(last) : {} });
}

/** The run is paused: nobody is given this activity (PZ-1). */
export function parkActivity(draft: Draft, activity: ActivityInfo): void {
  const next = copyOfActivity(activity);
  park(next);
  draft.own('activities').set(next.scheduledEventId, next);
}

/** The run goes on. */
export function releaseActivity(draft: Draft, activity: ActivityInfo): void {
  const next = copyOfActivity(activity);
  place(draft, next);
  draft.own('activities').set(next.scheduledEventId, next);
}

function park(activity: Mutable<ActivityInfo>): void {
  activity.stamp += 1;
  activity.dispatched = false;
}

function goOn(activity: Mutable<ActivityInfo>): void {
  activity.paused = false;
  activity.pauseInfo = undefined;
}

function restore(
  draft: Draft,
  activity: Mutable<ActivityInfo>,
  originals: OriginalOptions | undefined,
): void {
  const original = originals?.[activity.scheduledEventId];
  if (original) restoreOptions(draft, activity, original);
}

/** Now, or at a time within the jitter. */
function dispatch(draft: Draft, activity: Mutable<ActivityInfo>, jitterMs: number): void {
  activity.scheduledTime = draft.now + Math.floor(jitterMs * draft.env.random.next());
  place(draft, activity);
}

/** A task of its own, so that one that is queued already is not taken too; when its time has come, and the run runs. */
function place(draft: Draft, activity: Mutable<ActivityInfo>): void {
  activity.stamp += 1;
  activity.dispatched = activity.scheduledTime <= draft.now && !draft.state.pause;
  if (activity.dispatched) draft.tasks.push(dispatchTaskOf(activity));
}

function change(
  draft: Draft,
  selector: ActivitySelector,
  apply: (activity: Mutable<ActivityInfo>) => Refused | undefined | void,
): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const selected = [...draft.state.activities.values()].filter(
    (activity) =>
      selector.by === 'all' ||
      (selector.by === 'id' && activity.activityId === selector.activityId) ||
      (selector.by === 'type' && activity.activityType === selector.activityType),
  );
  if (selected.length === 0) return notFound(`pending activity not found: ${shown(selector)}`);
  for (const activity of selected) {
    const next = copyOfActivity(activity);
    const refused = apply(next);
    if (refused) {
      draft.rollBack();
      return refused;
    }
    draft.own('activities').set(next.scheduledEventId, next);
    draft.touch();
  }
  reportPauses(draft);
  return accepted;
}

function shown(selector: ActivitySelector): string {
  switch (selector.by) {
    case 'id':
      return `activity with ID ${selector.activityId} not found`;
    case 'type':
      return `there is none of type ${selector.activityType}`;
    case 'all':
      return 'there is none';
  }
}
