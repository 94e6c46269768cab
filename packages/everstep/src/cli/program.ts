/** The whole command line for a terminal, and one call of it. What a command does is loaded when it does it. */
import { Command, CommanderError } from 'commander';
import { completionCommand } from './completion.ts';
import { devCommand } from './dev.ts';
import { doctorCommand } from './doctor.ts';
import { initCommand } from './init.ts';
import { migrateCommand } from './migrate.ts';
import { packageVersion } from './package-version.ts';
import { integrationsCommand } from './integrations.ts';
import { exitCodes, problemOf } from './problem.ts';
import { serverCommand } from './server.ts';
import { tasksCommand } from './tasks.ts';
import { workerCommand } from './worker.ts';
import { hasColours, paint, type Terminal } from './terminal.ts';

const exitCodeHelp = `
Exit codes: 0 done, 1 it failed (or the answer is bad: a task that failed, a check that fails), 2 wrong usage.
--json prints one JSON document on standard output, and an error as one on standard error.
Colours and progress are for terminals only; NO_COLOR turns colours off.`;

function programFor(terminal: Terminal): Command {
  const program: Command = new Command('everstep')
    .description(
      'Durable tasks and workflows: their server, their workers, and what is to be seen and done about them.',
    )
    .version(packageVersion())
    .enablePositionalOptions()
    .addCommand(tasksCommand(terminal))
    .addCommand(devCommand(terminal))
    .addCommand(workerCommand(terminal))
    .addCommand(integrationsCommand(terminal))
    .addCommand(doctorCommand(terminal))
    .addCommand(initCommand(terminal))
    .addCommand(migrateCommand(terminal))
    .addCommand(serverCommand())
    .addCommand(completionCommand(terminal, () => program))
    .addHelpText('after', exitCodeHelp);
  onTerminal(program, terminal);
  return program;
}

/** Resolves with the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await programFor(terminal).parseAsync([...args], { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    const { exitCode, ...problem } = problemOf(error);
    // A group without its command has shown its help.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCode;
    if (isJson(args)) {
      terminal.err.write(`${JSON.stringify({ error: problem })}\n`);
    } else {
      const name = paint(terminal, terminal.err, 'red', 'everstep:');
      terminal.err.write(`${name} ${problem.message}\n`);
    }
    return exitCode;
  }
}

/** What is said and how, for each command: options of a parent are not those of its children. */
function onTerminal(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.out.write(text),
    writeErr: (text) => terminal.err.write(text),
    // As every other error: by runProgram.
    outputError: () => undefined,
    getOutHelpWidth: () => terminal.out.columns ?? 100,
    getErrHelpWidth: () => terminal.err.columns ?? 100,
    getOutHasColors: () => hasColours(terminal, terminal.out),
    getErrHasColors: () => hasColours(terminal, terminal.err),
  });
  for (const child of command.commands) onTerminal(child, terminal);
}

function isJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}
