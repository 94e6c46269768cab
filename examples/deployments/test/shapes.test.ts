import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncTaskComponent } from 'everstep';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  PostgresSchema,
  postgresMissing,
} from '../../../packages/everstep/test/databases/shared-postgres.ts';
import type { Crew } from '../src/crew.ts';
import { serverAddress } from '../../../packages/everstep/test/tasks/running-component.ts';
import { homeOf } from '../src/home.ts';
import { pictureTask, type StepRun } from '../src/picture-task.ts';
import { drainMs } from '../src/settings.ts';
import { apart, problemsOf, rolling, shared, together } from '../src/shapes.ts';
import { webServer } from '../src/web-server.ts';

/** As the processes of the example, with a component for each in this one. */
function componentCrew(home: string): Crew {
  const runs: StepRun[] = [];
  const started = async (name: string, worker: boolean) => {
    const component = new AsyncTaskComponent({
      ...homeOf(home),
      worker,
      ...(worker && { concurrency: 10 }),
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    });
    const picture = pictureTask(name, (run) => runs.push(run));
    component.register(picture);
    await component.start();
    return { picture, stop: () => component.stop({ gracePeriod: drainMs }) };
  };
  return {
    home,
    worker: (name) => started(name, true),
    web: async (role) => {
      const { picture, stop } = await started('web', role === 'all');
      const server = webServer(picture);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { readonly port: number };
      return {
        url: `http://127.0.0.1:${port}`,
        stop: async () => {
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
          await stop();
        },
      };
    },
    runs: () => runs,
  };
}

function ignore(): void {}

function sqliteFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-deployment-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, 'tasks.db')}`;
}

function describeShapes(
  what: string,
  home: () => string | Promise<string>,
  onServer = false,
): void {
  describe(`on ${what}`, () => {
    it('one process submits, reads and runs every step', async () => {
      expect(await together(componentCrew(await home()), 5)).toMatchObject({ problems: [] });
    });

    it('a web process submits and reads, and a worker runs every step', async () => {
      expect(await apart(componentCrew(await home()), 5)).toMatchObject({ problems: [] });
    });

    it('four workers share a queue, and each step runs once', async () => {
      expect(await shared(componentCrew(await home()), 60)).toMatchObject({ problems: [] });
    });

    // On a server what a drained worker held waits for its sticky queue's time first: seconds beyond the drain.
    it.skipIf(onServer)(
      'no task waits longer than the drain while workers are replaced',
      async () => {
        expect(await rolling(componentCrew(await home()), 5)).toMatchObject({ problems: [] });
      },
    );
  });
}

describeShapes('a SQLite file', sqliteFile);

describeShapes('a server', async () => `temporal://${await serverAddress()}`, true);

describe.skipIf(postgresMissing)(`with a server ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('deployments');
  describeShapes('PostgreSQL', () => schema.url);
});

it('a task that did not complete, and a step that ran twice or not at all, are found', () => {
  const step = (key: string): StepRun => ({ taskId: 'a', key, worker: 'w' });
  expect(
    problemsOf(
      [{ taskId: 'a', status: 'failed', createdAt: 1 }],
      [step('fetch'), step('fetch'), step('shrink')],
    ),
  ).toEqual([
    'task a is failed',
    'step fetch of task a ran 2 times',
    'step store of task a ran 0 times',
  ]);
});
