/** The work of one request: a job at the provider, its picture on this machine, and word of it to the web process. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure, AsyncTask, remoteJob, step } from 'everstep';
import type { ImageEvent } from './model.ts';
import { download, pollJob, submitJob } from './provider-client.ts';
import type { Settings } from './settings.ts';

export interface ImageParams {
  readonly requestId: string;
  readonly prompt: string;
}

export interface Image {
  /** On the web process. */
  readonly imageUrl: string;
}

/** A report is tried until it is heard: the web process may be away for a while. */
const untilHeard = { maxRetries: Infinity, initialDelay: 100, maxDelay: 10_000 };

export function imageTask(settings: Settings): AsyncTask<ImageParams, Image> {
  const { providerUrl } = settings;
  return new AsyncTask<ImageParams, Image>({
    name: 'generate-image',
    retryPolicy: { maxRetries: 100, initialDelay: 100, maxDelay: 10_000 },
    timeouts: { startToClose: '30s' },
    task: async function* ({ requestId, prompt }) {
      // Shielded: also a task that is cancelled tells how it ended.
      const told = (event: Omit<ImageEvent, 'requestId'>) =>
        step('report', ({ signal }) => report(settings, { requestId, ...event }, signal), {
          retryPolicy: untilHeard,
          shielded: true,
        });
      let imageUrl: string;
      try {
        const url = yield* remoteJob({
          key: 'render',
          submit: ({ idempotencyKey, signal }) =>
            submitJob(providerUrl, prompt, idempotencyKey, signal),
          poll: (jobId: string, { signal }) => pollJob(providerUrl, jobId, signal),
          every: 100,
          timeout: '10 minutes',
        });
        imageUrl = yield* step('download', async ({ signal }) =>
          kept(settings.dataFolder, `${requestId}.svg`, await download(url, signal)),
        );
      } catch (error) {
        yield* told({ status: 'failed', error: reasonOf(error) });
        throw error;
      }
      yield* told({ status: 'done', imageUrl });
      return { imageUrl };
    },
  });
}

async function report(settings: Settings, event: ImageEvent, signal: AbortSignal): Promise<void> {
  const response = await fetch(new URL('/api/custom/image-generation/report', settings.webUrl), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(settings.reportToken && { authorization: `Bearer ${settings.reportToken}` }),
    },
    body: JSON.stringify(event),
    signal,
  });
  if (response.ok) return;
  const message = `the web process answered ${response.status}: ${await response.text()}`;
  if (response.status >= 500) throw new Error(message);
  throw ApplicationFailure.nonRetryable(message);
}

/** Whole or not at all: a step that is run again writes the same file. */
async function kept(dataFolder: string, name: string, picture: Buffer): Promise<string> {
  const folder = join(dataFolder, 'images');
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(`${path}.part`, picture);
  await rename(`${path}.part`, path);
  return `/images/${name}`;
}

/** Of the step that failed; the failure around it says which step. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
