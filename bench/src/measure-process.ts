/** A fresh process for one measurement, so that no row profits or suffers from the one before. */
import { join } from 'node:path';
import type { Measurement, WorkName } from './measurement.ts';
import { OneProcessStage } from './one-process-stage.ts';
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
import { resumed } from './works/resumed.ts';
import type { Work } from './works/work.ts';

const works: Readonly<Record<WorkName, Work>> = {
  'SQLite alone': driverAlone,
  'one-step': oneStep,
  'five-step': fiveStep,
  'one after another': oneAfterAnother,
  backlog,
  'resumed after a kill': resumed,
  idle,
  crowded,
};

async function stageOf({ store, processes }: Measurement, storeUrl: string): Promise<Stage> {
  if (store === 'memory') return new OneProcessStage(await sharedMemoryStore());
  return processes === 1 ? new OneProcessStage(storeUrl) : new TwoProcessStage(storeUrl);
}

answerQuestions({
  measure: async ({ measurement, folder }: { measurement: Measurement; folder: string }) => {
    const storeUrl = `sqlite:${join(folder, 'bench.db')}?synchronous=full`;
    const stage = await stageOf(measurement, storeUrl);
    const figures = await works[measurement.work]({ stage, storeUrl, n: measurement.n });
    await stage.close();
    return figures;
  },
});
