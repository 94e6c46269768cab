/**
 * `npm run temporal:proof`: on Temporal's development server, workers killed at random under five-step tasks (none is
 * lost, no completed step runs again, a killed step is resumed soon), and one task id submitted by ten processes at
 * once, there and on a SQLite file. Exit code 0: all of it held. The argument is the number of tasks, 200 by default.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AsyncTaskComponent } from '../../src/component/async-task-component.ts';
import { startTemporal, temporalProgram } from '../conformance/scripts/temporal-server.ts';
import { fiveSteps, type Orders, type Started } from './crew-member.ts';

const tasks = Number(process.argv[2] ?? 200);
const crewSize = 3;
const killEveryMs = 3000;
const submitters = 10;
const member = fileURLToPath(new URL('crew-member.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'everstep-kills-'));
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const problems: string[] = [];

function hired(orders: Orders): ChildProcess {
  return fork(member, [JSON.stringify(orders)], { execArgv: ['--import', 'tsx'] });
}

async function ready(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => child.once('message', () => resolve()));
}

function startsIn(journal: string): Started[] {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Started);
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

async function killed(temporalAddress: string): Promise<void> {
  const journal = join(folder, 'kills.jsonl');
  const taskQueue = `kills-${process.pid}`;
  const where = { temporalAddress };
  const component = new AsyncTaskComponent({ ...where, taskQueue, worker: false, logger });
  const task = fiveSteps(journal);
  component.register(task);
  await component.start();
  const orders: Orders = { mode: 'work', where, taskQueue, journal };
  const crew = Array.from({ length: crewSize }, () => hired(orders));
  await Promise.all(crew.map(ready));
  const from = Date.now();
  const ids = await Promise.all(Array.from({ length: tasks }, (_, n) => task.submit({ n })));
  const killedAt = new Map<number, number>();
  const over = new AbortController();
  const killing = killInTurn(crew, orders, killedAt, over.signal);
  const results = await Promise.all(
    ids.map((id) => task.result(id).catch((error: unknown) => String(error))),
  );
  over.abort();
  const seconds = (Date.now() - from) / 1000;
  for (const [n, result] of results.entries()) {
    if (result !== n + 15) problems.push(`task ${n} ended with ${result}, not ${n + 15}`);
  }
  const starts = startsIn(journal);
  const again = await startedAfterTheirEnd(component, ids, starts);
  if (again.length > 0) problems.push(`completed steps that ran again: ${again.join(', ')}`);
  const waits = resumedAfter(starts, killedAt);
  console.log(
    JSON.stringify({
      tasks,
      kills: killedAt.size,
      seconds: Math.round(seconds),
      stepsStarted: starts.length,
      killedInAStep: waits.length,
      resumedAfterMs: {
        median: quantile(waits, 0.5),
        p95: quantile(waits, 0.95),
        max: waits.at(-1),
      },
      completedStepsRunAgain: again.length,
    }),
  );
  await killing;
  for (const child of crew) child.kill('SIGKILL');
  await component.stop();
}

/** One at random after the other, each once the one that follows the last works: a machine starts them at its own pace. */
async function killInTurn(
  crew: ChildProcess[],
  orders: Orders,
  killedAt: Map<number, number>,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(killEveryMs, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    const at = Math.floor(Math.random() * crew.length);
    const victim = crew[at];
    if (victim?.pid === undefined) continue;
    victim.kill('SIGKILL');
    killedAt.set(victim.pid, Date.now());
    const next = hired(orders);
    crew[at] = next;
    await ready(next);
  }
}

/** By the server's own history: a start of a step's code later than the event of its completion. */
async function startedAfterTheirEnd(
  component: AsyncTaskComponent,
  ids: readonly string[],
  starts: readonly Started[],
): Promise<string[]> {
  const found: string[] = [];
  for (const id of ids) {
    const { events } = await component.getClient().workflow.getHandle(id).fetchHistory();
    const keys = new Map<string, string>();
    for (const event of events ?? []) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled) keys.set(String(event.eventId), scheduled.activityId ?? '');
      const completed = event.activityTaskCompletedEventAttributes;
      if (!completed) continue;
      const key = keys.get(String(completed.scheduledEventId));
      const { seconds = 0, nanos = 0 } = event.eventTime ?? {};
      const endedAt = Number(seconds) * 1000 + (nanos ?? 0) / 1e6;
      for (const start of starts) {
        if (start.taskId !== id || start.key !== key) continue;
        // An attempt that was given up may be woken late by a busy machine; one that begins later was begun again.
        if (start.at > endedAt) found.push(`${id} ${start.key}`);
      }
    }
  }
  return found;
}

/** From the kill under a step's code to the next start of the same step. */
function resumedAfter(starts: readonly Started[], killedAt: ReadonlyMap<number, number>): number[] {
  const byStep = new Map<string, Started[]>();
  for (const start of starts) {
    const step = `${start.taskId} ${start.key}`;
    byStep.set(step, [...(byStep.get(step) ?? []), start]);
  }
  const waits: number[] = [];
  for (const own of byStep.values()) {
    for (const [index, start] of own.entries()) {
      const next = own[index + 1];
      const death = killedAt.get(start.pid);
      if (next && death !== undefined) waits.push(next.at - death);
    }
  }
  return waits.toSorted((a, b) => a - b);
}

async function submittedAtOnce(name: string, where: Orders['where']): Promise<void> {
  const journal = join(folder, `${name}.jsonl`);
  const taskQueue = `once-${process.pid}`;
  const taskId = `once-${process.pid}-${Date.now()}`;
  // Ten processes with their compiler take a while to start on a busy machine.
  const at = Date.now() + 30_000;
  const orders: Orders = { mode: 'submit', where, taskQueue, journal, taskId, at };
  const component = new AsyncTaskComponent({ ...where, taskQueue, logger });
  const task = fiveSteps(journal);
  component.register(task);
  await component.start();
  const codes = await Promise.all(
    Array.from(
      { length: submitters },
      () =>
        new Promise<number | null>((resolve) => {
          hired(orders).once('exit', (code) => resolve(code));
        }),
    ),
  );
  const refused = codes.filter((code) => code !== 0).length;
  if (refused > 0) problems.push(`${name}: ${refused} of ${submitters} submits failed`);
  const result = await task.result(taskId);
  const runs: string[] = [];
  for await (const { runId } of component
    .getClient()
    .workflow.list({ query: `WorkflowId = "${taskId}"` })) {
    runs.push(runId);
  }
  const started = startsIn(journal).length;
  console.log(
    JSON.stringify({ where: name, submitters, runs: runs.length, stepsStarted: started, result }),
  );
  // Lists of a Temporal server are late by a moment: the steps that ran are what counts.
  if (runs.length > 1 || started !== 5 || result !== 22) {
    problems.push(`${name}: ${runs.length} runs, ${started} steps, result ${result}`);
  }
  await component.stop();
}

const program = await temporalProgram();
if (program === undefined) {
  console.log("skipped: neither Temporal's program nor Go to build it is on this machine");
} else {
  await submittedAtOnce('sqlite', { store: `sqlite:${join(folder, 'tasks.db')}` });
  const { address, stop } = await startTemporal(program);
  try {
    await submittedAtOnce('temporal', { temporalAddress: address });
    await killed(address);
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
  for (const problem of problems) console.error(`wrong: ${problem}`);
  console.log(problems.length === 0 ? 'All of it held.' : 'Not all of it held.');
}
process.exit(problems.length === 0 ? 0 : 1);
