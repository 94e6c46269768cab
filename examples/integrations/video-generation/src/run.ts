/** Five videos: one to its end, one hurried, one stopped early, one cancelled, and one as an async task. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { collectIntegrationWorkflows, WorkerManager } from 'everstep';
import { videoTask } from '../index.ts';
import type { VideoJob } from '../provider-client.ts';
import type { videoGenerationWorkflow } from '../workflows/index.ts';
import { startProvider, type Provider } from './provider.ts';

export interface Outcome {
  /** What callers got, by the video's prompt. */
  readonly videos: Readonly<Record<string, string>>;
  readonly jobs: Provider['jobs'];
}

/** So long that nobody waits for its end. */
const longVideo = { seconds: 100_000, everyMs: 20 };

export async function run(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-video-'));
  const provider = await startProvider();
  process.env['VIDEO_PROVIDER_URL'] = provider.url;
  const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
  const manager = new WorkerManager({ store: `sqlite:${join(folder, 'video.db')}`, logger: quiet });
  try {
    const integrations = fileURLToPath(new URL('../..', import.meta.url));
    const options = { blacklist: ['test-*', 'image-*'], strict: true, logger: quiet };
    await manager.create(await collectIntegrationWorkflows(integrations, options));
    await manager.start();
    const videos = await generate(manager);
    return { videos, jobs: provider.jobs };
  } finally {
    await manager.stop();
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function generate(manager: WorkerManager): Promise<Readonly<Record<string, string>>> {
  const start = (prompt: string, input: { seconds: number; everyMs: number }) =>
    manager.getClient().workflow.start<typeof videoGenerationWorkflow>('videoGenerationWorkflow', {
      taskQueue: 'video-generation-tasks',
      workflowId: prompt,
      args: [{ prompt, ...input }],
    });
  const [cat, dog, bird, fish] = await Promise.all([
    start('cat', { seconds: 3, everyMs: 20 }),
    start('dog', longVideo),
    start('bird', longVideo),
    start('fish', longVideo),
  ]);
  await Promise.all([dog, bird, fish].map(underWay));
  await dog.signal('hurry');
  await bird.signal('stopEarly');
  await fish.cancel();
  const task = await videoTask.submit({ prompt: 'horse', seconds: 3 });
  const [catJob, dogJob, birdJob, fishReason, horseJob] = await Promise.all([
    cat.result(),
    dog.result(),
    bird.result(),
    fish.result().then(shown, reasonOf),
    videoTask.result(task),
  ]);
  return {
    cat: shown(catJob),
    dog: shown(dogJob),
    bird: shown(birdJob),
    fish: fishReason,
    horse: shown(horseJob),
  };
}

/** Until something of it is rendered. */
async function underWay(handle: WorkflowHandle): Promise<void> {
  while ((await handle.query<number>('progress')) === 0) await sleep(20);
}

function shown({ state, url = '' }: VideoJob): string {
  return `${state} ${url}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error
    ? error.cause.message
    : String(error);
}
