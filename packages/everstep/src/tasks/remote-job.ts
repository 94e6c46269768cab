/**
 * A job at a provider: submit it, keep its id, wait until it is done. The id is a step's result, so once it is
 * kept the job is never submitted again. Waiting is one step whose "not yet" is a failure that is tried again: it
 * resumes after a crash, holds no slot between two polls and writes no history for them.
 */
import { ApplicationFailure } from '@temporalio/common';
import { retryPolicyProblem, type RetryPolicy, type StepContext } from './definition.ts';
import { durationMsMax, parseDuration, shown, type Duration } from './duration.ts';
import { isFields, unknownField } from './known-fields.ts';
import { retryAfterMs } from './retry-after.ts';
import { internalStep, race, signal } from './steps.ts';
import { TaskCodeError } from './task-errors.ts';
import { notYetType } from './task-status.ts';
import { isSignedWebhook, webhookSignalName } from './webhook.ts';

/** What a poll found. */
export type PollResult<TValue> =
  | { readonly done: true; readonly value: TValue }
  | {
      readonly done: false;
      /** Poll again after that long instead of `every`. */
      readonly retryAfterMs?: number;
      /** The same as the provider says it: the Retry-After header, seconds or a date. */
      readonly retryAfter?: string | null;
    };

export interface RemoteJobOptions<TJob, TValue> {
  /** The step's key. */
  readonly key: string;
  /** Starts the job and returns its id, or what else finds it again. Give the provider `context.idempotencyKey`. */
  readonly submit: (context: StepContext) => TJob | PromiseLike<TJob>;
  /**
   * Finds the job that an earlier try of `submit` may have started before its id was kept; null or undefined when
   * there is none. Asked before each submit, as a crash leaves no trace of the first try.
   */
  readonly lookup?: (
    context: StepContext,
  ) => TJob | null | undefined | PromiseLike<TJob | null | undefined>;
  /** Asks once. An error is tried again like "not yet"; ApplicationFailure.nonRetryable ends the step. */
  readonly poll: (
    job: TJob,
    context: StepContext,
  ) => PollResult<TValue> | PromiseLike<PollResult<TValue>>;
  /** Between two polls: ms or a string such as `'10s'`. */
  readonly every: Duration;
  /** The longest wait, from the first poll on. */
  readonly timeout: Duration;
  /**
   * Of `submit`, as of any step; the task's by default. Of errors of `poll` its delays and `nonRetryable`: how often
   * it is asked again is bounded by `timeout` alone.
   */
  readonly retryPolicy?: RetryPolicy;
  /** Ends a wait early: a signed webhook, handed in by `task.webhook(taskId, key, …)`, makes it poll at once. */
  readonly webhook?: { readonly secret: string };
}

/** A poll that hangs is given up and counts as an error. */
const pollMsMax = 60_000;

/**
 * `const image = yield* remoteJob({ key: 'render', submit, poll, every: '5s', timeout: '20m' })`
 *
 * Options that cannot be (REMOTE_JOB_INVALID) let the task wait for corrected code, as those of any step do.
 *
 * @throws ActivityFailure when the job could not be submitted, or was not done in time.
 */
