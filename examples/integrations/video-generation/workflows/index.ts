/**
 * One video: a job is started at the provider and polled until it is done. Signals hurry it, or stop it early with what
 * is rendered; a cancellation stops it too, so that nobody pays for what nobody waits for.
 */
import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from '../activities/index.ts';
import type { VideoJob, VideoRequest } from '../provider-client.ts';

const { startVideoJob, pollVideoJob, hurryVideoJob, stopVideoJob } = proxyActivities<
  typeof activities
>({ startToCloseTimeout: '30 seconds', retry: { initialInterval: '100ms', maximumAttempts: 5 } });

export const hurrySignal = defineSignal('hurry');
export const stopEarlySignal = defineSignal('stopEarly');
export const progressQuery = defineQuery<number>('progress');

export interface VideoInput extends VideoRequest {
  /** Between two polls. */
  readonly everyMs: number;
}

export async function videoGenerationWorkflow(input: VideoInput): Promise<VideoJob> {
  const { prompt, seconds, everyMs } = input;
  const asked = { hurry: false, stop: false };
  let hurried = false;
  let rendered = 0;
  setHandler(hurrySignal, () => {
    asked.hurry = true;
  });
  setHandler(stopEarlySignal, () => {
    asked.stop = true;
  });
  setHandler(progressQuery, () => rendered / seconds);

  const id = await startVideoJob({ prompt, seconds, key: workflowInfo().workflowId });
  try {
    for (;;) {
      if (asked.stop) return await stopVideoJob(id);
      if (asked.hurry && !hurried) {
        await hurryVideoJob(id);
        hurried = true;
      }
      const job = await pollVideoJob(id);
      rendered = job.seconds;
      if (job.state !== 'rendering') return job;
      await condition(() => asked.stop || (asked.hurry && !hurried), everyMs);
    }
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => stopVideoJob(id));
    throw error;
  }
}
