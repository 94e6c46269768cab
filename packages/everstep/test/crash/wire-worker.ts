/**
 * An official worker, until it is killed: `wire-worker <address> <workflow bundle> <ledger>`. Each attempt of an
 * activity is a line in the ledger before it does anything.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { activityInfo, heartbeat } from '@temporalio/activity';
import { NativeConnection, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import { wireQueue } from './wire-messages.ts';

const [, , address = '', codePath = '', ledger = ''] = process.argv;

function note(): void {
  const { workflowExecution, activityId, attempt, isLocal } = activityInfo();
  // A local activity has no attempts of the server's.
  if (isLocal) return;
  appendFileSync(ledger, `${workflowExecution?.runId} ${activityId} ${attempt}\n`);
}

async function act(ms: number, token: string): Promise<string> {
  note();
  await setTimeout(ms);
  return token;
}

async function beat(ms: number, token: string): Promise<string> {
  note();
  const end = performance.now() + ms;
  while (performance.now() < end) {
    heartbeat(token);
    await setTimeout(50);
  }
  return token;
}

function failTwice(token: string): Promise<string> {
  note();
  if (activityInfo().attempt < 3) return Promise.reject(new TypeError('not yet'));
  return Promise.resolve(token);
}

const filter = makeTelemetryFilterString({ core: 'ERROR' });
Runtime.install({ telemetryOptions: { logging: { forward: {}, filter } } });

// The program is bundled as a script, which cannot wait at its top.
async function main(): Promise<void> {
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue: wireQueue,
    workflowBundle: { codePath },
    activities: { act, beat, failTwice },
  });
  const running = worker.run();
  process.stdout.write('ready\n');
  await running;
}

void main();
