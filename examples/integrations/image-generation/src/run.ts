/** Requests over HTTP to a web process, steps in a worker process, which is killed in the middle. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProvider, type Provider } from './provider.ts';
import { WebClient, type ImageStatus } from './web-client.ts';

export interface Outcome {
  readonly requests: readonly (ImageStatus & { readonly picture: string | undefined })[];
  readonly jobs: Provider['jobs'];
  readonly refusals: number;
  /** Those that the provider had accepted when the worker was killed. */
  readonly jobsAtKill: number;
  /** Tasks that ended after that. */
  readonly endedAfterKill: number;
}

const prompts = [
  'a harbour at dawn',
  'a mosaic of birds',
  'rings of light',
  'a forbidden thing',
  'a meadow in June',
];

/** Each of its processes, started and ended as a process manager does it. */
class Crew {
  readonly #env: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** @returns what the process says when it is ready. */
  async start(
    name: 'web' | 'worker',
    env: NodeJS.ProcessEnv = {},
  ): Promise<[ChildProcess, string]> {
    const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), [], {
      env: { ...this.#env, ...env },
      execArgv: ['--import', 'tsx'],
    });
    this.#children.push(child);
    const said = await new Promise<unknown>((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`the ${name} process ended with ${code}`)));
    });
    return [child, String(said)];
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (isGone(child)) continue;
      const gone = exitOf(child);
      child.disconnect();
      await gone;
      if (child.exitCode !== 0) throw new Error(`a process ended with ${child.exitCode}`);
    }
  }
}

export async function run(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-image-generation-'));
  const provider = await startProvider({ refuseEvery: 2, jobMs: 500, retryAfterSeconds: 1 });
  const crew = new Crew({
    ...process.env,
    DATA_FOLDER: folder,
    IMAGE_PROVIDER_URL: provider.url,
    REPORT_TOKEN: randomUUID(),
  });
  try {
    const [, url] = await crew.start('web', { PORT: '0' });
    const web = new WebClient(url);
    const ids: string[] = [];
    for (const prompt of prompts) ids.push(await web.requestImage(prompt));

    const [worker] = await crew.start('worker', { WEB_URL: url });
    while (provider.jobs.length < 2 && !isGone(worker)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (isGone(worker)) throw new Error(`the worker process ended with ${worker.exitCode}`);
    const gone = exitOf(worker);
    worker.kill('SIGKILL');
    await gone;
    const killedAt = Date.now();
    const jobsAtKill = provider.jobs.length;
    await crew.start('worker', { WEB_URL: url });

    const requests = await Promise.all(
      ids.map(async (id) => {
        const status = await web.ended(id);
        return {
          ...status,
          picture: status.imageUrl ? await web.picture(status.imageUrl) : undefined,
        };
      }),
    );
    const { jobs, refusals } = provider;
    const endedAfterKill = requests.filter(({ task }) => (task.completedAt ?? 0) > killedAt).length;
    return { requests, jobs, refusals, jobsAtKill, endedAfterKill };
  } finally {
    await crew.stop();
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
