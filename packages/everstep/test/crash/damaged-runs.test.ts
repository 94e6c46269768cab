/** A bit that changed on the disk: the run it belongs to is left alone and named, and the others go on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { crewShapes, goodVerdict, itWithSpares } from './crew-fixture.ts';
import { OpenCrew } from './open-crew.ts';

const long = 600_000;

/** Flips one bit of the run's stored state, or of its first stored events. */
async function flip(path: string, taskId: string, what: 'state' | 'history'): Promise<void> {
  const handle = (await loadDriver(path)).open(path);
  try {
    const ref = handle.prepare('SELECT ref FROM visibility WHERE workflow_id = ?').get(taskId)?.[
      'ref'
    ] as number;
    const [table, blob] = what === 'state' ? ['runs', 'state'] : ['history', 'bytes'];
    const place = what === 'state' ? 'ref = ?' : 'ref = ? AND first_event_id = 1';
    const bytes = handle.prepare(`SELECT ${blob} FROM ${table} WHERE ${place}`).get(ref)?.[
      blob as string
    ] as Uint8Array;
    const changed = Uint8Array.from(bytes);
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] ?? 0) ^ 4;
    handle.prepare(`UPDATE ${table} SET ${blob} = ? WHERE ${place}`).run(changed, ref);
  } finally {
    handle.close();
  }
}

describe('a bit that changed in a stored blob', () => {
  itWithSpares.for(crewShapes)(
    'stops the run it belongs to and no other, with $shape',
    { timeout: 120_000 },
    async ({ roles }, { spares, expect, onTestFinished }) => {
      const folder = mkdtempSync(join(tmpdir(), 'everstep-damage-'));
      const crew = new OpenCrew(spares, folder);
      onTestFinished(async () => {
        await crew.end();
        rmSync(folder, { recursive: true, force: true });
      });
      await crew.start(...roles);
      // One whose step is under way when its process dies, one that waits, one that has a deadline.
      const states = ['five-901', 'signalled-902', 'sleeper-903'];
      const histories = ['five-904', 'signalled-905'];
      for (const taskId of [...states, ...histories]) {
        await crew.submit(taskId, taskId.startsWith('five') ? [0, long] : [0, 1_500]);
      }
      for (const taskId of [...states, ...histories]) {
        if (taskId.startsWith('five')) await crew.until(taskId, 'one');
        if (taskId.startsWith('signalled')) await crew.until(taskId, 'ask');
      }
      await crew.until('sleeper-903', 'work');
      crew.live(8);
      await crew.until('five-0', 'one');
      await crew.killAll();
      for (const taskId of states) await flip(crew.path, taskId, 'state');
      for (const taskId of histories) await flip(crew.path, taskId, 'history');

      await crew.start(...roles);
      await crew.lived();
      crew.live(4);
      await crew.lived();
      for (const taskId of [...states, ...histories]) {
        const workload = taskId.slice(0, -4);
        const named = new RegExp(`of workflow ${taskId} .*checksum.*delete this run`);
        for (const ask of ['status', 'result'] as const) {
          await expect(crew.once({ do: ask, workload, taskId })).rejects.toThrow(named);
        }
        const told = crew.said.filter((said) => said.includes(`of workflow ${taskId} `));
        // By each process that has met it, and by none twice.
        expect(told.length).toBeLessThanOrEqual(roles.length);
        await crew.once({ do: 'delete', taskId });
      }
      const others = crew.said.filter((said) => !said.includes('A stored run is damaged'));
      expect(others).toEqual([]);
      for (const taskId of [...states, ...histories]) {
        await crew.submit(taskId, [0, 0]);
        if (taskId.startsWith('signalled')) {
          await crew.ask({ do: 'signal', taskId, value: 'again', requestId: taskId });
        }
        await crew.ask({ do: 'result', workload: taskId.slice(0, -4), taskId });
        await crew.once({ do: 'delete', taskId });
      }
      await crew.stopAll();
      expect(await crew.verdict([...states, ...histories])).toMatchObject(goodVerdict);
    },
  );
});
