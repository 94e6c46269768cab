/** What a puller is told, checked in its constructor. */
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { AsyncTask, type SubmitParams } from '../tasks/async-task.ts';
import { parseDuration, shown, type Duration } from '../tasks/duration.ts';
import { isFields, unknownField } from '../tasks/known-fields.ts';
import type { TaskStatus } from '../tasks/task-status.ts';

export interface PollingOptions {
  /** Between two fetches while there is work; 100 ms by default. */
  readonly minInterval?: Duration;
  /** Between two fetches when there has been none for long; 30 s by default. */
  readonly maxInterval?: Duration;
  /** By which the interval grows with each empty fetch; 2 by default. */
  readonly backoffMultiplier?: number;
  /** So many empty fetches in a row come before it grows; 3 by default. */
  readonly emptyPollsBeforeBackoff?: number;
  /** New rows that one fetch is to bring at most; 10 by default. */
  readonly batchSize?: number;
}

export interface BackpressureOptions {
  /** Nothing is fetched while that much or more waits in the task's queue; 1,000 by default. */
  readonly maxBacklog?: number;
  /** How often the backlog is asked for while it is over the limit, and how old its count may be; 5 s by default. */
  readonly checkInterval?: Duration;
}

export interface PullRetryOptions {
  /** After the first failure of a call; 1 s by default. */
  readonly initialDelay?: Duration;
  /** 30 s by default. */
  readonly maxDelay?: Duration;
  /** 2 by default. */
  readonly backoffMultiplier?: number;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any input, as of AsyncTask
export interface TaskPullerOptions<TRow, TParams = unknown, TResult = unknown, TInput = any> {
  /** For logs and errors. */
  readonly name: string;
  /** What a row becomes. It is registered on a component that is started, or has a client. */
  readonly task: AsyncTask<TParams, TResult, TInput>;
  /**
   * Rows that wait, at most that many. A row that was not reported is fetched again, so that none is lost with a
   * process. Rows that the puller has already are passed over.
   */
  fetch(limit: number, signal: AbortSignal): Promise<readonly TRow[]>;
  /** The row's task id: the same each time, and no other row's. */
  taskId(row: TRow): string;
  params(row: TRow): SubmitParams<TParams, TInput>;
  /**
   * Called once a row's task has ended (`completed`, `failed` or `cancelled`), and again until it succeeds: a report
   * may come twice. Without it a row is done when its task has ended.
   */
  report?(row: TRow, status: TaskStatus<TResult>, signal: AbortSignal): Promise<void> | void;
  /** Called for a row that cannot become a task: its id or parameters are refused. It stays with the user's system. */
  reject?(row: TRow, error: Error, signal: AbortSignal): Promise<void> | void;
  /**
   * `'list'`: fetch shows what is not reported yet, the rows under way among them; it is asked for so many more.
   * `'claim'`: fetch leases what it gives to this puller; every row it gives is taken. `'list'` by default.
   */
  readonly source?: 'list' | 'claim';
  /** Rows that are started and not reported yet, at most; 1,000 by default. */
  readonly maxUnderWay?: number;
  /** How long fetch, report and reject may take, and each call of the engine; 30 s by default. */
  readonly callTimeout?: Duration;
  /** Between tries of what failed: fetch, submit, report. */
  readonly retry?: PullRetryOptions;
  readonly polling?: PollingOptions;
  /** False: fetch whatever waits in the queue. */
  readonly backpressure?: BackpressureOptions | false;
  /** By default warnings and errors on standard error. */
  readonly logger?: Logger;
}

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
}

