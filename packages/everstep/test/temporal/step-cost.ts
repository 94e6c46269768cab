/**
 * What a step costs on a Temporal server: calls, events that are read, and milliseconds, of five-step tasks one after
 * another. `npm run temporal:cost`; with EVERSTEP_TEST_SERVER on the server at that address.
 */
import { Client, Connection } from '@temporalio/client';
import { remoteService } from '../../src/service/remote-service.ts';
import { systemClock, systemRandom } from '../../src/service/system-clock.ts';
import { AsyncTask } from '../../src/tasks/async-task.ts';
import { step } from '../../src/tasks/steps.ts';
import { TaskWorker } from '../../src/tasks/task-worker.ts';
import { counted } from './counted-service.ts';
import { startTemporal, temporalProgram } from '../conformance/scripts/temporal-server.ts';

const tasks = Number(process.argv[2] ?? 30);
const stepsOfTask = 5;

async function measured(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace: 'default' });
  const taskQueue = `cost-${systemRandom.uuid()}`;
  const task = new AsyncTask({
    name: 'five',
    taskQueue,
    task: async function* ({ n }: { n: number }) {
      let sum = n;
      for (let at = 1; at <= stepsOfTask; at += 1) sum += yield* step(`s${at}`, () => at);
      return sum;
    },
  });
  const calls = new Map<string, number>();
  const worker = new TaskWorker({
    service: counted(remoteService(connection), calls),
    tasks: [task.definition],
    namespace: 'default',
    identity: client.options.identity,
    taskQueue,
    clock: systemClock,
    random: systemRandom,
    logger: console,
    dataConverter: client.options.loadedDataConverter,
  });
  await worker.start();
  task.setClient(client);
  await task.result(await task.submit({ n: 0 }));
  calls.clear();
  const took: number[] = [];
  for (let n = 1; n <= tasks; n += 1) {
    const from = performance.now();
    await task.result(await task.submit({ n }));
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  const perStep = (count: number): number => Number((count / (tasks * stepsOfTask)).toFixed(2));
  const events = calls.get('events') ?? 0;
  calls.delete('events');
  const all = [...calls.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    JSON.stringify({
      tasks,
      msPerTaskMedian: Math.round(took[Math.floor(took.length / 2)] ?? 0),
      msPerTaskMin: Math.round(took[0] ?? 0),
      callsPerStep: perStep(all),
      eventsReadPerStep: perStep(events),
      calls: Object.fromEntries([...calls].map(([name, count]) => [name, perStep(count)])),
    }),
  );
  await worker.stop(1000);
  await connection.close();
}

const underTest = process.env['EVERSTEP_TEST_SERVER'];
if (underTest !== undefined) {
  await measured(underTest);
} else {
  const program = await temporalProgram();
  if (program === undefined) {
    console.log("skipped: neither Temporal's program nor Go to build it is on this machine");
  } else {
    const { address, stop } = await startTemporal(program);
    try {
      await measured(address);
    } finally {
      await stop();
    }
  }
}
process.exit();
