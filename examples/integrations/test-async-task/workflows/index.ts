/** Workflows of the official SDK, as they would be for a Temporal server. */
import { defineQuery, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import type * as activities from '../activities/index.ts';
import type { TestInput, TestResult } from '../activities/index.ts';

const { processAsyncTask, simulateLongRunningTask, unstableTask } = proxyActivities<
  typeof activities
>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '50ms', maximumAttempts: 5 },
});

export const progressQuery = defineQuery<string>('progress');

export async function simpleTestWorkflow(input: TestInput): Promise<TestResult> {
  return processAsyncTask(input);
}

export async function delayedTestWorkflow(
  input: TestInput & { readonly delayMs: number },
): Promise<TestResult> {
  await sleep(input.delayMs);
  return processAsyncTask(input);
}

/** One part after another, with one that works at the third try between them. */
export async function multiStepTestWorkflow({
  taskId,
  parts,
}: {
  readonly taskId: string;
  readonly parts: readonly string[];
}): Promise<{ readonly results: readonly string[]; readonly attempts: number }> {
  const results: string[] = [];
  for (const data of parts) results.push((await processAsyncTask({ taskId, data })).result);
  const attempts = await unstableTask({ failures: 2 });
  return { results, attempts };
}

export async function longRunningTestWorkflow(input: {
  readonly parts: number;
  readonly partMs: number;
}): Promise<string> {
  let progress = 'started';
  setHandler(progressQuery, () => progress);
  const parts = await simulateLongRunningTask(input);
  progress = `${parts} parts`;
  await sleep(10);
  return progress;
}
