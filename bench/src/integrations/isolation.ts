/**
 * Three healthy integrations beside one that throws when it is loaded, one that ends its process and one that never
 * gives the event loop back, each in a process of its own: tasks a second of the healthy, before, during and after.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { WorkerManager, type Logger } from 'everstep';
import { makeDataFolder } from '../data-folder.ts';
import { indexOf, writeFolders } from './folders.ts';
import { Load } from './load.ts';

const healthy = ['mail', 'video', 'search'];
const bad = {
  throws: 'throw new TypeError("at import");',
  exits: indexOf('exits', 1, 'process.exit(3);'),
  spins: indexOf('spins', 1, 'for (;;) {}'),
};

const quiet = (): void => undefined;
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export interface IsolationRow {
  readonly phase: string;
  readonly perSecond: Readonly<Record<string, number>>;
  /** Of the bad ones: state and restarts. */
  readonly bad: Readonly<Record<string, string>>;
}

export async function measureIsolation(phaseMs: number): Promise<readonly IsolationRow[]> {
  const folders = writeFolders({
    ...Object.fromEntries(healthy.map((name) => [name, indexOf(name, 1, 'return n;')])),
    ...bad,
  });
  const data = makeDataFolder();
  const manager = new WorkerManager({
    store: `sqlite:${join(data, 'tasks.db')}`,
    isolation: 'process',
    heartbeatTimeout: '3s',
    restart: { maxDelay: '5s' },
    gracePeriod: '1s',
    execArgv: [],
    logger,
  });
  try {
    await manager.create(folders.path);
    for (const name of healthy) await manager.start(name);
    const client = manager.getClient();
    const loads = new Map(healthy.map((name) => [name, new Load(client, `${name}-0`, 8)]));
    const measure = async (phase: string): Promise<IsolationRow> => {
      const before = [...loads.values()].map(({ done }) => done);
      const startedAt = performance.now();
      await setTimeout(phaseMs);
      const seconds = (performance.now() - startedAt) / 1000;
      const rates = [...loads].map(([name, { done }], index) => {
        return [name, Math.round((done - (before[index] ?? 0)) / seconds)] as const;
      });
      const states = manager
        .status()
        .filter(({ name }) => name in bad)
        .map(({ name, state, restarts }) => [name, `${state}, restarts ${restarts}`] as const);
      return {
        phase,
        perSecond: Object.fromEntries(rates),
        bad: Object.fromEntries(states),
      };
    };
    await setTimeout(2_000);
    const rows = [await measure('before')];
    for (const name of ['exits', 'spins']) {
      await client.workflow.start(`asyncTask_${name}-0`, {
        taskQueue: 'async-tasks',
        workflowId: name,
        args: [1],
      });
    }
    const starting = Promise.all(Object.keys(bad).map((name) => manager.start(name)));
    rows.push(await measure('while they start'));
    await starting;
    rows.push(await measure('during'), await measure('during'));
    for (const name of ['exits', 'spins']) await client.workflow.getHandle(name).terminate();
    await Promise.all(Object.keys(bad).map((name) => manager.stop(name)));
    rows.push(await measure('after'));
    for (const load of loads.values()) await load.stop();
    return rows;
  } finally {
    await manager.stop();
    folders.remove();
    rmSync(data, { recursive: true, force: true });
  }
}
