/**
 * What two targets said, made equal where it may differ: ids are numbered in the order in which they appear,
 * times are blanked, and what is the server's own business is left out.
 */
import { isRecent } from '../schedules/plain-times.ts';
import type { Plain } from './target.ts';

/** Field: why it is not compared. */
const ownBusiness: Readonly<Record<string, string>> = {
  taskId: 'the place of an event in the transfer queue',
  version: 'of replication between clusters',
  taskToken: 'opaque',
  nextPageToken: 'opaque',
  conflictToken: 'opaque',
  historySizeBytes: 'counted in the storage form of each',
  stateTransitionCount: 'counts commits, of which the embedded engine needs fewer',
  backlogCountHint: 'an estimate',
  pollerScalingDecision: 'a hint that depends on the load',
  link: 'a reference to itself for callers of other namespaces',
  links: 'the same',
  executionDuration: 'a time',
  autoResetPoints: 'of worker versioning, which is not built',
  prevAutoResetPoints: 'the same',
  BuildIds: 'the same',
  workerVersion: 'of worker versioning, which is not built',
  versioningInfo: 'the same',
};

const isoSecond = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const one = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** A batch's request id for a run holds the ids of both. */
const uuid = new RegExp(`(?:${one}:)?${one}`, 'g');

/** A fresh one for each comparison, so that the order of ids is the order of what is compared. */
export class Blanker {
  readonly #ids = new Map<string, string>();

  comparable(value: unknown, key = ''): unknown {
    if (typeof value === 'string') return this.#text(key === 'data' ? decoded(value) : value);
    if (Array.isArray(value)) return inOrder(key, value).map((item) => this.comparable(item, key));
    if (typeof value !== 'object' || value === null) return value;
    if (isTime(key, value)) return '<time>';
    if (key === 'failure' && 'serverFailureInfo' in value)
      return this.#serverFailure(value as Plain);
    // What is left of it: its nanoseconds are the machine's.
    if (key === 'currentRetryInterval') return (value as Plain)['seconds'];
    if (key === 'firstWorkflowTaskBackoff') return roughWait(value as Plain);
    if ('code' in value && 'message' in value) return this.#refusal(value as Plain);
    const entries = Object.entries(value)
      .filter(([name, field]) => !isOwnBusiness(key, name, value) && !isDefault(field))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const fields: Record<string, unknown> = {};
    for (const [index, [name, field]] of entries.entries()) {
      const shownName = key === 'queries' ? `query ${index + 1}` : this.#text(name);
      fields[shownName] = this.comparable(field, name);
    }
    return fields;
  }

  /** The text of a refusal is for people, but for the one that workers read. */
  #refusal(refusal: Plain): unknown {
    const { code, message } = refusal;
    return {
      code,
      message: message === 'UnhandledCommand' ? message : '<text>',
      details: this.comparable(refusal['details']),
    };
  }

  /** Why a command is bad is said in words of one's own; its cause is a field of the event. */
  #serverFailure(failure: Plain): unknown {
    return {
      message: '<text>',
      serverFailureInfo: this.comparable(failure['serverFailureInfo']),
      cause: this.comparable(failure['cause']),
    };
  }

  #text(value: string): string {
    // The request id of a child's start is its parent's run id and event, and on the server one thing more.
    // What a schedule starts now is named by the second.
    const timeless = value.replace(isoSecond, (time) =>
      isRecent(Date.parse(time)) ? '<now>' : time,
    );
    return timeless.replace(/(?<=:\d+):0$/, '').replace(uuid, (id) => {
      const name = this.#ids.get(id) ?? `<id ${this.#ids.size + 1}>`;
      this.#ids.set(id, name);
      return name;
    });
  }
}

/** What the server takes from a map has no order. */
function inOrder(key: string, items: readonly unknown[]): readonly unknown[] {
  if (!key.startsWith('pending')) return items;
  const place = (item: unknown): string => {
    const { activityId, initiatedId } = item as { activityId?: string; initiatedId?: string };
    return activityId ?? initiatedId ?? '';
  };
  return [...items].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** A field that is not set and one that holds its default are the same on the wire. */
function isDefault(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return true;
  if (typeof value === 'string')
    return value === '' || value === '0' || value.endsWith('_UNSPECIFIED');
  if (Array.isArray(value)) return value.length === 0;
  if (Object.keys(value as object).join() === 'BuildIds') return true;
  // The server's zero time, the year 1, where a run has no expiration.
  return typeof value === 'object' && (value as Plain)['seconds'] === '-62135596800';
}

/**
 * The server rounds the wait for a cron tick up to a second, and leaves a second between runs; the embedded engine
 * waits until the tick, and no more.
 */
function roughWait(duration: Plain): unknown {
  const seconds = Number(duration['seconds'] ?? 0) + Number(duration['nanos'] ?? 0) / 1e9;
  return seconds <= 1 ? '' : 'a while';
}

function isOwnBusiness(parent: string, name: string, siblings: object): boolean {
  // What a batch cancels or terminates, the server's own worker does, without the batch's reason.
  const { identity } = siblings as Plain;
  if ((name === 'identity' || name === 'cause') && isOfBatch(identity)) return true;
  // A field of a later version of the contract than the server's.
  if (parent === 'workflowExecutionSignaledEventAttributes' && name === 'requestId') return true;
  // Polls make up their own; a reset and an inline task write a fixed word there.
  if (parent === 'workflowTaskStartedEventAttributes' && name === 'requestId') return true;
  // No timeout is an absent field or a duration of zero, depending on where it went through.
  if (name === 'workflowRunTimeout') return Object.keys(record(siblings, name)).length === 0;
  if (name === 'firstWorkflowTaskBackoff') return roughWait(record(siblings, name)) === '';
  // The server describes the workflow task that a run had when it was terminated.
  if (name === 'pendingWorkflowTask') return isClosed(siblings);
  // The server does not describe it anew when an operator changes the timeouts.
  if (parent === 'pendingActivities' && name === 'expirationTime') return true;
  return name in ownBusiness;
}

/** By its identity: ours keeps that of the batch, the server's worker is a process at a machine. */
function isOfBatch(identity: unknown): boolean {
  return typeof identity === 'string' && (identity === 'batch client' || /^\d+@/.test(identity));
}

function isClosed(description: object): boolean {
  const info = (description as Plain)['workflowExecutionInfo'] as Plain | undefined;
  return info?.['status'] !== 'WORKFLOW_EXECUTION_STATUS_RUNNING';
}

/** Payloads hold text in these scripts; a run id may be in it. */
function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

function record(parent: object, name: string): Plain {
  return ((parent as Plain)[name] ?? {}) as Plain;
}

/** A timestamp has a name that says so; a duration has the same fields and is compared. */
function isTime(key: string, value: object): boolean {
  return (
    /time(stamp)?$/i.test(key) &&
    Object.keys(value).every((name) => name === 'seconds' || name === 'nanos')
  );
}

const differencesMax = 12;

/** Where two comparable values differ; the first ones of many. */
export function differences(ours: unknown, theirs: unknown, path = ''): string[] {
  if (Object.is(ours, theirs)) return [];
  if (!isObject(ours) || !isObject(theirs) || Array.isArray(ours) !== Array.isArray(theirs)) {
    return [`${path}: ours ${shown(ours)}, theirs ${shown(theirs)}`];
  }
  const found: string[] = [];
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    found.push(...differences(ours[key], theirs[key], path === '' ? key : `${path}.${key}`));
    if (found.length >= differencesMax) return found.slice(0, differencesMax);
  }
  return found;
}

function isObject(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 600);
}
