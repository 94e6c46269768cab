/** One task as the parent lives it: submitted until acknowledged, looked at, signalled, waited for. All journalled. */
import type { Chance } from '../chance.ts';
import type { Journal, ParentEntry } from './journal.ts';
import type { Command } from './messages.ts';
import { passed } from './pause.ts';
import type { Workload } from './workloads.ts';

export interface TaskLife {
  readonly taskId: string;
  readonly workload: Workload;
  readonly chance: Chance;
  readonly journal: Journal<ParentEntry>;
  readonly submitter: (command: Command) => Promise<unknown>;
  readonly anybody: (command: Command) => Promise<unknown>;
  readonly complain: (complaint: string) => void;
  readonly over: () => boolean;
}

interface Status {
  readonly status: string;
  readonly completedSteps?: readonly string[];
}

export async function liveTask(life: TaskLife): Promise<void> {
  const { taskId, workload, chance, journal } = life;
  const waits = Array.from({ length: 5 }, () =>
    chance.next() < 0.25 ? 0 : Math.floor(chance.next() ** 2 * 60),
  );
  const signalAtOnce = chance.next() < 0.5;
  journal.write({ at: Date.now(), intent: 'submit', taskId });
  await life.submitter({ do: 'submit', workload: workload.name, params: { taskId, waits } });
  journal.write({ at: Date.now(), ack: 'submit', taskId });
  let ended = false;
  const looked = look(life, () => ended, workload.signalled && !signalAtOnce);
  if (workload.signalled && signalAtOnce) await signalled(life);
  try {
    await resultOf(life);
  } finally {
    ended = true;
    await looked;
  }
}

async function resultOf({ taskId, workload, journal, submitter }: TaskLife): Promise<void> {
  journal.write({ at: Date.now(), intent: 'result', taskId });
  const value = await submitter({ do: 'result', workload: workload.name, taskId });
  journal.write({ at: Date.now(), ack: 'result', taskId, value });
}

async function signalled({ taskId, journal, submitter }: TaskLife): Promise<void> {
  journal.write({ at: Date.now(), intent: 'signal', taskId });
  await submitter({ do: 'signal', taskId, value: `for ${taskId}`, requestId: `signal-${taskId}` });
  journal.write({ at: Date.now(), ack: 'signal', taskId });
}

/** Asks for the status now and then, from any process; what it has shown once must not be taken back. */
async function look(life: TaskLife, ended: () => boolean, signal: boolean): Promise<void> {
  const { taskId, workload, chance, journal, anybody } = life;
  const seen: string[] = [];
  let signalling: Promise<void> | undefined;
  try {
    for (;;) {
      // The last look is after the end: what is completed then stays so.
      const last = ended();
      const { status, completedSteps = [] } = (await anybody({
        do: 'status',
        workload: workload.name,
        taskId,
      })) as Status;
      if (status === 'not_found') life.complain(`lost: ${taskId} is not found after its submit`);
      for (const key of seen) {
        if (!completedSteps.includes(key)) {
          life.complain(`lost: ${taskId} no longer shows ${key} as completed`);
        }
      }
      for (const key of completedSteps) {
        if (seen.includes(key)) continue;
        seen.push(key);
        journal.write({ at: Date.now(), seen: key, taskId });
      }
      if (signal && completedSteps.includes(workload.keys[0] ?? '')) {
        signalling ??= signalled(life);
        // It is awaited below; until then its failure is not unhandled.
        signalling.catch(() => undefined);
      }
      if (last || life.over()) break;
      await passed(new Promise(() => undefined), chance.whole(5, 120));
    }
    await signalling;
  } catch (error) {
    if (!life.over()) throw error;
  }
}
