/** So many integrations with so many tasks each in one process: how long the start takes, and what memory it holds. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { WorkerManager, type Logger } from 'everstep';
import { makeDataFolder } from '../data-folder.ts';
import { bytesInUse } from '../memory.ts';
import { indexOf, writeFolders } from './folders.ts';

const quiet = (): void => undefined;
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export interface ManyRow {
  readonly integrations: number;
  readonly tasks: number;
  readonly createMs: number;
  readonly startMs: number;
  /** One task of each integration, from submit to result. */
  readonly roundMs: number;
  readonly heapMb: number;
  readonly rssMb: number;
}

export async function measureMany(integrations: number, tasks: number): Promise<ManyRow> {
  const names = Array.from({ length: integrations }, (_, index) => `integration-${index}`);
  const folders = writeFolders(
    Object.fromEntries(names.map((name) => [name, indexOf(name, tasks, 'return n;')])),
  );
  const data = makeDataFolder();
  const before = await bytesInUse();
  const manager = new WorkerManager({ store: `sqlite:${join(data, 'tasks.db')}`, logger });
  try {
    await manager.connect();
    const createAt = performance.now();
    await manager.create(folders.path);
    const startAt = performance.now();
    await manager.start();
    const startedAt = performance.now();
    const client = manager.getClient();
    await Promise.all(
      names.map(async (name) => {
        const result: unknown = await client.workflow.execute(`asyncTask_${name}-0`, {
          taskQueue: 'async-tasks',
          workflowId: name,
          args: [7],
        });
        if (result !== 7) throw new Error(`${name} gave ${String(result)}`);
      }),
    );
    const roundAt = performance.now();
    const after = await bytesInUse();
    return {
      integrations,
      tasks: integrations * tasks,
      createMs: Math.round(startAt - createAt),
      startMs: Math.round(startedAt - startAt),
      roundMs: Math.round(roundAt - startedAt),
      heapMb: Math.round((after - before) / 104_857.6) / 10,
      rssMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    };
  } finally {
    await manager.stop();
    folders.remove();
    rmSync(data, { recursive: true, force: true });
  }
}
