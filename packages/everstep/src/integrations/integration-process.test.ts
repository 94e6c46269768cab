import { fork } from 'node:child_process';
import { once as event } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { writtenFolder } from '../../test/written-folder.ts';
import type { Logger } from '../service/logger.ts';
import { isPidAlive } from '../component/host-id.ts';
import { WorkerManager } from './worker-manager.ts';

const source = new URL('../index.ts', import.meta.url).href;
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Nobody reads it.
}

/** Does it once, and never again: the second time it says where it is. */
function once(name: string, what: string): string {
  return `new AsyncTask({ name: '${name}', task: async ({ marker }) => {
    if (!existsSync(marker)) { writeFileSync(marker, ''); ${what} }
    return process.pid;
  } })`;
}

function indexWith(...tasks: readonly string[]): string {
  return `import { existsSync, writeFileSync } from 'node:fs';
    import { AsyncTask } from '${source}';
    export const createAsyncTasks = () => [${tasks.join(', ')}];`;
}

it('keeps the others working while the process of one ends, or is killed because it spins', async () => {
  const folder = writtenFolder({
    'integrations/bad/index.mjs': indexWith(
      once('exits', 'process.exit(3);'),
      once('spins', 'for (;;) {}'),
    ),
    'integrations/fine/index.mjs': indexWith(once('fine', '')),
    'integrations/throws/index.mjs': 'throw new TypeError("not today");',
    'integrations/stuck/index.mjs': 'for (;;) {}',
  });
  const manager = new WorkerManager({
    store: `sqlite:${folder}/tasks.db`,
    isolation: 'process',
    heartbeatTimeout: '3s',
    restart: { firstDelay: 10, maxDelay: 10 },
    gracePeriod: '1s',
    // The source of the entry is TypeScript.
    execArgv: ['--import', import.meta.resolve('tsx')],
    logger: silent,
  });
  const pids = new Set<number>();
  const stateOf = (name: string) => {
    const all = manager.status();
    for (const { pid } of all) if (pid !== process.pid) pids.add(pid);
    return all.find((status) => status.name === name);
  };
  try {
    await manager.create(`${folder}/integrations`);
    await Promise.all([manager.start('bad'), manager.start('fine')]);
    expect([stateOf('bad'), stateOf('fine')]).toMatchObject([
      { state: 'running', kind: 'tasks', taskQueue: 'async-tasks', restarts: 0 },
      { state: 'running', kind: 'tasks', taskQueue: 'async-tasks', restarts: 0 },
    ]);
    const run = (task: string): Promise<unknown> =>
      manager.getClient().workflow.execute(`asyncTask_${task}`, {
        taskQueue: 'async-tasks',
        workflowId: `${task}/${Math.random()}`,
        args: [{ marker: `${folder}/${task}` }],
      });
    const starting = manager.start('stuck');
    const fine = stateOf('fine')?.pid;
    const first = stateOf('bad')?.pid;
    for (const [index, task] of ['exits', 'spins'].entries()) {
      const ending = run(task);
      await expect
        .poll(() => stateOf('bad')?.lastError, { timeout: 30_000 })
        .toContain(task === 'exits' ? 'with code 3' : 'SIGKILL: it said nothing for 3 s');
      expect(await run('fine')).toBe(fine);
      expect(await ending).not.toBe(first);
      expect(stateOf('bad')).toMatchObject({ state: 'running', restarts: index + 1 });
    }
    await manager.start('throws');
    expect(stateOf('throws')).toMatchObject({
      state: 'failed',
      restarts: 0,
      lastError: expect.stringContaining('cannot be loaded: not today') as string,
    });
    await expect
      .poll(() => stateOf('stuck')?.lastError, { timeout: 60_000 })
      .toContain('SIGKILL: it said nothing for 9 s');
    await starting;
    expect(await run('fine')).toBe(fine);
  } finally {
    await manager.stop();
  }
  expect(manager.status().map(({ state }) => state)).toEqual([
    'stopped',
    'stopped',
    'stopped',
    'stopped',
  ]);
  expect(pids.size).toBeGreaterThanOrEqual(4);
  expect([...pids].filter((pid) => isPidAlive(pid))).toEqual([]);
}, 180_000);

it('ends a process whose manager is gone before it can hear of that', async () => {
  const entry = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
  const execArgv = ['--import', import.meta.resolve('tsx')];
  const child = fork(entry, [String(process.pid)], { execArgv, serialization: 'advanced' });
  child.disconnect();
  expect(await event(child, 'exit')).toEqual([0, null]);
}, 60_000);
