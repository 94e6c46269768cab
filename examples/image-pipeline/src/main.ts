/**
 * The demo. It starts a provider, a web process and a worker process, submits pictures through the web
 * process, kills the worker twice in the middle, and judges at the end what really happened.
 * Exit code 0: all is right. 1: something is not. 2: wrong flags.
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDisplay } from './display.ts';
import { readFlags, usage } from './flags.ts';
import { runDemo } from './run-demo.ts';
import { Supervisor } from './supervisor.ts';
import { summary } from './verdict.ts';

function flagsOrExit(): ReturnType<typeof readFlags> {
  try {
    return readFlags(process.argv.slice(2), randomInt(2 ** 32));
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    process.exit(2);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const { tasks, seed, json, help } = flagsOrExit();
if (help) {
  console.log(usage);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'everstep-demo-'));
// With --json, standard output belongs to the one line at the end.
const display = createDisplay(json ? process.stderr : process.stdout, process.env);
const supervisor = new Supervisor(folder, giveUp);

/** Leaves the folder, so that one can look. */
function giveUp(problem: string): never {
  supervisor.killAll();
  display.end();
  console.error(`${problem}\nEverything of this run is in ${folder} (--seed ${seed})`);
  process.exit(1);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    supervisor.killAll();
    display.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  });
}

try {
  display.say(`Everything of this run is in ${folder} (--seed ${seed})`);
  const verdict = await runDemo({ tasks, seed, folder, supervisor, display });
  const right = verdict.problems.length === 0;
  if (!json) console.log(summary(verdict, folder));
  else {
    if (!right) console.error(summary(verdict, folder));
    else rmSync(folder, { recursive: true, force: true });
    console.log(JSON.stringify(verdict.numbers));
  }
  process.exitCode = right ? 0 : 1;
} catch (error) {
  giveUp(messageOf(error));
}
