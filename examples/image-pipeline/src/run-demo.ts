/** The course of the demo, from the first process to the verdict. */
import { readdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Display } from './display.ts';
import { Observations, stages } from './observations.ts';
import { random } from './random.ts';
import { imagesFolder } from './settings.ts';
import type { Running, Supervisor } from './supervisor.ts';
import { type Verdict, judge } from './verdict.ts';
import { type Submission, imageResult, imageStatus, submitImage } from './web-client.ts';

export interface DemoOptions {
  readonly tasks: number;
  readonly seed: number;
  /** An empty folder: for the database, the ledgers, the logs and the pictures. */
  readonly folder: string;
  readonly supervisor: Supervisor;
  readonly display: Display;
}

const pollMs = 120;
/** Nothing has moved for so long: the demo gives up, and says what is not done. */
const patienceMs = 60_000;

export async function runDemo(options: DemoOptions): Promise<Verdict> {
  const { folder, supervisor, display } = options;
  const startedAt = Date.now();
  const next = random(options.seed);
  const seen = new Observations();

  const settings = { DEMO_FOLDER: folder, DEMO_SEED: String(options.seed) };
  const provider = await supervisor.start(
    'provider',
    new URL('./provider.ts', import.meta.url),
    settings,
  );
  const web = await supervisor.start('web', new URL('./web.ts', import.meta.url), settings);
  const startWorker = (): Promise<Running> =>
    supervisor.start('worker', new URL('./worker.ts', import.meta.url), {
      ...settings,
      PROVIDER_URL: provider.url,
    });
  let worker = await startWorker();

  const look = async (): Promise<void> => {
    await Promise.all(
      seen.open.map(async ({ id }) => {
        const status = await imageStatus(web.url, id);
        seen.note(id, status, Date.now());
      }),
    );
    display.update(seen.views());
  };

  // Most pictures come in at first, the others while there is no worker.
  const waiting = await submissions(options.tasks, next);
  const steps = waiting.reduce((sum, { kind }) => sum + stages[kind].flat().length, 0);
  const late = Math.floor(options.tasks / 6);
  const submit = async (count: number): Promise<void> => {
    for (const submission of waiting.splice(0, count)) {
      seen.submitted(await submitImage(web.url, submission), submission);
    }
  };
  await submit(options.tasks - 2 * late);
  display.say(`Submitted ${seen.tasks.length} pictures to the web process`);

  let kills = 0;
  // The worker dies when so many steps are completed, or a moment later.
  const moments = [0.1 + next() * 0.25, 0.45 + next() * 0.3].map((share) => share * steps);
  let movedAt = Date.now();
  while (seen.open.length > 0 && Date.now() - movedAt < patienceMs) {
    const before = seen.stepsCompleted;
    await look();
    if (seen.stepsCompleted > before) movedAt = Date.now();
    if (seen.stepsCompleted >= (moments[0] ?? Infinity)) {
      moments.shift();
      await wait(next() * pollMs);
      await worker.kill();
      kills += 1;
      display.say(`Killed the worker, process ${worker.pid}, with SIGKILL`);
      await submit(late);
      await look();
      display.say(`Submitted ${late} more while there is no worker, and started it again`);
      worker = await startWorker();
    }
    await wait(pollMs);
  }

  const verdict = await judge(seen, { folder, kills, startedAt }, (id) => imageResult(web.url, id));
  const problems = [...verdict.problems, ...(await supervisor.stop())];
  display.end();
  return { ...verdict, problems };
}

/** Two of three pictures are processed, one is probed, in an order drawn by chance. */
async function submissions(count: number, next: () => number): Promise<Submission[]> {
  const sources = (await readdir(imagesFolder)).sort();
  const all = Array.from({ length: count }, (_, index): Submission & { place: number } => ({
    kind: index % 3 === 2 ? 'probe' : 'process',
    source: sources[index % sources.length] ?? '',
    place: next(),
  }));
  return all.sort((a, b) => a.place - b.place).map(({ kind, source }) => ({ kind, source }));
}
