/** A fresh process for one measurement of one engine. It runs under a Node that reads TypeScript by itself. */
import { ownCpuMs } from '../stopwatch.ts';
import { answerQuestions } from '../subprocess.ts';
import type { EngineName, WorkName } from './contenders.ts';
import type { Setting, StartEngine } from './engines/engine.ts';
import { serverCpuMs } from './servers/cpu.ts';
import { measureWork } from './works.ts';

export interface EngineQuestion extends Setting {
  readonly engine: EngineName;
  readonly work: WorkName;
  readonly n: number;
  readonly serverPid?: number;
}

type EngineModule = { readonly startEngine: StartEngine };

/** Loaded when needed: no engine carries the others' code. */
const engines: Readonly<Record<EngineName, () => Promise<EngineModule>>> = {
  everstep: () => import('./engines/everstep.ts'),
  dbos: () => import('./engines/dbos.ts'),
  'graphile-worker': () => import('./engines/graphile-worker.ts'),
  openworkflow: () => import('./engines/openworkflow.ts'),
  bullmq: () => import('./engines/bullmq.ts'),
  restate: () => import('./engines/restate.ts'),
};

answerQuestions({
  measure: async ({ engine: name, work, n, serverPid, ...setting }: EngineQuestion) => {
    const { startEngine } = await engines[name]();
    const engine = await startEngine(setting);
    const cpuMs = async (): Promise<number> =>
      ownCpuMs() + (serverPid === undefined ? 0 : (serverCpuMs(serverPid) ?? Number.NaN));
    const figures = await measureWork(work, { engine, n, cpuMs });
    await engine.stop();
    return figures;
  },
});
