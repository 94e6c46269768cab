/** A copy of the file taken while processes work on it, as the guide to backups says, opened by others elsewhere. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { crewShapes, goodVerdict, itWithSpares } from './crew-fixture.ts';
import { OpenCrew } from './open-crew.ts';
import { readFile } from './stored-tasks.ts';

async function copyOf(path: string, target: string): Promise<void> {
  const handle = (await loadDriver(path)).open(path);
  try {
    handle.prepare('VACUUM INTO ?').run(target);
  } finally {
    handle.close();
  }
}

describe('a copy taken while processes work on the file', () => {
  itWithSpares.concurrent.for(crewShapes)(
    'holds everything acknowledged before it, and its tasks go on beside the others, with $shape',
    { timeout: 120_000 },
    async ({ roles }, { spares, expect, onTestFinished }) => {
      const folder = mkdtempSync(join(tmpdir(), 'everstep-copy-'));
      const crew = new OpenCrew(spares, join(folder, 'original'));
      let others: OpenCrew | undefined;
      onTestFinished(async () => {
        await others?.end();
        await crew.end();
        rmSync(folder, { recursive: true, force: true });
      });
      await crew.start(...roles);
      // One whose step is under way in a process that will live on, and one that waits for its signal.
      await crew.submit('five-901', [0, 4_000]);
      await crew.submit('signalled-902', [0, 0]);
      crew.live(8);
      await crew.until('five-901', 'one');
      await crew.until('signalled-902', 'ask');
      const before = [...crew.journal.entries];
      mkdirSync(join(folder, 'copy'));
      const copy = join(folder, 'copy', 'tasks.db');
      await copyOf(crew.path, copy);

      // As its owner would: elsewhere, while the original goes on.
      others = new OpenCrew(spares, join(folder, 'elsewhere'), copy);
      await others.start('both');
      const told: (readonly [unknown, unknown])[] = [];
      for (const entry of before) {
        if (!('ack' in entry)) continue;
        const { taskId } = entry;
        const workload = taskId.slice(0, taskId.lastIndexOf('-'));
        if (workload === 'signalled' || workload === 'contest') {
          const requestId = `signal-${taskId}`;
          await others.ask({ do: 'signal', taskId, value: 'copied', requestId }).catch(ended);
        }
        const result = await others.ask({ do: 'result', workload, taskId });
        // What was told already stays so; the rest comes to what the copy made of it.
        if (entry.ack === 'result') told.push([entry.value, result]);
      }
      expect(told.map(([, result]) => result)).toEqual(told.map(([value]) => value));
      await others.stopAll();

      await crew.ask({
        do: 'signal',
        taskId: 'signalled-902',
        value: 'for signalled-902',
        requestId: 'signal-signalled-902',
      });
      crew.journal.write({ at: Date.now(), intent: 'signal', taskId: 'signalled-902' });
      for (const taskId of ['five-901', 'signalled-902']) {
        await crew.ask({ do: 'result', workload: taskId.slice(0, -4), taskId });
      }
      await crew.lived();
      await crew.stopAll();
      expect(crew.said).toEqual([]);
      expect(await crew.verdict()).toMatchObject(goodVerdict);
      const { tasks, problems } = await readFile(copy, false);
      expect(problems).toEqual([]);
      expect(tasks.length).toBeGreaterThan(1);
    },
  );
});

/** A signal to a task that is over, or was not to be sent at all. */
function ended(error: unknown): void {
  if (!/NOT_FOUND|not found|completed/i.test(String(error))) throw error;
}
