/** A fresh process for one measurement, so that no row profits or suffers from the one before. */
import { join } from 'node:path';
import { measureAlike } from './alike.ts';
import type { Measurement, WorkName } from './measurement.ts';
import { OneProcessStage } from './one-process-stage.ts';
import { serverCpuMs } from './peers/servers/cpu.ts';
import { postgresStore } from './postgres.ts';
import { answerQuestions } from './subprocess.ts';
import { sharedMemoryStore } from './shared-store.ts';
import type { Stage } from './stage.ts';
import { TwoProcessStage } from './two-process-stage.ts';
import { backlog } from './works/backlog.ts';
import { crowded } from './works/crowded.ts';
import { driverAlone } from './works/driver-alone.ts';
import { fiveStep } from './works/five-step.ts';
import { idle } from './works/idle.ts';
import { oneAfterAnother } from './works/one-after-another.ts';
import { oneStep } from './works/one-step.ts';
import { postgresAlone } from './works/postgres-alone.ts';
import { resumed } from './works/resumed.ts';
import type { Work } from './works/work.ts';
import { writePath } from './works/write-path.ts';

const works: Readonly<Record<WorkName, Work>> = {
  'SQLite alone': driverAlone,
  'PostgreSQL alone': postgresAlone,
  'write path': writePath,
  'one-step': oneStep,
  'five-step': fiveStep,
  'one after another': oneAfterAnother,
  backlog,
  'resumed after a kill': resumed,
  idle,
  crowded,
};

export interface MeasureQuestion {
  readonly measurement: Measurement;
  readonly folder: string;
  /** The database, where it is a process of its own. */
  readonly server?: { readonly url: string; readonly pid: number } | undefined;
}

async function stageOf(
  { store, processes }: Measurement,
  storeUrl: string,
  serverCpu: () => number,
): Promise<Stage> {
  if (store === 'memory') return new OneProcessStage(await sharedMemoryStore());
  if (store === 'postgres') return new OneProcessStage(await postgresStore(storeUrl), serverCpu);
  return processes === 1 ? new OneProcessStage(storeUrl) : new TwoProcessStage(storeUrl);
}

answerQuestions({
  measure: async ({ measurement, folder, server }: MeasureQuestion) => {
    const { store, work, n, processes } = measurement;
    const storeUrl = server?.url ?? `sqlite:${join(folder, 'bench.db')}?synchronous=full`;
    const serverCpu = (): number => (server && serverCpuMs(server.pid)) ?? 0;
    if (store === 'postgres' && processes > 1) {
      return measureAlike({ work, n, processes, storeUrl, serverCpuMs: serverCpu });
    }
    const stage = await stageOf(measurement, storeUrl, serverCpu);
    const figures = await works[work]({ stage, storeUrl, n });
    await stage.close();
    return figures;
  },
});
