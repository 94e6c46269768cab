/** A disk that fills up under the processes: they say so, lose nothing, and go on when there is room. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { crewShapes, goodVerdict, itWithSpares } from './crew-fixture.ts';
import { OpenCrew } from './open-crew.ts';
import { passed } from './pause.ts';

const clear = /There is no room left for the database .*tasks\.db.*free some disk space/s;

describe('a disk that is full', () => {
  itWithSpares.for(crewShapes)(
    'is said to be so, and what was accepted goes on when there is room, with $shape',
    { timeout: 120_000 },
    async ({ roles }, { spares, expect, onTestFinished, skip }) => {
      const folder = mkdtempSync(join(tmpdir(), 'everstep-full-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      // Room for the WAL, which takes 17 MB at once, and for all that fits into it as well.
      skip(!mounts(disk, '64m'), 'a small file system cannot be mounted here, as root could');
      const crew = new OpenCrew(spares, join(folder, 'ledgers'), join(disk, 'tasks.db'));
      onTestFinished(async () => {
        await crew.end();
        // Lazily: the judge's connection to it is collected later.
        execFileSync('umount', ['-l', disk]);
      });
      await crew.start(...roles);
      crew.live(8);
      await crew.until('five-0', 'one');
      const ballast = join(disk, 'ballast');

      // The same processes go on.
      fill(ballast, disk);
      crew.live(8);
      expect(await refusal(crew, 5_000)).toMatch(clear);
      await passed(new Promise(() => undefined), 1_500);
      const status = await crew.once({ do: 'status', workload: 'five', taskId: 'five-0' });
      expect(status).toMatchObject({ taskId: 'five-0' });
      rmSync(ballast);
      await crew.lived();

      // Those that die meanwhile are followed by others.
      fill(ballast, disk);
      crew.live(8);
      expect(await refusal(crew, 6_000)).toMatch(clear);
      await crew.killAll();
      const early = await crew.start(...roles).then(
        () => 'started',
        (error: unknown) => String(error),
      );
      // A little room is left at times, and then they may begin.
      if (early !== 'started') expect(early).toMatch(clear);
      await crew.killAll();
      rmSync(ballast);
      await crew.start(...roles);
      await crew.lived();
      crew.live(8);
      await crew.lived();
      await crew.stopAll();
      const others = crew.said.filter(
        (said) => !/no room left|The store can be used again/.test(said),
      );
      expect(others).toEqual([]);
      expect(await crew.verdict()).toMatchObject(goodVerdict);
    },
  );
});

function mounts(disk: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** To the last page. */
function fill(ballast: string, disk: string): void {
  writeFileSync(ballast, '');
  const { bavail, bsize } = statfsSync(disk);
  try {
    writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  } catch (error) {
    // Somebody else took a page meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** The WAL has room of its own; when it is used up, and a checkpoint finds none, it shows. */
async function refusal(crew: OpenCrew, first: number): Promise<string> {
  const ballast = 'x'.repeat(400_000);
  for (let i = 0; i < 100; i += 1) {
    const taskId = `lone-${first + i}`;
    crew.journal.write({ at: Date.now(), intent: 'submit', taskId });
    try {
      const params = { taskId, waits: [], ballast };
      await crew.once({ do: 'submit', workload: 'lone', params });
    } catch (error) {
      return String(error);
    }
    crew.journal.write({ at: Date.now(), ack: 'submit', taskId });
  }
  return 'Nothing was refused';
}
