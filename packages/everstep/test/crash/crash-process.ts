/** A process that works on a store until it is killed. It does what messages.ts lists. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AsyncTaskComponent, type AsyncTask, type Logger } from '../../src/index.ts';
import { crashStore } from './crash-store.ts';
import { Trapdoor } from './failpoints.ts';
import { LineFile, type LedgerEntry } from './journal.ts';
import type { Asked, Command, Memory, Said } from './messages.ts';
import { makeTasks } from './workload-tasks.ts';
import { signalName } from './workloads.ts';

const trapdoor = new Trapdoor();
let component: AsyncTaskComponent | undefined;
const tasks = new Map<string, AsyncTask<unknown, unknown>>();

/** Written when this returns: what was said before a kill is heard. */
function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`);
}

function complain(log: 'warn' | 'error'): Logger['warn'] {
  return (message, fields) => say({ log, message, fields: inspect(fields, { breakLength: 200 }) });
}

/** What a process says when another was killed twice under the same attempt, as it is here by design. */
const diedAgain = 'The process of a step has died again';
const warn = complain('warn');

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => {
    if (!message.startsWith(diedAgain)) warn(message, fields);
  },
  error: complain('error'),
};

function running(): AsyncTaskComponent {
  if (component === undefined) throw new TypeError('The process was not told to start');
  return component;
}

function taskOf(workload: string): AsyncTask<unknown, unknown> {
  const task = tasks.get(workload);
  if (task === undefined) throw new TypeError(`There is no task ${workload}`);
  return task;
}

function memory(): Memory {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed };
}

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'start': {
      trapdoor.arm(command.trap);
      component = new AsyncTaskComponent({
        store: await crashStore(command.store, trapdoor, command),
        worker: command.role !== 'submitter',
        logger,
      });
      const all = makeTasks(new LineFile<LedgerEntry>(command.ledger));
      component.registerAll(all);
      for (const task of all) {
        tasks.set(task.getName(), task as unknown as AsyncTask<unknown, unknown>);
      }
      await component.start();
      return undefined;
    }
    case 'arm':
      trapdoor.arm(command.trap);
      return undefined;
    case 'submit':
      return taskOf(command.workload).submit(command.params, { taskId: command.params.taskId });
    case 'status':
      return taskOf(command.workload).getStatus(command.taskId);
    case 'result':
      return taskOf(command.workload).result(command.taskId, { timeout: '10s' });
    case 'signal': {
      const { workflowService, options } = running().getClient();
      await workflowService.signalWorkflowExecution({
        namespace: options.namespace,
        workflowExecution: { workflowId: command.taskId },
        signalName,
        input: {
          payloads: [options.loadedDataConverter.payloadConverter.toPayload<string>(command.value)],
        },
        identity: options.identity,
        requestId: command.requestId,
      });
      return undefined;
    }
    case 'delete': {
      const { workflowService, options } = running().getClient();
      await workflowService.deleteWorkflowExecution({
        namespace: options.namespace,
        workflowExecution: { workflowId: command.taskId },
      });
      return undefined;
    }
    case 'memory':
      return memory();
    case 'stop':
      await running().stop({ gracePeriod: '5s' });
      return undefined;
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, ...command } = JSON.parse(line) as Asked;
  obey(command as Command).then(
    (value) => {
      say({ id, ok: true, value });
      if (command.do === 'stop') process.exit(0);
    },
    (error: unknown) => {
      const { code, message } = error as { code?: unknown; message?: unknown };
      say({ id, ok: false, code: String(code), message: String(message ?? error) });
    },
  );
});
// Without its parent it has nothing to do.
lines.on('close', () => process.exit(0));
