/** `everstep dev`: server and workers in one terminal, the workers begun anew when a file changes. */
import { Command } from 'commander';
import { portOption } from './option-values.ts';
import type { Terminal } from './terminal.ts';
import { withWorkerOptions, type DevFlags } from './worker-options.ts';

const examples = `
Examples:
  everstep dev src/tasks
  everstep dev src/tasks integrations --watch config --port 0

The worker is a process of its own. At a change it gets --grace to finish its steps, and what it leaves goes on in the
next one. Watched are the folders of the paths, up to the one in the working directory (src of src/tasks), and those
of --watch. The server is for official SDKs and the temporal CLI; with --address there is none, and the worker goes to
that one.`;

export function devCommand(terminal: Terminal): Command {
  const command = new Command('dev')
    .description('Develop: an embedded server, and workers that are reloaded when a file changes.')
    .argument('[paths...]', 'as of everstep worker')
    .option('--port <number>', 'of the server, on 127.0.0.1; 0 takes a free one', portOption, 7233)
    .option('--no-server', 'workers alone')
    .option('--watch <folder...>', 'watch these as well');
  return withWorkerOptions(command)
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], flags: DevFlags) => {
      if (paths.length === 0 && !terminal.env['ENABLE_DOMAINS']?.trim()) {
        throw new RangeError(
          'Nothing is named to run; expected files or folders, such as src/tasks, or ENABLE_DOMAINS.',
        );
      }
      const { runDev } = await import('./run-dev.ts');
      await runDev(paths, flags, terminal);
    });
}
