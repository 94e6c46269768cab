/** What the workflows call. They know nothing of Everstep. */
import { ApplicationFailure, Context, heartbeat, sleep } from '@temporalio/activity';

export interface TestInput {
  readonly taskId: string;
  readonly data: string;
}

export interface TestResult {
  readonly taskId: string;
  readonly result: string;
  readonly attempt: number;
}

export async function processAsyncTask({ taskId, data }: TestInput): Promise<TestResult> {
  return { taskId, result: data.toUpperCase(), attempt: Context.current().info.attempt };
}

/** Beats after each part, so that a worker which dies is noticed, and goes on at the part that was reached. */
export async function simulateLongRunningTask(input: {
  readonly parts: number;
  readonly partMs: number;
}): Promise<number> {
  const reached = Context.current().info.heartbeatDetails as number | undefined;
  for (let part = reached ?? 0; part < input.parts; part += 1) {
    await sleep(input.partMs);
    heartbeat(part + 1);
  }
  return input.parts;
}

/** Fails that many times, then works. */
export async function unstableTask({ failures }: { readonly failures: number }): Promise<number> {
  const { attempt } = Context.current().info;
  if (attempt <= failures)
    throw ApplicationFailure.retryable(`attempt ${attempt} failed`, 'Unstable');
  return attempt;
}
