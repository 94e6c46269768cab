/** Ids, types, queue names and identities: lengths in UTF-8 bytes (section 14), and what no store keeps. */
import type { Limits } from './limits.ts';
import { utf8Bytes } from './payload-size.ts';
import type { TaskQueue } from './proto.ts';

export function idTooLong(value: string, limits: Limits): boolean {
  // A UTF-16 unit is at most 3 bytes: most ids need no counting.
  return value.length * 3 > limits.idBytesMax && utf8Bytes(value) > limits.idBytesMax;
}

/** Holds NUL, where SQLite ends a text, or a lone surrogate, which has no UTF-8: two such ids may be stored as one. */
export function idNotStorable(value: string): boolean {
  return /[\0\p{Surrogate}]/u.test(value);
}

/** The problem in words, or undefined. `field` reads like `activityId`. */
export function checkIdLength(field: string, value: string, limits: Limits): string | undefined {
  if (!idTooLong(value, limits)) return undefined;
  return `${field} exceeds length limit. Length=${utf8Bytes(value)} Limit=${limits.idBytesMax}`;
}

/** A queue a user names. The prefix is kept for the server's own queues. */
export function checkTaskQueue(name: string, limits: Limits): string | undefined {
  if (name === '') return 'missing task queue name';
  if (idTooLong(name, limits)) return 'taskQueue length exceeds limit';
  if (idNotStorable(name)) return 'taskQueue holds NUL or a lone surrogate';
  if (name.startsWith('/_sys/')) return 'task queue name cannot start with reserved prefix /_sys/';
  return undefined;
}

/** A queue without a name of its own is the run's. */
export function taskQueueName(taskQueue: TaskQueue | null | undefined, inherited: string): string {
  return taskQueue?.name || inherited;
}
