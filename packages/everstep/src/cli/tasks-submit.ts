/** `everstep tasks submit` */
import { Command } from 'commander';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonLine, parsedJson } from './json-text.ts';
import { fileOption } from './option-values.ts';
import type { Terminal } from './terminal.ts';

interface SubmitFlags extends HomeFlags {
  readonly params?: string;
  readonly paramsFile?: string;
  readonly taskId?: string;
  readonly delay?: string;
  readonly taskQueue?: string;
  readonly create?: true;
  readonly json?: true;
}

const examples = `
Examples:
  everstep tasks submit resize --params '{"url":"https://example.org/a.png"}'
  everstep tasks submit resize --params-file params.json --task-id order-7 --delay 10m
  echo '{"city":"lisbon"}' | everstep tasks submit postcard --params-file -

The parameters are checked by the schema of the task where the application submits, not here. The queue is that of
tasks which name none; a task that names its own needs --task-queue.`;

export function tasksSubmitCommand(terminal: Terminal): Command {
  const command = new Command('submit')
    .description('Submit a task by its name, and print its id.')
    .argument('<name>', 'of the task: the name that the application gave it')
    .option('--params <json>', 'what the task is called with')
    .option('--params-file <file>', 'the same, from a file; - is standard input')
    .option('--task-id <id>', 'its id, so that submitting again changes nothing (default: a UUID)')
    .option('--delay <duration>', 'how long it waits before its first step, such as 10m')
    .option('--task-queue <name>', "(default: TEMPORAL_TASK_QUEUE, else 'async-tasks')")
    .option('--create', 'make the store where it does not exist yet')
    .option('--json', 'print { taskId } as JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (name: string, flags: SubmitFlags) => {
      const params = await paramsOf(flags, terminal);
      const { anyTask, atHome } = await import('./task-home.ts');
      const work: Parameters<typeof atHome>[2] = async ({ connection }) => {
        const { taskId, delay, taskQueue = connection.taskQueue } = flags;
        const task = anyTask(name, { ...connection, taskQueue });
        const id = await task.submit(params, {
          ...(taskId !== undefined && { taskId }),
          ...(delay !== undefined && { delay: delay as `${number}s` }),
        });
        terminal.out.write(flags.json ? jsonLine({ taskId: id }) : `${id}\n`);
      };
      await atHome(flags, terminal, work, { create: flags.create === true });
    });
}

async function paramsOf(flags: SubmitFlags, terminal: Terminal): Promise<unknown> {
  const { params, paramsFile } = flags;
  if (params !== undefined && paramsFile !== undefined) {
    throw new RangeError('--params and --params-file are given; expected one of them.');
  }
  if (params !== undefined) return parsedJson(params, '--params');
  if (paramsFile === undefined) return undefined;
  return paramsFile === '-'
    ? parsedJson(await terminal.readAll(), '--params-file - (standard input)')
    : parsedJson(fileOption('--params-file', paramsFile).toString('utf8'), paramsFile);
}
