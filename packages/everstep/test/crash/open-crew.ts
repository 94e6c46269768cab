/** Processes on one file for a test that says itself who dies when; round.ts has those that die by chance. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Chance } from '../chance.ts';
import { ProcessDied, type Crewman, type Spares } from './crew.ts';
import { Journal, ledgerPath, readLedgers, type ParentEntry } from './journal.ts';
import type { Command, Role } from './messages.ts';
import { passed } from './pause.ts';
import { isPassing } from './round.ts';
import { readFile } from './stored-tasks.ts';
import { liveTask } from './task-life.ts';
import { judge, type Verdict } from './verdict.ts';
import { workloadOf, workloads } from './workloads.ts';

const triesMax = 500;

export class OpenCrew {
  readonly #spares: Spares;
  readonly #folder: string;
  readonly path: string;
  readonly journal: Journal<ParentEntry>;
  /** What the processes logged as a warning or an error, and what went wrong in a task's life. */
  readonly said: string[] = [];
  readonly #chance = new Chance(7);
  readonly #lives: Promise<void>[] = [];
  #crew: Crewman[] = [];
  #named = 0;
  #numbered = 0;
  #over = false;

  constructor(spares: Spares, folder: string, path = join(folder, 'tasks.db')) {
    this.#spares = spares;
    this.#folder = folder;
    this.path = path;
    mkdirSync(folder, { recursive: true });
    this.journal = new Journal(join(folder, 'journal.jsonl'));
  }

  async start(...roles: readonly Role[]): Promise<void> {
    await Promise.all(
      roles.map(async (role) => {
        const member = this.#spares.take((said) => this.said.push(said));
        this.#named += 1;
        member.role = role;
        member.name = `${this.#named}-${role}`;
        this.#crew.push(member);
        const ledger = ledgerPath(this.#folder, member.name);
        await member.ask({ do: 'start', store: this.path, role, ledger });
        member.ready = true;
      }),
    );
    this.#spares.provide(roles.length);
  }

  async killAll(): Promise<void> {
    const crew = this.#crew;
    this.#crew = [];
    for (const member of crew) member.kill();
    await Promise.all(crew.map((member) => member.ended));
  }

  async stopAll(): Promise<void> {
    const crew = this.#crew;
    this.#crew = [];
    for (const member of crew) {
      member.ready = false;
      await member.ask({ do: 'stop' }).catch((error: unknown) => {
        if (!(error instanceof ProcessDied)) throw error;
      });
      await member.ended;
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.killAll();
    await Promise.all(this.#lives);
  }

  /** Once, with whatever it comes to. */
  once(command: Command): Promise<unknown> {
    return this.#chance.pick(this.#crew.filter(({ ready }) => ready)).ask(command);
  }

  /** Until somebody could answer it, at the latest when the disk has room again. */
  async ask(command: Command): Promise<unknown> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.once(command);
      } catch (error) {
        const nobody = error instanceof RangeError || error instanceof ProcessDied;
        const passing = nobody || isPassing(error) || isDiskFull(error);
        if (this.#over || !passing || tries === triesMax) throw error;
        await passed(new Promise(() => undefined), 100);
      }
    }
  }

  /** A task whose steps last as long as said, submitted and then left alone. */
  async submit(taskId: string, waits: readonly number[]): Promise<void> {
    const workload = taskId.slice(0, taskId.lastIndexOf('-'));
    this.journal.write({ at: Date.now(), intent: 'submit', taskId });
    await this.ask({ do: 'submit', workload, params: { taskId, waits } });
    this.journal.write({ at: Date.now(), ack: 'submit', taskId });
  }

  async until(taskId: string, step: string): Promise<void> {
    const workload = taskId.slice(0, taskId.lastIndexOf('-'));
    for (;;) {
      const { completedSteps = [] } = (await this.ask({ do: 'status', workload, taskId })) as {
        readonly completedSteps?: readonly string[];
      };
      if (completedSteps.includes(step)) return;
      await passed(new Promise(() => undefined), 20);
    }
  }

  /** That many tasks of all kinds, whose lives go on whoever dies. */
  live(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const workload = workloads[this.#numbered % workloads.length];
      if (workload === undefined) return;
      const taskId = `${workload.name}-${this.#numbered}`;
      this.#lives.push(this.#life(taskId));
      this.#numbered += 1;
    }
  }

  async #life(taskId: string): Promise<void> {
    try {
      await liveTask({
        taskId,
        workload: workloadOf(taskId.slice(0, taskId.lastIndexOf('-'))),
        chance: new Chance(7_919 * (this.#numbered + 1)),
        journal: this.journal,
        submitter: (command) => this.ask(command),
        anybody: (command) => this.ask(command),
        complain: (complaint) => this.said.push(complaint),
        over: () => this.#over,
      });
    } catch (error) {
      if (!this.#over) this.said.push(`${taskId}: ${String(error)}`);
    }
  }

  async lived(): Promise<void> {
    await Promise.all(this.#lives.splice(0));
  }

  /** What is left when everybody has stopped, but for tasks that the test has spoilt itself. */
  async verdict(spoilt: readonly string[] = []): Promise<Verdict> {
    const journal = this.journal.entries.filter(
      (entry) => !('taskId' in entry && spoilt.includes(entry.taskId)),
    );
    const ledger = readLedgers(this.#folder).filter(({ taskId }) => !spoilt.includes(taskId));
    return judge(journal, ledger, await readFile(this.path, true));
  }
}

function isDiskFull(error: unknown): boolean {
  const { message } = error as { readonly message?: unknown };
  return typeof message === 'string' && message.includes('no room left');
}
