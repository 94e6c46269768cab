/** The activities of the model: when they are over by themselves, and what a worker's answer does. */
import type { ModelActivity, ModelFailure, ModelRun } from './model-run.ts';

/** AC-9. */
export function activityDeadlines(activity: ModelActivity): [type: string, at: number][] {
  const { scheduledAt, startedAt, firstScheduledAt, heartbeatAt } = activity;
  // Where two are due at once, the first of this list counts.
  const spans: [type: string, from: number | undefined, span: number][] = [
    ['START_TO_CLOSE', startedAt, activity.startToClose],
    [
      'SCHEDULE_TO_START',
      startedAt === undefined ? scheduledAt : undefined,
      activity.scheduleToStart,
    ],
    ['SCHEDULE_TO_CLOSE', firstScheduledAt, activity.scheduleToClose],
    ['HEARTBEAT', startedAt && Math.max(startedAt, heartbeatAt), activity.heartbeat],
  ];
  return spans.flatMap(([type, from, span]) =>
    from === undefined || span === 0 ? [] : [[type, from + span]],
  );
}

/** The code of the answer (AC-5 … AC-14). */
export function answerActivity(
  run: ModelRun,
  activity: ModelActivity,
  answer: string,
  failure: ModelFailure,
  now: number,
): string {
  switch (answer) {
    case 'heartbeat':
      activity.heartbeatAt = now;
      return 'OK';
    case 'complete':
      activity.startedAt ??= now;
      run.closeActivity(activity, 'ActivityTaskCompleted', {}, now);
      return 'OK';
    case 'cancel': {
      const latestCancelRequestedEventId = activity.cancelRequested;
      if (latestCancelRequestedEventId === 0) return 'INVALID_ARGUMENT';
      run.closeActivity(activity, 'ActivityTaskCanceled', { latestCancelRequestedEventId }, now);
      return 'OK';
    }
    default: {
      const retryState = run.retryActivity(activity, failure, now);
      if (retryState) run.closeActivity(activity, 'ActivityTaskFailed', { retryState }, now);
      return 'OK';
    }
  }
}
