/** The options of a run that may be changed while it is open. */

/** As a field mask names them, in camel case. */
export const runOptionFields = [
  'priority',
  'priority.priorityKey',
  'priority.fairnessKey',
  'priority.fairnessWeight',
] as const;
export type RunOptionField = (typeof runOptionFields)[number];
