/** Options of pending activities that an operator changes, or sets back to those it was scheduled with (AC-15). */
import { activityTimeouts } from './activity-commands.ts';
import type { ActivityOptionField, WireActivityOptions } from './activity-option-field.ts';
import { refuse } from './answer.ts';
import type { Refused } from './answer.ts';
import type { Draft, Mutable } from './draft.ts';
import { checkTaskQueue } from './id-length.ts';
import {
  policyDelayMs,
  retryPolicyFromWire,
  retryPolicyToWire,
  validateRetryPolicy,
} from './retry.ts';
import type { ActivityInfo } from './state.ts';
import { durationOf } from './time.ts';

export function activityOptionsOf(activity: ActivityInfo): WireActivityOptions {
  return {
    taskQueue: { name: activity.taskQueue },
    scheduleToCloseTimeout: durationOf(activity.scheduleToCloseMs),
    scheduleToStartTimeout: durationOf(activity.scheduleToStartMs),
    startToCloseTimeout: durationOf(activity.startToCloseMs),
    heartbeatTimeout: durationOf(activity.heartbeatMs),
    retryPolicy: retryPolicyToWire({ ...activity.retryPolicy, nonRetryableErrorTypes: [] }),
    ...(activity.priority && { priority: activity.priority }),
  };
}

/** Undefined: done. */
export function mergeOptions(
  draft: Draft,
  activity: Mutable<ActivityInfo>,
  options: WireActivityOptions,
  fields: readonly ActivityOptionField[],
): Refused | undefined {
  const merged: { -readonly [Key in keyof WireActivityOptions]: WireActivityOptions[Key] } =
    activityOptionsOf(activity);
  for (const field of fields) {
    const [whole, part] = field.split('.') as [
      'taskQueue' | 'priority' | 'retryPolicy',
      string | undefined,
    ];
    if (part === undefined) {
      if (field === 'retryPolicy' && !options.retryPolicy) return notProvided(field);
      Object.assign(merged, { [whole]: options[whole] ?? null });
      continue;
    }
    const given = options[whole] as Readonly<Record<string, unknown>> | null | undefined;
    if (!given) return notProvided(whole);
    Object.assign(merged, { [whole]: { ...merged[whole], [part]: given[part] ?? null } });
  }
  const problem =
    checkTaskQueue(merged.taskQueue?.name ?? '', draft.env.limits) ??
    validateRetryPolicy(retryPolicyFromWire(merged.retryPolicy)) ??
    ((merged.priority?.priorityKey ?? 0) < 0 ? "priority key can't be negative" : undefined);
  if (problem !== undefined) return refuse('INVALID_ARGUMENT', problem);
  const { activityId, activityType } = activity;
  // As the server: changed, they are not cut to the run's timeout, which ends them anyway.
  const timeouts = activityTimeouts(
    { ...merged, activityId, activityType: { name: activityType } },
    0,
  );
  if (typeof timeouts === 'string') return refuse('INVALID_ARGUMENT', timeouts);
  const { nonRetryableErrorTypes } = activity.retryPolicy;
  const retryPolicy = retryPolicyFromWire(merged.retryPolicy);
  set(draft, activity, {
    ...timeouts,
    taskQueue: merged.taskQueue?.name ?? '',
    priority: merged.priority ?? undefined,
    retryPolicy: fields.includes('retryPolicy')
      ? retryPolicy
      : { ...retryPolicy, nonRetryableErrorTypes },
  });
  return undefined;
}

/** What its scheduled event says, which was checked and filled in when it was written. */
export function restoreOptions(
  draft: Draft,
  activity: Mutable<ActivityInfo>,
  original: WireActivityOptions,
): void {
  const { activityId, activityType } = activity;
  const timeouts = activityTimeouts(
    { ...original, activityId, activityType: { name: activityType } },
    0,
  );
  if (typeof timeouts === 'string') return;
  set(draft, activity, {
    ...timeouts,
    taskQueue: original.taskQueue?.name ?? activity.taskQueue,
    priority: original.priority ?? undefined,
    retryPolicy: retryPolicyFromWire(original.retryPolicy),
  });
}

/** While it backs off, a changed policy says anew when the next attempt is due. */
function set(
  draft: Draft,
  activity: Mutable<ActivityInfo>,
  options: Pick<
    ActivityInfo,
    | 'taskQueue'
    | 'scheduleToCloseMs'
    | 'scheduleToStartMs'
    | 'startToCloseMs'
    | 'heartbeatMs'
    | 'priority'
    | 'retryPolicy'
  >,
): void {
  const before = policyDelayMs(activity.retryPolicy, activity.attempt - 1);
  Object.assign(activity, options);
  const backsOff = activity.startedTime === 0 && activity.attempt > 1;
  if (!backsOff || activity.scheduledTime <= draft.now) return;
  const delayMs = policyDelayMs(activity.retryPolicy, activity.attempt - 1);
  if (delayMs !== before) activity.scheduledTime = activity.lastAttemptCompleteTime + delayMs;
}

function notProvided(field: string): Refused {
  const name = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  return refuse('INVALID_ARGUMENT', `${name} is not provided`);
}
