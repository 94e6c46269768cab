/** Drives the activities of one run; `activity` is the only one pending. */
import { requestCancelActivity, scheduleActivity } from '../src/core/activity-commands.ts';
import { expireActivities } from '../src/core/activity-timeouts.ts';
import {
  completeActivity,
  failActivity,
  heartbeatActivity,
  startActivity,
} from '../src/core/activity.ts';
import type { ActivityRef } from '../src/core/input.ts';
import type { Command, Failure } from '../src/core/proto.ts';
import type { RunState } from '../src/core/state.ts';
import { durationOf, longOf, msOfDuration } from '../src/core/time.ts';
import { DraftDriver, payloadsOf } from './draft-driver.ts';

export type Attributes = NonNullable<Command['scheduleActivityTaskCommandAttributes']>;

export const command = (changes: Attributes = {}): Command => ({
  scheduleActivityTaskCommandAttributes: {
    activityId: 'a',
    activityType: { name: 'Charge' },
    taskQueue: { name: 'main' },
    startToCloseTimeout: durationOf(10_000),
    ...changes,
  },
});
export const appFailure = (changes: object = {}): Failure => ({
  message: 'declined',
  applicationFailureInfo: { type: 'Declined', ...changes },
});

export class Activities extends DraftDriver {
  static scheduled(changes: Attributes = {}, state: Partial<RunState> = {}): Activities {
    const run = new Activities(state);
    run.accept(scheduleActivity, command(changes));
    return run;
  }

  static started(changes: Attributes = {}, processId?: string): Activities {
    const run = Activities.scheduled(changes);
    run.start(processId);
    return run;
  }

  start(processId?: string, requestId = 'poll') {
    const { scheduledEventId, stamp } = this.activity;
    return this.input(startActivity, {
      kind: 'startActivity',
      scheduledEventId,
      stamp,
      requestId,
      identity: 'worker-1',
      ...(processId && { processId }),
    });
  }

  get ref(): ActivityRef {
    const { scheduledEventId, attempt, stamp } = this.activity;
    return { by: 'token', token: { scheduledEventId, attempt, stamp } };
  }

  fail(failure: Failure | null = appFailure(), ref = this.ref) {
    return this.input(failActivity, {
      kind: 'failActivity',
      activity: ref,
      failure,
      identity: 'w',
    });
  }

  complete(ref = this.ref) {
    return this.input(completeActivity, {
      kind: 'completeActivity',
      activity: ref,
      result: payloadsOf('done'),
      identity: 'w',
    });
  }

  heartbeat(ref = this.ref, details = 'half') {
    return this.input(heartbeatActivity, {
      kind: 'heartbeatActivity',
      activity: ref,
      details: payloadsOf(details),
      identity: 'w',
    });
  }

  requestCancel(scheduledEventId = this.activity.scheduledEventId) {
    return this.command(requestCancelActivity, {
      requestCancelActivityTaskCommandAttributes: { scheduledEventId: longOf(scheduledEventId) },
    });
  }

  expire(at: number): void {
    this.now = at;
    this.step((draft) => expireActivities(draft));
  }

  get timeouts(): number[] {
    const attributes = this.last.events[0]?.activityTaskScheduledEventAttributes;
    return [
      attributes?.scheduleToCloseTimeout,
      attributes?.scheduleToStartTimeout,
      attributes?.startToCloseTimeout,
      attributes?.heartbeatTimeout,
    ].map((span) => (span ? msOfDuration(span) : -1));
  }
}

export const timeoutOf = (run: Activities) => {
  const attributes = run.last.events.find(
    (event) => event.activityTaskTimedOutEventAttributes,
  )?.activityTaskTimedOutEventAttributes;
  return {
    type: attributes?.failure?.timeoutFailureInfo?.timeoutType,
    retryState: attributes?.retryState,
    failure: attributes?.failure,
  };
};
