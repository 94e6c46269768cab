/** The options of an activity as the wire has them, and those that may be changed while it is pending (AC-15). */
import type { temporal } from '@temporalio/proto';

export type WireActivityOptions = temporal.api.activity.v1.IActivityOptions;

/** As a field mask names them, in camel case. */
export const activityOptionFields = [
  'taskQueue.name',
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'startToCloseTimeout',
  'heartbeatTimeout',
  'priority',
  'priority.priorityKey',
  'priority.fairnessKey',
  'priority.fairnessWeight',
  'retryPolicy',
  'retryPolicy.initialInterval',
  'retryPolicy.backoffCoefficient',
  'retryPolicy.maximumInterval',
  'retryPolicy.maximumAttempts',
] as const;
export type ActivityOptionField = (typeof activityOptionFields)[number];

/** By scheduled event id, as their events have them; one that is missing keeps what it has. */
export type OriginalOptions = Readonly<Record<number, WireActivityOptions>>;
