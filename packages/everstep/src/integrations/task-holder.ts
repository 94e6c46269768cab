/** Runs tasks and Everstep workflows of one queue on the task runtime. */
import type { Work } from '../component/backend.ts';
import { EverstepError } from '../service/error-codes.ts';
import { systemClock } from '../service/system-clock.ts';
import type { TaskWorker } from '../tasks/task-worker.ts';
import type { HeldWorker } from './held-worker.ts';
import type { WorkerHome } from './worker-home.ts';

/** Whether a worker has failed for good is looked at that often. */
const lookMs = 1_000;
/** setTimeout's longest. */
const timerMsMax = 2 ** 31 - 1;

/** Rejects as the service does when the worker polls; the engine of this process takes any worker. */
export async function launchTasks(work: Work, home: WorkerHome): Promise<HeldWorker> {
  const worker = await home.addWorker({
    ...work,
    concurrency: home.concurrency,
    buildId: home.buildId,
  });
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve;
    watch(worker, home.graceMs, reject);
  });
  return {
    ended,
    get polls() {
      if (worker.failed || worker.draining) return 0;
      return worker.workflowTaskQueues.length + worker.activityTaskQueues.length;
    },
    get running() {
      return worker.running;
    },
    stop: async () => {
      // On an engine of this process, what is handed back would be handed back for every worker: a step that outlives
      // the grace period goes on, and is handed back when the manager stops.
      await (home.isEmbedded ? worker.drain(home.graceMs) : worker.stop(home.graceMs));
      const gone = worker
        .drain(timerMsMax)
        .then(() => worker.stop(0))
        .then(end);
      if (worker.running === 0) await gone;
    },
  };
}

function watch(worker: TaskWorker, graceMs: number, onFailed: (error: unknown) => void): void {
  const look = (): void => {
    if (worker.draining) return;
    if (!worker.failed) {
      systemClock.setTimer(lookMs, look);
      return;
    }
    const queues = worker.workflowTaskQueues.join(', ');
    const refused = new EverstepError(
      'SERVER_REFUSED',
      `The server refuses the polls of the worker on ${queues}. Check apiKey (or TEMPORAL_API_KEY) and its rights.`,
    );
    // Another one takes its place, and nobody else would stop it.
    const gone = (): void => onFailed(refused);
    worker.stop(graceMs).then(gone, gone);
  };
  look();
}