export function* remoteJob<TJob, TValue>(
  options: RemoteJobOptions<TJob, TValue>,
  // oxlint-disable-next-line typescript/no-explicit-any -- what a yield returns is the operation's
): Generator<unknown, TValue, any> {
  const everyMs = checked(options);
  const { key, submit, lookup, poll, retryPolicy, webhook } = options;
  const timeoutMs = span('timeout', options.timeout, key);
  const job = yield* internalStep(
    `${key}#submit`,
    async (context) => {
      const found = lookup === undefined ? undefined : await lookup(context);
      return (found ?? (await submit(context))) as TJob;
    },
    retryPolicy === undefined ? {} : { retryPolicy },
  );
  const wait = () =>
    internalStep<TValue>(`${key}#poll`, (context) => polled(poll, job, context, everyMs, key), {
      retryPolicy: pollPolicy(everyMs, retryPolicy),
      timeouts: { scheduleToClose: timeoutMs, startToClose: Math.min(pollMsMax, timeoutMs) },
    });
  if (webhook === undefined) return (yield* wait()) as TValue;
  for (;;) {
    const first = yield* race([wait(), signedWebhook(key, webhook.secret)]);
    if (first.index === 0) return first.value as TValue;
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- what a yield returns is the operation's
function* signedWebhook(key: string, secret: string): Generator<unknown, void, any> {
  for (;;) {
    const value = yield* signal(webhookSignalName(key));
    if (isSignedWebhook(secret, value)) return;
  }
}

async function polled<TJob, TValue>(
  poll: RemoteJobOptions<TJob, TValue>['poll'],
  job: TJob,
  context: StepContext,
  everyMs: number,
  key: string,
): Promise<TValue> {
  const result = await poll(job, context);
  if (result?.done === true) return result.value;
  if (result?.done !== false) {
    throw ApplicationFailure.nonRetryable(
      `poll of remoteJob "${key}" returned ${shown(result)}; expected { done: true, value } or { done: false, retryAfterMs? }.`,
      'REMOTE_JOB_INVALID',
    );
  }
  throw ApplicationFailure.create({
    message: `The remote job of "${key}" is not done yet.`,
    type: notYetType,
    nextRetryDelay: nextPollMs(result, everyMs),
  });
}

function nextPollMs(
  result: Extract<PollResult<unknown>, { done: false }>,
  everyMs: number,
): number {
  const asked = result.retryAfterMs ?? retryAfterMs(result.retryAfter);
  const usable = typeof asked === 'number' && asked >= 0 && asked <= durationMsMax;
  // 0 would be "no delay given" on the wire.
  return usable ? Math.max(1, Math.round(asked)) : everyMs;
}

/** "Not yet" brings its own delay, so the policy's are for errors. */
function pollPolicy(everyMs: number, over: RetryPolicy = {}): RetryPolicy {
  const initialDelay = over.initialDelay ?? Math.min(everyMs, msOf(over.maxDelay ?? everyMs));
  const longest = Math.max(Math.min(everyMs * 10, durationMsMax), msOf(initialDelay));
  return { ...over, initialDelay, maxDelay: over.maxDelay ?? longest, maxRetries: Infinity };
}

/** Of a span that was checked. */
function msOf(span: Duration): number {
  const parsed = parseDuration(span, 0);
  return parsed.problem === undefined ? parsed.ms : 0;
}

const fields = [
  'key',
  'submit',
  'lookup',
  'poll',
  'every',
  'timeout',
  'retryPolicy',
  'webhook',
] as const satisfies readonly (keyof RemoteJobOptions<unknown, unknown>)[];

function checked<TJob, TValue>(options: RemoteJobOptions<TJob, TValue>): number {
  if (!isFields(options)) {
    throw invalid(undefined, `the options are ${shown(options)}; expected an object`);
  }
  const { key, submit, lookup, poll, retryPolicy, webhook } = options;
  const odd = unknownField(options, fields);
  if (odd !== undefined) throw invalid(key, odd);
  if (typeof key !== 'string' || key === '' || key.includes('#')) {
    throw invalid(key, `key is ${shown(key)}; expected a name without "#"`);
  }
  for (const [field, value] of Object.entries({ submit, poll, ...(lookup && { lookup }) })) {
    if (typeof value !== 'function') {
      throw invalid(key, `${field} is ${shown(value)}; expected a function`);
    }
  }
  if (webhook !== undefined) {
    if (typeof webhook?.secret !== 'string' || webhook.secret === '') {
      throw invalid(key, 'webhook has no secret; expected { secret: string }');
    }
    const oddOfWebhook = unknownField(webhook, ['secret']);
    if (oddOfWebhook !== undefined) throw invalid(key, `webhook.${oddOfWebhook}`);
  }
  const problem = retryPolicyProblem(retryPolicy);
  if (problem !== undefined) throw invalid(key, problem);
  return span('every', options.every, key);
}

function span(field: string, value: Duration, key: string): number {
  const parsed = parseDuration(value, 1);
  if (parsed.problem !== undefined) throw invalid(key, `${field} ${parsed.problem}`);
  return parsed.ms;
}

function invalid(key: unknown, problem: string): TaskCodeError {
  const which = key === undefined ? '' : ` ${shown(key)}`;
  return new TaskCodeError('REMOTE_JOB_INVALID', `remoteJob${which}: ${problem}`);
}
