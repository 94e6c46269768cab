/** Several processes that are alike, each with its share of the tasks: it submits them, works on them and waits. */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkName } from './measurement.ts';
import type { Figures } from './row.ts';
import { Subprocess } from './subprocess.ts';
import { lapOf, queriesPer } from './stopwatch.ts';
import { warmUpOf } from './works/work.ts';

interface Alike {
  readonly work: WorkName;
  readonly n: number;
  readonly processes: number;
  readonly storeUrl: string;
  /** Of the database. */
  readonly serverCpuMs: () => number;
}

export type Share = { readonly steps: number; readonly n: number; readonly processes: number };

const settleMs = 2_000;

export async function measureAlike(alike: Alike): Promise<readonly Figures[]> {
  const { processes, storeUrl, serverCpuMs } = alike;
  const crew = Array.from(
    { length: processes },
    () => new Subprocess(new URL('./alike-process.ts', import.meta.url)),
  );
  const all = <T>(name: string, argument: unknown = null): Promise<T[]> =>
    Promise.all(crew.map((member) => member.ask<T>(name, argument)));
  const sum = async (name: string): Promise<number> =>
    (await all<number>(name)).reduce((total, value) => total + value, 0);
  const stage = {
    cpuMs: async () => (await sum('cpuMs')) + serverCpuMs(),
    queries: () => sum('queries'),
  };
  await all('start', storeUrl);
  const figures = await measured(alike, stage, async (steps, n) => {
    await all('run', { steps, n: Math.ceil(n / processes), processes } satisfies Share);
  });
  await all('stop');
  await Promise.all(crew.map((member) => member.leave()));
  return [figures];
}

async function measured(
  { work, n, processes }: Alike,
  stage: { cpuMs(): Promise<number>; queries(): Promise<number> },
  run: (steps: number, n: number) => Promise<void>,
): Promise<Figures> {
  if (work === 'idle') {
    await run(1, 200);
    await pause(settleMs);
    const lap = await lapOf(stage, () => pause(n * 1_000));
    return { n, cpuMsPerUnit: lap.cpuMs / n, ...queriesPer(n * processes, lap) };
  }
  const steps = work === 'five-step' ? 5 : 1;
  const share = Math.ceil(n / processes) * processes;
  await run(steps, warmUpOf(share) * processes);
  const lap = await lapOf(stage, () => run(steps, share));
  return {
    n: share,
    perSecond: share / lap.seconds,
    ...(steps === 1 ? {} : { stepsPerSecond: (share * steps) / lap.seconds }),
    cpuMsPerUnit: lap.cpuMs / (share * steps),
    ...queriesPer(share * steps, lap),
  };
}
