/**
 * So many integrations with so many tasks each, in one process or each in its own, or with workflows for the official
 * worker: how long the start takes, and what memory it holds.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WorkerManager, type Logger } from 'everstep';
import { makeDataFolder } from '../data-folder.ts';
import { indexOf, workflowsOf, writeFolders } from './folders.ts';

const quiet = (): void => undefined;
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export const manyKinds = ['tasks', 'processes', 'official'] as const;
export type ManyKind = (typeof manyKinds)[number];

export interface ManyRow {
  readonly kind: ManyKind;
  readonly integrations: number;
  readonly tasks: number;
  readonly createMs: number;
  readonly startMs: number;
  /** One task of each integration, from submit to result. */
  readonly roundMs: number;
  /** Of the manager and its processes, those first written in it or shared by none: PSS. */
  readonly memoryMb: number;
  readonly processes: number;
}

export async function measureMany(
  kind: ManyKind,
  integrations: number,
  tasks: number,
): Promise<ManyRow> {
  const names = Array.from({ length: integrations }, (_, index) => `integration-${index}`);
  const textOf = (name: string): string =>
    kind === 'official' ? workflowsOf(tasks) : indexOf(name, tasks, 'return n;');
  const folders = writeFolders(
    Object.fromEntries(names.map((name) => [name, textOf(name)])),
    kind === 'official' ? 'workflows/index.mjs' : 'index.mjs',
  );
  const data = makeDataFolder();
  const manager = new WorkerManager({
    store: `sqlite:${join(data, 'tasks.db')}`,
    logger,
    ...(kind === 'processes' && { isolation: 'process', execArgv: [] }),
  });
  try {
    await manager.connect();
    const createAt = performance.now();
    await manager.create(folders.path);
    const startAt = performance.now();
    await manager.start();
    const startedAt = performance.now();
    const client = manager.getClient();
    const queues = new Map(manager.status().map(({ name, taskQueue }) => [name, taskQueue]));
    await Promise.all(
      names.map(async (name) => {
        const type = kind === 'official' ? 'workflow0' : `asyncTask_${name}-0`;
        const result: unknown = await client.workflow.execute(type, {
          taskQueue: queues.get(name) ?? '',
          workflowId: name,
          args: [7],
        });
        if (result !== 7) throw new Error(`${name} gave ${String(result)}`);
      }),
    );
    const roundAt = performance.now();
    const pids = new Set(manager.status().map(({ pid }) => pid)).add(process.pid);
    return {
      kind,
      integrations,
      tasks: integrations * tasks,
      createMs: Math.round(startAt - createAt),
      startMs: Math.round(startedAt - startAt),
      roundMs: Math.round(roundAt - startedAt),
      memoryMb: Math.round([...pids].reduce((sum, pid) => sum + memoryKbOf(pid), 0) / 1024),
      processes: pids.size,
    };
  } finally {
    await manager.stop();
    folders.remove();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Memory shared by several processes counts in each with its share. */
function memoryKbOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const found = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (found === undefined) throw new Error(`/proc/${pid}/smaps_rollup names no Pss`);
  return Number(found);
}
