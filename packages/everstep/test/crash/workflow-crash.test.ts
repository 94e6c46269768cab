/** Workflows whose process is killed again and again: each ends as its history says it began. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { expect, it, onTestFinished } from 'vitest';
import { AsyncTaskComponent } from '../../src/index.ts';
import { SeededRandom } from '../../src/tasks/seeded-random.ts';
import { silent } from '../tasks/running-component.ts';

const { EventType } = proto.temporal.api.enums.v1;
const script = fileURLToPath(new URL('./workflow-process.ts', import.meta.url));
const workflows = 12;
const killsLeast = 4;

interface Ended {
  readonly order: readonly string[];
  readonly first: string;
  readonly same: boolean;
}

it('a race ends after any kill as it ended before, and no step that ended runs again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.db');
  const journal = join(folder, 'journal');
  const random = new SeededRandom('kills');
  const reader = new AsyncTaskComponent({
    store: `sqlite:${path}`,
    worker: false,
    logger: silent,
  });
  await reader.start();
  onTestFinished(() => reader.stop());
  const handles = Array.from({ length: workflows }, (_, at) =>
    reader.getClient().workflow.getHandle(`contest-${at}`),
  );
  const open = async () => {
    const described = await Promise.all(handles.map((handle) => handle.describe()));
    return described.filter(({ status }) => status.name === 'RUNNING').length;
  };

  let kills = 0;
  let starts = workflows;
  for (let round = 0; round < 40; round += 1) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', script, path, journal, String(starts)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const gone = new Promise((resolve) => child.on('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    starts = 0;
    // Those who only wait for a signal that was lost with its sender's process get it again.
    if (kills > 0) await Promise.all(handles.map((handle) => handle.signal('go', 0).catch(ignore)));
    await new Promise((resolve) => setTimeout(resolve, 5 + random.next() * 60));
    if (kills >= killsLeast) await until(async () => (await open()) === 0);
    child.kill('SIGKILL');
    await gone;
    kills += 1;
    if ((await open()) === 0) break;
  }

  expect(kills).toBeGreaterThan(killsLeast);
  for (const handle of handles) {
    const { order, first, same } = (await handle.result()) as Ended;
    expect(order.toSorted()).toEqual(['go', 'part', 'sleep#1', 'work:1']);
    expect(order).toEqual(await orderInHistory(handle));
    expect({ first, same }).toEqual({ first: order[0], same: true });
  }
  expect(ranAgain(readFileSync(journal, 'utf8'))).toEqual([]);
  expect(existsSync(path)).toBe(true);
}, 90_000);

function ignore(): void {
  // It has ended already.
}

/** Or for as long as a test may take: what is not so then shows in what is expected after. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 150 && !(await holds()); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What the code waited for, as the history has it. */
async function orderInHistory(
  handle: ReturnType<ReturnType<AsyncTaskComponent['getClient']>['workflow']['getHandle']>,
): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const scheduled = new Map<string, string>();
  const order: string[] = [];
  for (const event of events ?? []) {
    const id = event.activityTaskScheduledEventAttributes?.activityId;
    if (id) scheduled.set(String(event.eventId), id);
    switch (event.eventType) {
      case EventType.EVENT_TYPE_TIMER_FIRED:
        order.push(event.timerFiredEventAttributes?.timerId ?? '');
        break;
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        order.push(event.workflowExecutionSignaledEventAttributes?.signalName ?? '');
        break;
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
        order.push(event.childWorkflowExecutionCompletedEventAttributes?.workflowType?.name ?? '');
        break;
      case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const of = event.activityTaskCompletedEventAttributes?.scheduledEventId;
        const key = scheduled.get(String(of)) ?? '';
        if (key === 'work:1') order.push(key);
        break;
      }
      default:
    }
  }
  // A signal may have been sent again.
  return [...new Set(order)];
}

/** Steps whose result the code went on with, and which began once more. */
function ranAgain(journal: string): string[] {
  const lines = journal.trim().split('\n');
  // What `after` was given is what won the race: it was asked for once, whoever ran it.
  const winners = new Map<string, Set<string>>();
  for (const line of lines) {
    const [, workflowId = '', winner = ''] = /^begin (contest-\d+)\/after (.*)$/.exec(line) ?? [];
    if (workflowId === '') continue;
    winners.set(workflowId, (winners.get(workflowId) ?? new Set()).add(winner));
  }
  const differing = [...winners].filter(([, won]) => won.size > 1).map(([id]) => `${id}/after`);
  // With `after` begun its branch has ended: a `work` that won must not begin again.
  const repeated = [...winners].filter(([id, won]) => {
    if (!won.has('work:1')) return false;
    const begun = lines.indexOf(`begin ${id}/after work:1`);
    return lines.lastIndexOf(`begin ${id}/work`) > begun;
  });
  return [...differing, ...repeated.map(([id]) => `${id}/work`)];
}
