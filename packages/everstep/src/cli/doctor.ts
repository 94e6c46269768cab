/**
 * `everstep doctor`: what is configured, reachable and installed, a line each, and what to do about what is not well.
 * It looks, and changes nothing.
 */
import { Command } from 'commander';
import type { Check, CheckState } from './doctor-check.ts';
import { withHomeOptions, type HomeFlags } from './home-options.ts';
import { jsonText } from './json-text.ts';
import { exitCodes } from './problem.ts';
import { paint, type Colour, type Terminal } from './terminal.ts';

const examples = `
Examples:
  everstep doctor
  everstep doctor --store sqlite:/var/lib/shop/tasks.db --json | jq '.checks[] | select(.state != "ok")'

Each line is ok, warn or fail. The exit code is 1 where one fails. The JSON is
{ ok, checks: [{ name, state, message, fix? }] }.`;

const colours: Readonly<Record<CheckState, Colour>> = { ok: 'green', warn: 'yellow', fail: 'red' };

export function doctorCommand(terminal: Terminal): Command {
  const command = new Command('doctor')
    .description(
      'Check what is configured, reachable and installed, and whether tasks wait in vain.',
    )
    .option('--json', 'print { ok, checks } as JSON');
  return withHomeOptions(command)
    .addHelpText('after', examples)
    .action(async (flags: HomeFlags & { readonly json?: true }) => {
      const { doctorChecks } = await import('./doctor-checks.ts');
      const checks: Check[] = [];
      for await (const check of doctorChecks(flags, terminal)) {
        checks.push(check);
        if (!flags.json) terminal.out.write(checkText(terminal, check));
      }
      const ok = checks.every(({ state }) => state !== 'fail');
      if (flags.json) terminal.out.write(jsonText({ ok, checks }));
      if (!ok) terminal.exitCode = exitCodes.failure;
    });
}

function checkText(terminal: Terminal, { name, state, message, fix }: Check): string {
  const head = `${paint(terminal, terminal.out, colours[state], state.padEnd(4))}  ${name}: ${message}\n`;
  return fix === undefined ? head : `${head}      -> ${fix}\n`;
}
