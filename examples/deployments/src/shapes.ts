/** The shapes of a deployment, each tried under work, and what was wrong with it. */
import { AsyncTaskComponent, type TaskStatus } from 'everstep';
import type { Crew, Member } from './crew.ts';
import { homeOf } from './home.ts';
import { pictureTask, type StepRun } from './picture-task.ts';
import { drainMs } from './settings.ts';

export interface Outcome {
  /** For people. */
  readonly figures: string;
  /** Empty when all is right. */
  readonly problems: readonly string[];
}

type Status = TaskStatus<string>;

/** One process for everything. */
export async function together(crew: Crew, tasks: number): Promise<Outcome> {
  const web = await crew.web('all');
  const statuses = await askedOf(web.url, tasks);
  await web.stop();
  const runs = crew.runs();
  return {
    figures: `${tasks} tasks submitted to a web process, which ran their ${runs.length} steps`,
    problems: [...problemsOf(statuses, runs), ...ranElsewhere(runs, ['web'])],
  };
}

/** A web process that submits and reads, and a worker. */
export async function apart(crew: Crew, tasks: number): Promise<Outcome> {
  const web = await crew.web();
  const worker = await crew.worker('worker');
  const statuses = await askedOf(web.url, tasks);
  await worker.stop();
  await web.stop();
  const runs = crew.runs();
  return {
    figures: `${tasks} tasks submitted to a web process, ${runs.length} steps run by a worker`,
    problems: [...problemsOf(statuses, runs), ...ranElsewhere(runs, ['worker'])],
  };
}

/** Submits so many over HTTP, and reads each until it has ended. */
async function askedOf(url: string, tasks: number): Promise<Status[]> {
  const asked = async (method: string, path: string): Promise<unknown> =>
    (await fetch(`${url}/${path}`, { method, keepalive: false })).json();
  const ids: string[] = [];
  for (let n = 0; n < tasks; n += 1) {
    ids.push(((await asked('POST', `picture-${n}`)) as { id: string }).id);
  }
  const statuses: Status[] = [];
  for (const id of ids) {
    let status: Status;
    do status = (await asked('GET', id)) as Status;
    while (status.status === 'pending' || status.status === 'processing');
    statuses.push(status);
  }
  return statuses;
}

/** Four workers that share one queue. */
export async function shared(crew: Crew, tasks: number): Promise<Outcome> {
  const names = ['worker-1', 'worker-2', 'worker-3', 'worker-4'];
  const workers = await Promise.all(names.map((name) => crew.worker(name)));
  const statuses = await withSubmitter(crew, async (submit, ended) => {
    const ids = await Promise.all(Array.from({ length: tasks }, (_, n) => submit(`picture-${n}`)));
    return ended(ids);
  });
  await Promise.all(workers.map((worker) => worker.stop()));
  const runs = crew.runs();
  const shares = names.map((name) => runs.filter(({ worker }) => worker === name).length);
  return {
    figures: `${runs.length} steps shared by four workers: ${shares.join(', ')}`,
    problems: [
      ...problemsOf(statuses, runs),
      ...names.filter((_, place) => shares[place] === 0).map((name) => `${name} ran no step`),
    ],
  };
}

/** Two workers, replaced one after the other while tasks come in all the time. */
export async function rolling(crew: Crew, pauseMs: number): Promise<Outcome> {
  const old = ['old-1', 'old-2'];
  let workers = await Promise.all(old.map((name) => crew.worker(name)));
  const statuses = await withSubmitter(crew, async (submit, ended) => {
    const ids: string[] = [];
    let isRestarting = true;
    const load = (async () => {
      while (isRestarting) {
        ids.push(await submit(`picture-${ids.length}`));
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    })();
    const replaced: Member[] = [];
    for (const [place, worker] of workers.entries()) {
      await hasRun(crew, old[place] ?? '');
      const name = `new-${place + 1}`;
      replaced.push(await crew.worker(name));
      await hasRun(crew, name);
      await worker.stop();
    }
    workers = replaced;
    isRestarting = false;
    await load;
    return ended(ids);
  });
  await Promise.all(workers.map((worker) => worker.stop()));
  const waits = statuses.map(({ createdAt, startedAt = Infinity }) => startedAt - createdAt);
  const longest = Math.max(...waits);
  const runs = crew.runs();
  return {
    figures: `${statuses.length} tasks during a rolling restart; the longest wait was ${Math.round(longest)} ms, the drain is ${drainMs} ms`,
    problems: [
      ...problemsOf(statuses, runs),
      ...(longest > drainMs ? [`a task waited ${longest} ms, longer than the drain`] : []),
      ...[...old, 'new-1', 'new-2']
        .filter((name) => !runs.some(({ worker }) => worker === name))
        .map((name) => `${name} ran no step, so nothing was restarted under load`),
    ],
  };
}

/** Resolves when that worker has run a step; the verdict says so if it does not. */
async function hasRun(crew: Crew, name: string): Promise<void> {
  for (let looks = 0; looks < 3_000; looks += 1) {
    if (crew.runs().some(({ worker }) => worker === name)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Every task has completed, and each of its steps ran once. */
export function problemsOf(statuses: readonly Status[], runs: readonly StepRun[]): string[] {
  const counts = new Map<string, number>();
  for (const { taskId, key } of runs) {
    counts.set(`${taskId}/${key}`, (counts.get(`${taskId}/${key}`) ?? 0) + 1);
  }
  return statuses.flatMap(({ taskId, status }) => [
    ...(status === 'completed' ? [] : [`task ${taskId} is ${status}`]),
    ...['fetch', 'shrink', 'store'].flatMap((key) => {
      const count = counts.get(`${taskId}/${key}`) ?? 0;
      return count === 1 ? [] : [`step ${key} of task ${taskId} ran ${count} times`];
    }),
  ]);
}

function ranElsewhere(runs: readonly StepRun[], names: readonly string[]): string[] {
  return runs
    .filter(({ worker }) => !names.includes(worker))
    .map(({ taskId, key, worker }) => `step ${key} of task ${taskId} ran in ${worker}`);
}

async function withSubmitter<T>(
  crew: Crew,
  work: (
    submit: (name: string) => Promise<string>,
    ended: (ids: readonly string[]) => Promise<Status[]>,
  ) => Promise<T>,
): Promise<T> {
  const component = new AsyncTaskComponent({ ...homeOf(crew.home), worker: false });
  const picture = pictureTask('submitter', () => undefined);
  component.register(picture);
  await component.start();
  try {
    return await work(
      (name) => picture.submit({ name }),
      (ids) =>
        Promise.all(
          ids.map(async (id) => {
            await picture.result(id, { timeout: '30s' }).catch(() => undefined);
            return picture.getStatus(id);
          }),
        ),
    );
  } finally {
    await component.stop();
  }
}
