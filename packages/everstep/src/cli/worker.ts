/** `everstep worker`: runs what modules, folders of integrations and domains hold, until it is told to stop. */
import { Command } from 'commander';
import { jsonLine } from './json-text.ts';
import { exitCodes, oneLine } from './problem.ts';
import type { RunningWork } from './run-work.ts';
import type { Terminal } from './terminal.ts';
import { withWorkerOptions, type WorkerFlags } from './worker-options.ts';

const examples = `
Examples:
  everstep worker src/tasks
  everstep worker src/tasks/resize.ts integrations --concurrency 20
  ENABLE_DOMAINS=domains/hello,domains/pizza everstep worker --address temporal.example.org:7233

A path is a module that exports tasks, workflows or activities; a folder of such modules and of integrations; or a
domain (a module that exports TASK_QUEUE). Their official workflows run on @temporalio/worker, which is to be
installed. TypeScript needs no build. What cannot be loaded is told and left out, or with --strict ends the worker.
With --isolation process each integration, each domain, and all plain modules together are loaded and run in a process
of their own, which is started again when it ends. SIGINT and SIGTERM let running steps finish (--grace). --json prints
a line { state: "running", sources, failures, tasks?, workflows?, activities?, official? } when it runs (the last four
without processes), { worker, kind, taskQueue, state, since, polls, running, lastError?, restarts, pid } at each change
of a worker, and { state: "stopped" } at its end.`;

export function workerCommand(terminal: Terminal): Command {
  const command = new Command('worker')
    .description('Run a worker for task modules, integrations and domains.')
    .argument('[paths...]', 'files and folders; beside them the domains of ENABLE_DOMAINS')
    .option('--json', 'print its states as lines of JSON');
  return withWorkerOptions(command)
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], flags: WorkerFlags & { readonly json?: true }) => {
      const domains = terminal.env['ENABLE_DOMAINS'];
      if (paths.length === 0 && !domains?.trim()) {
        throw new RangeError(
          'Nothing is named to run; expected files or folders, such as src/tasks, or ENABLE_DOMAINS.',
        );
      }
      const { runWork } = await import('./run-work.ts');
      const say = (state: object, text: string): void =>
        terminal.out.write(flags.json ? jsonLine(state) : `${text}\n`);
      const healthy = await runWork(paths, flags, terminal, {
        running: (work) => say({ state: 'running', ...work }, `worker runs: ${workText(work)}`),
        changed: ({ name, ...status }) => {
          const { taskQueue, state, lastError } = status;
          const where = taskQueue === '' ? '' : ` on ${taskQueue}`;
          const why = state === 'backing-off' || state === 'failed' ? `: ${lastError}` : '';
          say({ worker: name, ...status }, `${name}${where} is ${state}${oneLine(why)}`);
        },
      }).finally(() => terminal.leave());
      if (!healthy) terminal.exitCode = exitCodes.failure;
      say({ state: 'stopped' }, 'worker stopped');
    });
}

function workText({ failures: _failures, sources, ...kinds }: RunningWork): string {
  const named = Object.entries(kinds)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `${kind} ${names.join(', ')}`);
  return named.length > 0 ? named.join('; ') : `${sources.join(', ')}, a process each`;
}
