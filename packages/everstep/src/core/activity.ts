/**
 * What workers do to activities (section 4): start, heartbeat, complete, fail, cancel.
 * Read next: activity-attempt.ts (retries and closes), activity-timeouts.ts (deadlines), activity-commands.ts.
 */
import { closeActivity, interruptActivity, retryActivity } from './activity-attempt.ts';
import { accept, accepted, alreadyCompleted, notFound, refuse } from './answer.ts';
import type { Refused } from './answer.ts';
import type { Draft } from './draft.ts';
import { serverFailure, truncateFailure } from './failure.ts';
import type { ActivityRef, Answer, InputOf, Replies } from './input.ts';
import { failureBytes, payloadsBytes } from './payload-size.ts';
import type { Failure } from './proto.ts';
import type { ActivityInfo } from './state.ts';
import { activityById, copyOfActivity, isOpen } from './state.ts';

function activityGone(): Refused {
  return notFound(
    'invalid activityID or activity already timed out or invoking workflow is completed',
  );
}

type Found = { readonly ok: true; readonly activity: ActivityInfo } | Refused;

/** AC-5. Only a completion by id may come before the start (`unstartedToo`). */
function findActivity(draft: Draft, ref: ActivityRef, unstartedToo = false): Found {
  const { state } = draft;
  if (!isOpen(state)) return alreadyCompleted();
  if (ref.by === 'id') {
    if (ref.activityId === '') return refuse('INVALID_ARGUMENT', 'activityID cannot be empty');
    const activity = activityById(state, ref.activityId);
    if (!activity) {
      return notFound(
        `cannot find pending activity with ActivityID ${ref.activityId}, check workflow execution history for more details`,
      );
    }
    return activity.startedTime === 0 && !unstartedToo ? activityGone() : { ok: true, activity };
  }
  const { scheduledEventId, attempt, stamp } = ref.token;
  const activity = state.activities.get(scheduledEventId);
  if (
    !activity ||
    activity.startedTime === 0 ||
    activity.attempt !== attempt ||
    activity.stamp !== stamp
  ) {
    return activityGone();
  }
  return { ok: true, activity };
}

/** An attempt that somebody else ended by id still runs in its process. */
function interruptIfById(draft: Draft, ref: ActivityRef, activity: ActivityInfo): void {
  if (ref.by === 'id') interruptActivity(draft, activity, 'gone');
}

/** AC-4. Writes no event: see AC-2. */
export function startActivity(
  draft: Draft,
  input: InputOf<'startActivity'>,
): Answer<Replies['startActivity']> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const activity = draft.state.activities.get(input.scheduledEventId);
  if (!activity) return activityGone();
  if (activity.startedTime !== 0) {
    return activity.startRequestId === input.requestId
      ? accept({ activity })
      : notFound('Activity task already started.');
  }
  if (activity.stamp !== input.stamp || activity.paused || draft.state.pause) {
    return notFound(`Activity task with this stamp not found: ${input.stamp}`);
  }
  const started = copyOfActivity(activity);
  started.startedTime = draft.now;
  started.startRequestId = input.requestId;
  started.startedIdentity = input.identity;
  started.processId = input.processId;
  draft.own('activities').set(activity.scheduledEventId, started);
  draft.touch();
  return accept({ activity: started });
}

export function completeActivity(
  draft: Draft,
  input: InputOf<'completeActivity'>,
): Answer<undefined> {
  const found = findActivity(draft, input.activity, true);
  if (!found.ok) return found;
  let { activity } = found;
  if (activity.startedTime === 0) {
    // Completed by id before any worker took it: it counts as started by whoever completed it.
    const started = copyOfActivity(activity);
    started.startedTime = draft.now;
    started.startedIdentity = input.identity;
    activity = started;
  }
  interruptIfById(draft, input.activity, found.activity);
  if (payloadsBytes(input.result) > draft.env.limits.payloadBytesMax) {
    endFailed(
      draft,
      activity,
      serverFailure('Complete result exceeds size limit.', true),
      input.identity,
    );
    return accepted;
  }
  closeActivity(draft, activity, {
    kind: 'completed',
    result: input.result,
    identity: input.identity,
  });
  return accepted;
}

export function failActivity(draft: Draft, input: InputOf<'failActivity'>): Answer<undefined> {
  // By id, any kind of failure is taken, as Temporal's server does.
  if (input.activity.by === 'token' && input.failure && !input.failure.applicationFailureInfo) {
    return refuse('INVALID_ARGUMENT', 'Failure must have ApplicationFailureInfo.');
  }
  const found = findActivity(draft, input.activity);
  if (!found.ok) return found;
  let { activity } = found;
  const { limits } = draft.env;
  const details = input.lastHeartbeatDetails;
  if (details && payloadsBytes(details) <= limits.payloadBytesMax) {
    const beaten = copyOfActivity(activity);
    beaten.heartbeatDetails = details;
    beaten.lastHeartbeatTime = draft.now;
    activity = beaten;
  }
  let failure = input.failure ?? undefined;
  if (failure && failureBytes(failure) > limits.payloadBytesMax) {
    failure = serverFailure(
      'Failure exceeds size limit.',
      true,
      truncateFailure(failure, limits.payloadBytesWarn),
    );
  }
  interruptIfById(draft, input.activity, activity);
  endFailed(draft, activity, failure, input.identity);
  return accepted;
}

/** The attempt failed: retried without an event, or closed with one. */
function endFailed(
  draft: Draft,
  activity: ActivityInfo,
  failure: Failure | undefined,
  identity: string,
): void {
  const retryState = retryActivity(draft, activity, failure);
  if (retryState === undefined) return;
  closeActivity(draft, activity, { kind: 'failed', failure, retryState, identity });
}

/** AC-13: the worker says that it stopped because it was asked to. */
export function cancelActivity(draft: Draft, input: InputOf<'cancelActivity'>): Answer<undefined> {
  const found = findActivity(draft, input.activity);
  if (!found.ok) return found;
  const { activity } = found;
  if (payloadsBytes(input.details) > draft.env.limits.payloadBytesMax) {
    endFailed(
      draft,
      activity,
      serverFailure('Cancel details exceed size limit.', true),
      input.identity,
    );
    return accepted;
  }
  if (activity.cancelRequestedEventId === 0) {
    return refuse(
      'INVALID_ARGUMENT',
      'unable to mark activity as canceled without activity being request canceled first',
    );
  }
  interruptIfById(draft, input.activity, activity);
  closeActivity(draft, activity, {
    kind: 'canceled',
    details: input.details,
    identity: input.identity,
  });
  return accepted;
}

/** AC-11. */
export function heartbeatActivity(
  draft: Draft,
  input: InputOf<'heartbeatActivity'>,
): Answer<Replies['heartbeatActivity']> {
  const found = findActivity(draft, input.activity);
  if (!found.ok) return found;
  const { activity } = found;
  if (payloadsBytes(input.details) > draft.env.limits.payloadBytesMax) {
    endFailed(
      draft,
      activity,
      serverFailure('Heartbeat details exceed size limit.', true),
      input.identity,
    );
    return accept({ cancelRequested: true, paused: false, reset: false });
  }
  const beaten = copyOfActivity(activity);
  beaten.lastHeartbeatTime = draft.now;
  beaten.lastWorkerIdentity = input.identity || activity.lastWorkerIdentity;
  if (input.details) beaten.heartbeatDetails = input.details;
  draft.own('activities').set(activity.scheduledEventId, beaten);
  draft.touch();
  return accept({
    cancelRequested: activity.cancelRequestedEventId !== 0,
    paused: activity.paused,
    reset: activity.reset === true,
  });
}
