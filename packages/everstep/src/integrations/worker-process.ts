/**
 * The process of one integration: loads its code, runs its workers, says once a second that it lives, and ends when it
 * is told to or its manager is gone. integration-process.ts is the other end.
 */
import { Worker } from 'node:worker_threads';
import { EverstepError } from '../service/error-codes.ts';
import type { LogFields, Logger } from '../service/logger.ts';
import { systemClock } from '../service/system-clock.ts';
import type { WorkerStatus } from './held-worker.ts';
import { beatMs, type FromProcess, type ProcessSetup, type ToProcess } from './process-messages.ts';
import { loadRunnables, type Runnable } from './runnable.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import { WorkerHome } from './worker-home.ts';
import { plansOf, sharedPlan, sharedWork, type WorkerPlan } from './worker-plan.ts';

/**
 * Its manager may be killed while the code of the integration keeps the event loop: this thread looks all the same. It
 * is told whose child it is, as the manager may be gone before it looks.
 */
const parentWatch = `
const { workerData: parent } = require('node:worker_threads');
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);
`;

let home: WorkerHome | undefined;
let workers: readonly SupervisedWorker[] = [];

function say(message: FromProcess): void {
  if (!process.connected) return;
  // The other end may go at any time.
  process.send?.(message, undefined, undefined, () => undefined);
}

function log(level: keyof Logger): Logger['info'] {
  return (message, fields) => {
    const line = { kind: 'log', level, message } as const;
    try {
      say({ ...line, ...(fields && { fields: structuredClone(fields) }) });
    } catch {
      say({ ...line, fields: asText(fields) });
    }
  };
}

/** Of fields that cannot be handed over. */
function asText(fields: LogFields = {}): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}

const logger: Logger = {
  debug: log('debug'),
  info: log('info'),
  warn: log('warn'),
  error: log('error'),
};

function statuses(): readonly WorkerStatus[] {
  return workers.flatMap((worker) => worker.status());
}

function beat(): void {
  say({ kind: 'beat', workers: statuses(), rssBytes: process.memoryUsage.rss() });
}

async function start(setup: ProcessSetup): Promise<void> {
  const { sources, part, restart } = setup;
  // What it loads may never let it say anything.
  beat();
  home = new WorkerHome({ ...setup, searchAttributes: {}, logger });
  const plans = await plansFor(home, sources, part);
  workers = plans.map(
    (plan) => new SupervisedWorker({ ...plan, clock: systemClock, logger, restart }),
  );
  for (const worker of workers) await worker.start();
  say({ kind: 'started', workers: statuses() });
}

async function plansFor(
  at: WorkerHome,
  sources: ProcessSetup['sources'],
  part: ProcessSetup['part'],
): Promise<readonly WorkerPlan[]> {
  const runnables: Runnable[] = [];
  for (const source of sources) {
    if (part === 'shared') await sayLoading(source.name);
    try {
      runnables.push(...(await loadRunnables(source, (error) => leftOut(source.name, error))));
    } catch (error) {
      // Of several, one that cannot be loaded keeps none of the others from running.
      if (part === 'own') throw error;
      leftOut(source.name, error);
    }
  }
  if (part === 'own') return runnables.flatMap((runnable) => plansOf(runnable, at));
  await sayLoading(undefined);
  const shared = runnables.flatMap((runnable) => sharedWork(runnable, at) ?? []);
  return shared.length === 0 ? [] : [sharedPlan(() => shared, at)];
}

/** What is loaded next may end the process at once. */
function sayLoading(source: string | undefined): Promise<void> {
  const message: FromProcess = { kind: 'loading', source };
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

function leftOut(name: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  logger.error(`Something of ${name} was left out. ${message}`);
}

async function stop(): Promise<void> {
  try {
    await Promise.all(workers.map((worker) => worker.stop()));
    await home?.close();
  } finally {
    process.exit();
  }
}

function fail(error: unknown): void {
  say({
    kind: 'failed',
    message: error instanceof Error ? error.message : String(error),
    ...(error instanceof EverstepError && { code: error.code }),
  });
  setTimeout(() => process.exit(1), 100);
}

// Ctrl-C reaches all processes of a terminal; the manager drains and says when.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
// Its manager's output may be read by nobody any more.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToProcess) => {
  if (message.kind === 'stop') void stop();
  else start(message.setup).catch(fail);
});
new Worker(parentWatch, {
  eval: true,
  execArgv: [],
  workerData: Number(process.argv[2]),
}).unref();
// Its manager may have gone before there was anybody to hear it.
if (!process.connected) process.exit(0);
setInterval(beat, beatMs);
