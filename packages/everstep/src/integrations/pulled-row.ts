/**
 * One row from its fetch to its report: started under its own id, waited for, reported. Each of the three is repeated
 * until it succeeds or the puller stops. Nothing is kept about the row: fetched again, it finds its task by the id.
 */
import type { Clock } from '../service/clock.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import type { TaskStatus } from '../tasks/task-status.ts';
import { grpcCode, grpcCodeOf } from '../tasks/task-client.ts';
import { delayMs, pause, within } from './pull-call.ts';
import type { PullerSettings, TaskPullerOptions } from './puller-options.ts';

export interface RowLife<TRow, TParams, TResult, TInput> {
  readonly options: TaskPullerOptions<TRow, TParams, TResult, TInput>;
  readonly settings: PullerSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted at once when the puller stops. */
  readonly following: AbortSignal;
  /** Aborted when the grace period of the stop is over. */
  readonly reporting: AbortSignal;
  /** The task is there, by this start or by one before. */
  readonly onStarted: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** `left`: the puller stopped, or the task is no longer kept; the row is fetched again. */
export type RowEnd = 'reported' | 'rejected' | 'left';

/** A long poll on a connection that died without a word is given up after that long, and begun again. */
const followMs = 5 * 60_000;

/** What no repetition mends: the row is not to become a task. */
const refusals: ReadonlySet<string> = new Set([
  'TASK_ID_INVALID',
  'TASK_ID_CONFLICT',
  'TASK_PARAMS_INVALID',
  'TASK_PARAMS_NOT_SERIALIZABLE',
  'TASK_PARAMS_TOO_LARGE',
  'SUBMIT_OPTIONS_INVALID',
]);

/** @param onTried The first try of its start is over. Never rejects. */
export async function carryRow<TRow, TParams, TResult, TInput>(
  life: RowLife<TRow, TParams, TResult, TInput>,
  row: TRow,
  taskId: string,
  onTried: () => void,
): Promise<RowEnd> {
  const { options, clock, settings, following, reporting, onStarted } = life;
  const { task, name } = options;
  const { callTimeoutMs } = settings;
  let refusal: Error | undefined;
  const starting = `The start of ${taskId}`;
  const started = await repeated(life, starting, following, async () => {
    try {
      await within(clock, starting, callTimeoutMs, following, () => submitted(life, row, taskId));
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal = error;
      return true;
    } finally {
      onTried();
    }
  });
  if (started === undefined) return 'left';
  if (refusal) return rejected(life, row, refusal, taskId);
  onStarted();
  const status = await repeated(life, `Waiting for ${taskId}`, following, () =>
    endOf(life, taskId),
  );
  if (status === undefined || status.status === 'not_found') return 'left';
  if (!options.report) return 'reported';
  const what = `report() of puller "${name}" for ${taskId}`;
  const done = await repeated(life, what, reporting, async () => {
    await within(clock, what, callTimeoutMs, reporting, async (signal) =>
      options.report?.(row, status, signal),
    );
    return true;
  });
  return done === true ? 'reported' : 'left';

  async function endOf(
    { following: signal }: Pick<typeof life, 'following'>,
    id: string,
  ): Promise<TaskStatus<TResult>> {
    for (;;) {
      try {
        await task.result(id, { timeout: followMs, signal });
      } catch (error) {
        const code = error instanceof EverstepError ? error.code : undefined;
        if (code === 'RESULT_TIMEOUT') continue;
        if (code !== 'TASK_FAILED' && code !== 'TASK_CANCELLED' && code !== 'TASK_NOT_FOUND') {
          throw error;
        }
      }
      const asking = `The status of ${id}`;
      return within(clock, asking, callTimeoutMs, signal, () => task.getStatus(id));
    }
  }
}

/** What the puller's own code, or the row, makes of it; asked of the user's system at most once a look. */
export async function rejected<TRow, TParams, TResult, TInput>(
  life: RowLife<TRow, TParams, TResult, TInput>,
  row: TRow,
  error: Error,
  taskId: string | undefined,
): Promise<RowEnd> {
  const { options, logger, clock, settings, reporting, onFailure } = life;
  const { name } = options;
  onFailure(error);
  logger.error(`A row of puller "${name}" cannot become a task: ${error.message}`, {
    puller: name,
    taskId,
  });
  if (!options.reject) return 'rejected';
  const what = `reject() of puller "${name}"`;
  try {
    await within(clock, what, settings.callTimeoutMs, reporting, async (signal) =>
      options.reject?.(row, error, signal),
    );
  } catch (cause) {
    onFailure(cause);
    logger.warn(`${what} failed; it is called again when the row is fetched again`, {
      puller: name,
      taskId,
      error: cause,
    });
  }
  return 'rejected';
}

async function submitted<TRow, TParams, TResult, TInput>(
  { options }: RowLife<TRow, TParams, TResult, TInput>,
  row: TRow,
  taskId: string,
): Promise<void> {
  let params;
  try {
    params = options.params(row);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EverstepError(
      'TASK_PARAMS_INVALID',
      `params() of puller "${options.name}" threw for ${taskId}: ${why}`,
      { cause, taskId },
    );
  }
  await options.task.submit(params, { taskId });
}

function isRefusal(error: unknown): error is Error {
  if (!(error instanceof EverstepError)) return false;
  return refusals.has(error.code) || grpcCodeOf(error) === grpcCode.invalidArgument;
}

/** Undefined when the signal was aborted first. */
async function repeated<T, TRow, TParams, TResult, TInput>(
  life: RowLife<TRow, TParams, TResult, TInput>,
  what: string,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted) return undefined;
      life.onFailure(error);
      const level = failures === 1 ? 'warn' : 'debug';
      life.logger[level](`${what} failed; it is tried again until it succeeds`, {
        puller: life.options.name,
        failures,
        error,
      });
      await pause(life.clock, delayMs(life.settings.retry, failures), signal);
    }
  }
  return undefined;
}
