/**
 * How much waits in the queue while rows are pulled, with backpressure and without: `npm run backpressure -w
 * examples/pull-mode`. With TEMPORAL_ADDRESS it measures on that server, else on a SQLite file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncTask, AsyncTaskComponent, TaskPuller } from 'everstep';
import { quiet } from './quiet.ts';

const rows = 600;
const stepMs = 100;
const steps = 10;

for (const backpressure of [false, { maxBacklog: 20, checkInterval: 200 }] as const) {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-pull-'));
  const onServer = process.env['TEMPORAL_ADDRESS'] !== undefined;
  const component = new AsyncTaskComponent({
    ...(!onServer && { store: `sqlite:${join(folder, 'tasks.db')}` }),
    taskQueue: `pull-${Date.now()}`,
    concurrency: steps,
    logger: quiet,
  });
  const task = new AsyncTask({
    name: 'measured',
    task: () => new Promise<void>((resolve) => setTimeout(resolve, stepMs)),
  });
  component.register(task);
  await component.start();
  const waiting = new Set(Array.from({ length: rows }, (_, index) => index));
  const mark = Date.now();
  const puller = new TaskPuller({
    name: 'measured',
    task,
    fetch: async (limit) => [...waiting].slice(0, limit),
    taskId: (row) => `row-${mark}-${row}`,
    params: () => undefined,
    report: (row) => void waiting.delete(row),
    polling: { minInterval: 10, maxInterval: 200, batchSize: 20 },
    backpressure,
    logger: quiet,
  });
  await puller.start();
  const backlogs: number[] = [];
  let underWay = 0;
  while (waiting.size > 0) {
    backlogs.push(await task.backlog());
    underWay = Math.max(underWay, puller.status().underWay);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const seconds = (Date.now() - mark) / 1000;
  const mean = backlogs.reduce((sum, count) => sum + count, 0) / backlogs.length;
  console.log(
    JSON.stringify({
      backpressure,
      rows,
      seconds: Number(seconds.toFixed(1)),
      backlogMax: Math.max(...backlogs),
      backlogMean: Math.round(mean),
      underWayMax: underWay,
      fetches: puller.status().fetches,
    }),
  );
  await puller.stop();
  await component.stop();
  rmSync(folder, { recursive: true, force: true });
}
