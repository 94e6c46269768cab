/**
 * graphile-worker, with the batches that its page on performance recommends. A job has no result: the task keeps it
 * in this process, and the job counts as done when the worker says so, which is before its row is deleted.
 */
import { EventEmitter } from 'node:events';
import type { OneStepParams } from '../../params.ts';
import { loadPackage } from '../packages-folder.ts';
import { urlOf, type StartEngine } from './engine.ts';

interface Job {
  readonly id: string;
}
interface Runner {
  addJob(task: string, payload: unknown): Promise<Job>;
  stop(): Promise<void>;
}
interface GraphileWorker {
  readonly run: (options: Readonly<Record<string, unknown>>) => Promise<Runner>;
  readonly Logger: new (factory: () => () => void) => unknown;
}

export const startEngine: StartEngine = async (setting) => {
  const { run, Logger } = await loadPackage<GraphileWorker>(setting.packages, 'graphile-worker');
  const events = new EventEmitter();
  const results = new Map<string, number>();
  const done = new Map<string, () => void>();
  events.on('job:complete', ({ job, error }: { job: Job; error: unknown }) => {
    if (error) console.error('graphile-worker:', error);
    const told = done.get(job.id);
    // A job may end before `addJob` has said its id.
    if (told === undefined) done.set(job.id, () => {});
    else told();
  });
  const runner = await run({
    preset: {
      worker: {
        connectionString: urlOf(setting, 'postgres'),
        logger: new Logger(() => () => {}),
        events,
        concurrentJobs: 24,
        maxPoolSize: 25,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
    noHandleSignals: true,
    taskList: {
      'one-step': async (payload: OneStepParams, { job }: { readonly job: Job }) => {
        results.set(job.id, payload.number + 1);
      },
    },
  });
  return {
    oneStep: async (params) => {
      const { id } = await runner.addJob('one-step', params);
      if (!done.has(id)) await new Promise<void>((resolve) => done.set(id, resolve));
      const result = results.get(id) ?? Number.NaN;
      done.delete(id);
      results.delete(id);
      return result;
    },
    stop: () => runner.stop(),
  };
};
