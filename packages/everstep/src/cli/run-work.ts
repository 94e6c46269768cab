/** Runs workers until the terminal says stop, or none of them will ever work again. */
import { setTimeout as pause } from 'node:timers/promises';
import { stderrLogger } from '../component/stderr-logger.ts';
import type { WorkerStatus } from '../integrations/held-worker.ts';
import { sourceOf } from '../integrations/runnable.ts';
import { WorkerManager } from '../integrations/worker-manager.ts';
import { EverstepError } from '../service/error-codes.ts';
import { loadedOptions } from './home-options.ts';
import { StatusChanges } from './status-changes.ts';
import { paint, type Terminal } from './terminal.ts';
import { namesOf, workSources, type LeftOut, type WorkNames } from './work-sources.ts';
import { graceMs, type WorkerFlags } from './worker-options.ts';

/** Between looks at the workers. */
const lookMs = 200;

/** Of processes it is not known what they run: they alone load it. */
export interface RunningWork extends Partial<WorkNames> {
  /** Integrations, domains, and `task-modules`. */
  readonly sources: readonly string[];
  readonly failures: readonly LeftOut[];
}

export interface WorkTold {
  running(work: RunningWork): void;
  /** A worker that has come into another state, or is gone and back again. */
  changed(worker: WorkerStatus): void;
}

/**
 * @returns Whether it ended because it was told to.
 * @throws EverstepError REGISTRATION_INVALID where there is nothing to run; what a manager's start throws; with `strict`
 * the first thing that cannot be loaded.
 */
export async function runWork(
  paths: readonly string[],
  flags: WorkerFlags,
  terminal: Terminal,
  told: WorkTold,
): Promise<boolean> {
  const { stop } = terminal;
  const manager = await managerOf(flags, terminal);
  const loads = flags.isolation !== 'process';
  const domains = terminal.env['ENABLE_DOMAINS'];
  const { found, failures } = await workSources(paths, domains, loads);
  for (const { path, reason } of failures) warn(terminal, `${path} was left out: ${reason}`);
  const [first] = failures;
  if (flags.strict && first !== undefined) {
    throw new EverstepError('REGISTRATION_INVALID', `--strict: ${first.path} cannot be run.`);
  }
  if (found.length === 0) {
    throw new EverstepError(
      'REGISTRATION_INVALID',
      'There is nothing to run: no task, workflow or activity was found. Name modules that export them, or folders of such modules or of integrations.',
    );
  }
  const changes = new StatusChanges((worker) => told.changed(worker));
  const look = (): void => changes.look(manager.status());
  const looking = setInterval(look, lookMs);
  try {
    await manager.create(found);
    await manager.start();
    look();
    const sources = found.map((one) => sourceOf(one).name);
    told.running({ ...(loads && namesOf(found)), sources, failures });
    while (!stop.aborted && !isLost(manager)) {
      await pause(lookMs, undefined, { signal: stop }).catch(() => undefined);
    }
    return stop.aborted;
  } finally {
    await manager.stop();
    clearInterval(looking);
    look();
  }
}

async function managerOf(flags: WorkerFlags, terminal: Terminal): Promise<WorkerManager> {
  const { taskQueue, concurrency, isolation, strict } = flags;
  const { worker: _worker, ...where } = await loadedOptions(flags);
  return new WorkerManager({
    ...where,
    ...(taskQueue !== undefined && { taskQueue }),
    ...(concurrency !== undefined && { concurrency }),
    ...(isolation !== undefined && { isolation }),
    gracePeriod: graceMs(flags),
    strict: strict === true,
    logger: stderrLogger('warn', (line) => terminal.err.write(line)),
  });
}

/** The store has failed for good, or nothing that was to be run can be used as it is. */
function isLost(manager: WorkerManager): boolean {
  return manager.failure !== undefined || manager.status().every(({ state }) => state === 'failed');
}

function warn(terminal: Terminal, message: string): void {
  terminal.err.write(`${paint(terminal, terminal.err, 'yellow', 'everstep:')} ${message}\n`);
}