export interface PullerSettings {
  readonly polling: Backoff & {
    readonly emptyPollsBeforeBackoff: number;
    readonly batchSize: number;
  };
  readonly backpressure:
    { readonly maxBacklog: number; readonly checkIntervalMs: number } | undefined;
  readonly retry: Backoff;
  readonly callTimeoutMs: number;
  readonly maxUnderWay: number;
  readonly claims: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const known = [
  'name',
  'task',
  'fetch',
  'taskId',
  'params',
  'report',
  'reject',
  'source',
  'maxUnderWay',
  'callTimeout',
  'retry',
  'polling',
  'backpressure',
  'logger',
];

/** @throws EverstepError PULLER_OPTIONS_INVALID */
export function pullerSettings(options: unknown): PullerSettings {
  const given = fieldsOf('the options', options, known);
  if (typeof given['name'] !== 'string' || given['name'] === '') {
    throw invalid(`name is ${shown(given['name'])}; expected a string`);
  }
  if (!(given['task'] instanceof AsyncTask)) {
    throw invalid(`task is ${shown(given['task'])}; expected an AsyncTask`);
  }
  for (const field of ['fetch', 'taskId', 'params', 'report', 'reject']) {
    const optional = field === 'report' || field === 'reject';
    const value = given[field];
    if (typeof value === 'function' || (optional && value === undefined)) continue;
    throw invalid(`${field} is ${shown(value)}; expected a function`);
  }
  const { source = 'list' } = given;
  if (source !== 'list' && source !== 'claim') {
    throw invalid(`source is ${shown(source)}; expected 'list' or 'claim'`);
  }
  return {
    polling: checkedPolling(given['polling']),
    backpressure: checkedBackpressure(given['backpressure']),
    retry: checkedRetry(given['retry']),
    callTimeoutMs: duration('callTimeout', given['callTimeout'] ?? 30_000),
    maxUnderWay: count('maxUnderWay', given['maxUnderWay'] ?? 1000),
    claims: source === 'claim',
  };
}

function checkedPolling(value: unknown = {}): PullerSettings['polling'] {
  const given = fieldsOf('polling', value, [
    'minInterval',
    'maxInterval',
    'backoffMultiplier',
    'emptyPollsBeforeBackoff',
    'batchSize',
  ]);
  return {
    ...backoffOf('polling', given, ['minInterval', 'maxInterval'], 100),
    emptyPollsBeforeBackoff: count(
      'polling.emptyPollsBeforeBackoff',
      given['emptyPollsBeforeBackoff'] ?? 3,
    ),
    batchSize: count('polling.batchSize', given['batchSize'] ?? 10),
  };
}

function checkedBackpressure(value: unknown = {}): PullerSettings['backpressure'] {
  if (value === false) return undefined;
  const given = fieldsOf('backpressure', value, ['maxBacklog', 'checkInterval']);
  return {
    maxBacklog: count('backpressure.maxBacklog', given['maxBacklog'] ?? 1000),
    checkIntervalMs: duration('backpressure.checkInterval', given['checkInterval'] ?? 5000),
  };
}

function checkedRetry(value: unknown = {}): Backoff {
  const given = fieldsOf('retry', value, ['initialDelay', 'maxDelay', 'backoffMultiplier']);
  return backoffOf('retry', given, ['initialDelay', 'maxDelay'], 1000);
}

/** The first and the longest wait stand under those names. */
function backoffOf(
  field: string,
  given: Fields,
  [first, longest]: readonly [string, string],
  firstMs: number,
): Backoff {
  const initialMs = duration(`${field}.${first}`, given[first] ?? firstMs);
  const maxMs = duration(`${field}.${longest}`, given[longest] ?? Math.max(30_000, initialMs));
  if (maxMs < initialMs) {
    throw invalid(
      `${field}.${longest} is ${maxMs} ms, less than ${field}.${first} of ${initialMs} ms; expected it to be no less`,
    );
  }
  return {
    initialMs,
    maxMs,
    multiplier: multiplier(`${field}.backoffMultiplier`, given['backoffMultiplier'] ?? 2),
  };
}

function fieldsOf(field: string, value: unknown, fields: readonly string[]): Fields {
  if (!isFields(value)) {
    throw invalid(`${field} is ${shown(value)}; expected an object with ${fields.join(', ')}`);
  }
  const odd = unknownField(value, fields);
  if (odd !== undefined) throw invalid(`${field}: ${odd}`);
  return value as Fields;
}

function duration(field: string, value: unknown): number {
  const parsed = parseDuration(value, 1);
  if (parsed.problem !== undefined) throw invalid(`${field} ${parsed.problem}`);
  return parsed.ms;
}

function count(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000_000) {
    return value;
  }
  throw invalid(`${field} is ${shown(value)}; expected a whole number from 1 to 1000000`);
}

function multiplier(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 1) return value;
  throw invalid(`${field} is ${shown(value)}; expected a number of 1 or more`);
}

function invalid(problem: string): EverstepError {
  return new EverstepError('PULLER_OPTIONS_INVALID', `TaskPuller: ${problem}.`);
}
