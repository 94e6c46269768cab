/**
 * The code of the tasks that run while processes are killed. Each step writes what it was given to the ledger and comes
 * to a token that is new each time it runs; the result holds the tokens and the order in which the code saw things
 * happen, so that a re-drive which took another answer, or another order, shows.
 */
import { randomUUID } from 'node:crypto';
import {
  all,
  ActivityFailure,
  ApplicationFailure,
  AsyncTask,
  signal,
  sleep,
  step,
  type AnyAsyncTask,
  type StepContext,
  type StepOptions,
} from '../../src/index.ts';
import { singleKey } from '../../src/tasks/task-kind.ts';
import type { LedgerEntry, LineFile } from './journal.ts';
import { failingAttempts, signalName, type WorkParams, type WorkResult } from './workloads.ts';

type Tokens = Record<string, string>;

export function makeTasks(ledger: LineFile<LedgerEntry>): AnyAsyncTask[] {
  /** What a step does: the ledger says when it starts, what it was given, and how it ends. */
  async function act(
    { taskId, waits }: WorkParams,
    key: string,
    at: number,
    inputs: unknown,
    { attempt, idempotencyKey }: StepContext,
  ): Promise<string> {
    const entry = { pid: process.pid, taskId, key, attempt, idempotencyKey };
    ledger.write({ what: 'start', at: Date.now(), ...entry, inputs });
    const ms = waits[at] ?? 0;
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    if (key === 'shaky' && attempt <= failingAttempts) {
      ledger.write({ what: 'fail', at: Date.now(), ...entry });
      throw new ApplicationFailure('shaky again', 'Shaky');
    }
    const token = randomUUID();
    ledger.write({ what: 'finish', at: Date.now(), ...entry, token });
    return token;
  }

  function* noted(
    params: WorkParams,
    key: string,
    at: number,
    tokens: Tokens,
    inputs: unknown,
    options?: StepOptions,
  ): Generator<unknown, void, unknown> {
    // What the code knew when it asked, not what it will know when the step runs.
    const given = structuredClone(inputs);
    tokens[key] = (yield* step(
      key,
      (context) => act(params, key, at, given, context),
      options,
    ) as Iterable<unknown>) as string;
  }

  function* ordered(
    name: string,
    order: string[],
    branch: Iterable<unknown>,
  ): Generator<unknown, unknown, unknown> {
    const value: unknown = yield* branch as Generator<unknown, unknown, unknown>;
    order.push(name);
    return value;
  }

  function task(
    name: string,
    code: (
      params: WorkParams,
      tokens: Tokens,
      order: string[],
    ) => Generator<unknown, Partial<WorkResult>, unknown>,
  ): AnyAsyncTask {
    return new AsyncTask({
      name,
      task: function* (params: WorkParams): Generator<unknown, WorkResult, unknown> {
        const tokens: Tokens = {};
        const order: string[] = [];
        const rest = yield* code(params, tokens, order);
        return { tokens, order, ...rest };
      },
    });
  }

  return [
    task('five', function* (params, tokens) {
      for (const [at, key] of ['one', 'two', 'three', 'four', 'five'].entries()) {
        yield* noted(params, key, at, tokens, tokens);
      }
      return {};
    }),
    task('parallel', function* (params, tokens, order) {
      yield* all(
        ['slow', 'fast', 'middle'].map((key, at) =>
          ordered(key, order, noted(params, key, at, tokens, {})),
        ),
      );
      yield* noted(params, 'after', 3, tokens, { tokens, order });
      return {};
    }),
    task('signalled', function* (params, tokens) {
      yield* noted(params, 'ask', 0, tokens, {});
      const answer = yield* signal(signalName);
      yield* noted(params, 'use', 1, tokens, { tokens, answer });
      return { answer };
    }),
    task('sleeper', function* (params, tokens, order) {
      yield* all([
        ordered('sleep', order, sleep(params.waits[1] ?? 1)),
        ordered('work', order, noted(params, 'work', 0, tokens, {})),
      ]);
      yield* noted(params, 'after', 2, tokens, { tokens, order });
      return {};
    }),
    task('contest', function* (params, tokens, order) {
      const [answer] = yield* all([
        ordered('signal', order, signal(signalName)),
        ordered('work', order, noted(params, 'work', 0, tokens, {})),
        ordered('sleep', order, sleep(params.waits[1] ?? 1)),
      ]);
      yield* noted(params, 'after', 2, tokens, { tokens, order, answer });
      return { answer };
    }),
    task('retries', function* (params, tokens) {
      yield* noted(
        params,
        'shaky',
        0,
        tokens,
        {},
        {
          retryPolicy: { maxRetries: 6, initialDelay: 15, backoffMultiplier: 1 },
        },
      );
      yield* noted(params, 'after', 1, tokens, tokens);
      return {};
    }),
    task('once', function* (params, tokens) {
      let lost: string | undefined;
      try {
        yield* noted(params, 'single', 0, tokens, {}, { retryPolicy: { maxRetries: 0 } });
      } catch (error) {
        const cause = error instanceof ActivityFailure ? error.cause : error;
        lost = cause instanceof ApplicationFailure ? (cause.type ?? cause.message) : String(cause);
      }
      yield* noted(params, 'after', 1, tokens, { tokens, lost });
      return lost === undefined ? {} : { lost };
    }),
    new AsyncTask({
      name: 'lone',
      task: async (params: WorkParams, context: StepContext): Promise<WorkResult> => ({
        tokens: { [singleKey]: await act(params, singleKey, 0, {}, context) },
        order: [],
      }),
    }),
  ];
}
