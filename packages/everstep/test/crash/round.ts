/**
 * One round: processes over one new file, tasks that flow through them, kills one after the other, and then calm, in
 * which everything must end. verdict.ts judges what is left.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Chance } from '../chance.ts';
import { ProcessDied, Refused, type Crewman, type Spares } from './crew.ts';
import {
  isDatabaseFault,
  migrationTraps,
  trapAt,
  type DatabaseFault,
  type Failpoint,
  type Place,
  type Trap,
} from './failpoints.ts';
import type { Site } from './ground.ts';
import { Journal, ledgerPath, type ParentEntry } from './journal.ts';
import type { Command, Role } from './messages.ts';
import type { PlantedBug } from './planted.ts';
import { passed } from './pause.ts';
import { liveTask } from './task-life.ts';
import { workloads } from './workloads.ts';

export const shapes = ['one process', 'worker of several', 'submitter of several'] as const;
/** Which processes there are, and which of them is killed. */
export type Shape = (typeof shapes)[number];

export interface RoundPlan {
  readonly shape: Shape;
  readonly kills: readonly Failpoint[];
  readonly seed: number;
  readonly folder: string;
  readonly site: Site;
  readonly migrationPlaces: readonly Place[];
  readonly spares: Spares;
  readonly planted?: PlantedBug;
  /** At least so many, however soon the kills are done. */
  readonly tasksMin: number;
}

export interface RoundOutcome {
  readonly journal: readonly ParentEntry[];
  readonly killed: number;
  /** Kills that were planned and did not happen, and whatever else went wrong before the verdict. */
  readonly complaints: readonly string[];
}

const strikeMsMax = 60_000;
const drainMsMax = 90_000;
/** What is stuck by a planted bug needs no long proof. */
const plantedDrainMsMax = 20_000;
const inFlightMax = 8;
/** 20 ms apart: longer than a database is away. */
const refusalsMax = 3_000;

export class Round {
  readonly #plan: RoundPlan;
  readonly #chance: Chance;
  readonly #journal: Journal<ParentEntry>;
  readonly #crew: Crewman[] = [];
  readonly #victimRole: Role;
  readonly #complaints: string[] = [];
  #waiting: (() => void)[] = [];
  #named = 0;
  #killed = 0;
  #calm = false;
  #over = false;

  constructor(plan: RoundPlan) {
    this.#plan = plan;
    this.#chance = new Chance(plan.seed);
    mkdirSync(plan.folder, { recursive: true });
    this.#journal = new Journal(join(plan.folder, 'journal.jsonl'));
    this.#victimRole =
      plan.shape === 'one process'
        ? 'both'
        : plan.shape === 'worker of several'
          ? 'worker'
          : 'submitter';
  }

  async run(): Promise<RoundOutcome> {
    const lives = new Set<Promise<void>>();
    let flow: Promise<void> | undefined;
    try {
      const kills = [...this.#plan.kills];
      await this.#plan.spares.change('this');
      await this.#open(this.#roles(), 'during-migration');
      flow = this.#flow(lives);
      for (const kill of kills) if (!isMigration(kill)) await this.#strike(kill);
      if (kills.includes('during-second-migration')) await this.#upgrade();
      this.#calm = true;
      const ended = flow.then(() => Promise.all(lives));
      const drainMs = this.#plan.planted ? plantedDrainMsMax : drainMsMax;
      if ((await passed(ended, drainMs)) === 'late') {
        this.#complaints.push(`stuck: not everything has ended ${drainMs} ms after the last kill`);
      } else {
        await this.#dismiss();
      }
    } finally {
      this.#over = true;
      this.#calm = true;
      for (const member of this.#crew) member.kill();
      await Promise.all(this.#crew.map((member) => member.ended));
      this.#wake();
    }
    return {
      journal: this.#journal.entries,
      killed: this.#killed,
      complaints: [...new Set(this.#complaints)],
    };
  }

  // Processes.

  #roles(): Role[] {
    if (this.#victimRole === 'both') return ['both'];
    const workers = Array.from({ length: this.#chance.whole(2, 3) }, () => 'worker' as const);
    return ['submitter', ...workers];
  }

  /** Everybody dies, and processes of the next release take over, which bring the file to another form first. */
  async #upgrade(): Promise<void> {
    await passed(new Promise(() => undefined), this.#chance.whole(100, 500));
    const old = this.#crew.filter((member) => member.alive);
    for (const member of old) member.kill();
    for (const member of old) await this.#died(member, 'random, for an upgrade');
    await this.#plan.spares.change('next');
    await this.#open(
      old.map((member) => member.role),
      'during-second-migration',
    );
  }

  /** Starts everybody; with kills during the migration, whom it concerns first. */
  async #open(
    roles: readonly Role[],
    migration: 'during-migration' | 'during-second-migration',
  ): Promise<void> {
    const count = this.#plan.kills.filter((kill) => kill === migration).length;
    let victims = roles.filter((role) => role === this.#victimRole);
    for (const trap of migrationTraps(migration, this.#plan.migrationPlaces, count, this.#chance)) {
      // Somebody got through and has opened the file: what is left of opening it is not there for the others.
      if (this.#ready(() => true).length > 0) break;
      const started = await Promise.all(victims.map((role) => this.#start(role, trap)));
      const dead = started.filter((member) => !member.alive);
      this.#killed += dead.length;
      if (dead.length === 0) this.#complaints.push(`not reached: ${trap.place}`);
      for (const member of started) if (member.alive) await member.ask({ do: 'arm' });
      victims = dead.map((member) => member.role);
    }
    const others = roles.filter((role) => role !== this.#victimRole);
    await Promise.all([...victims, ...others].map((role) => this.#start(role)));
  }

  /** Resolves when the process runs, or is dead. */
  async #start(role: Role, trap?: Trap): Promise<Crewman> {
    const member = this.#plan.spares.take((said) => {
      // A process that is killed says nothing, so what is said is worth a look.
      if (!this.#over && !this.#isExpected(said)) this.#complaints.push(said);
    });
    this.#plan.spares.provide(2);
    this.#named += 1;
    member.role = role;
    member.name = `${this.#named}-${role}`;
    this.#crew.push(member);
    try {
      await member.ask({
        do: 'start',
        store: this.#plan.site.store,
        role,
        ledger: ledgerPath(this.#plan.folder, member.name),
        ...(trap && { trap }),
        ...(this.#plan.planted && { planted: this.#plan.planted }),
      });
      member.ready = true;
      this.#wake();
    } catch (error) {
      if (!(error instanceof ProcessDied)) {
        this.#complaints.push(`${member.name} did not start: ${String(error)}`);
        member.kill();
        await member.ended;
      }
    }
    return member;
  }

  /** A process says so when its database is away or undoes a write. */
  #isExpected(said: string): boolean {
    const suffers = this.#plan.kills.some((kill) => isDatabaseFault(kill));
    return suffers && /STORE_UNREACHABLE|STORE_BUSY|The store can be used again/.test(said);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #ready(fits: (role: Role) => boolean): Crewman[] {
    return this.#crew.filter((member) => member.ready && fits(member.role));
  }

  /** Asks some process, another one when it dies, until one answers. */
  async #ask(command: Command, fits: (role: Role) => boolean): Promise<unknown> {
    for (let refusals = 0; ;) {
      const able = this.#ready(fits);
      if (able.length === 0) {
        if (this.#over) throw new ProcessDied('The round is over');
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      try {
        return await this.#chance.pick(able).ask(command);
      } catch (error) {
        if (this.#over) throw error;
        if (error instanceof ProcessDied) continue;
        if (!isPassing(error) || refusals === refusalsMax) throw error;
        refusals += 1;
        await passed(new Promise(() => undefined), 20);
      }
    }
  }

  // Kills.

  async #strike(kill: Failpoint): Promise<void> {
    if (isDatabaseFault(kill)) await this.#strikeDatabase(kill);
    else if (kill === 'during-recovery') await this.#strikeRecovery();
    else if (kill === 'random') await this.#strikeAtRandom();
    else {
      const trap = trapAt(kill, this.#chance, this.#victimRole === 'submitter');
      const [victim] = await this.#victims();
      if (victim === undefined) return;
      const armed = victim.ask({ do: 'arm', trap });
      armed.catch(() => undefined);
      if ((await passed(victim.ended, strikeMsMax)) === 'late') {
        this.#complaints.push(`not reached: ${trap.place} after ${trap.skip} by ${victim.name}`);
        victim.kill();
        await victim.ended;
      } else {
        await this.#died(victim, `${trap.place} after ${trap.skip}`);
      }
      await this.#start(victim.role);
    }
  }

  async #strikeDatabase(fault: DatabaseFault): Promise<void> {
    await passed(new Promise(() => undefined), this.#chance.whole(100, 500));
    const { site } = this.#plan;
    if (site.suffer === undefined) {
      throw new TypeError(`Nothing of the kind happens to ${site.store}: ${fault}`);
    }
    const prevented = await site.suffer(fault, this.#chance);
    this.#journal.write({ at: Date.now(), killed: 'the database', where: fault });
    if (prevented === undefined) this.#killed += 1;
    else this.#complaints.push(`not reached: ${fault}: ${prevented}`);
  }

  async #strikeAtRandom(): Promise<void> {
    await passed(new Promise(() => undefined), this.#chance.whole(0, 500));
    const [victim] = await this.#victims();
    if (victim === undefined) return;
    victim.kill();
    await this.#died(victim, 'random');
    await this.#start(victim.role);
  }

  /** One is killed, and whoever takes up its work is killed over it. */
  async #strikeRecovery(): Promise<void> {
    for (let tries = 0; tries < 6; tries += 1) {
      await passed(new Promise(() => undefined), this.#chance.whole(50, 250));
      const trap = trapAt('during-recovery', this.#chance, false);
      const [first] = await this.#victims();
      if (first === undefined) return;
      // A submitter sees only the death of workers that no other worker sees.
      const submitter = this.#victimRole === 'submitter';
      const dead = submitter ? this.#ready((role) => role === 'worker') : [first];
      const watchers = this.#ready((role) => role === this.#victimRole).filter(
        (member) => !dead.includes(member),
      );
      await Promise.all(
        watchers.map((member) => member.ask({ do: 'arm', trap }).catch(() => undefined)),
      );
      for (const member of dead) member.kill();
      for (const member of dead) await this.#died(member, 'random, for a recovery');
      const next = submitter ? [] : [await this.#start(first.role, trap)];
      const armed = [...watchers, ...next];
      const struck = await Promise.race([
        passed(new Promise(() => undefined), 2_500).then(() => undefined),
        ...armed.map((member) => member.ended.then(() => member)),
      ]);
      if (struck !== undefined) await this.#died(struck, trap.place);
      for (const member of armed) await member.ask({ do: 'arm' }).catch(() => undefined);
      // More than one may have walked into it.
      for (const member of armed) {
        if (!member.alive && member !== struck) await this.#died(member, trap.place);
      }
      const gone = [...dead, ...armed.filter((member) => !member.alive)];
      const missing = gone.slice(next.length);
      await Promise.all(missing.map((member) => this.#start(member.role)));
      if (struck !== undefined) return;
    }
    this.#complaints.push('not reached: during-recovery');
  }

  async #died(member: Crewman, where: string): Promise<void> {
    const { signal, code } = await member.ended;
    this.#journal.write({ at: Date.now(), killed: member.name, where });
    if (signal === 'SIGKILL') this.#killed += 1;
    else this.#complaints.push(`${member.name} ended by itself: ${signal ?? `code ${code}`}`);
  }

  async #victims(): Promise<Crewman[]> {
    const fits = (role: Role): boolean => role === this.#victimRole;
    for (let tries = 0; this.#ready(fits).length === 0; tries += 1) {
      if (tries === 3 || this.#over) {
        this.#complaints.push(`no ${this.#victimRole} is there to be killed`);
        return [];
      }
      await passed(new Promise<void>((resolve) => this.#waiting.push(resolve)), 5_000);
    }
    return [this.#chance.pick(this.#ready(fits))];
  }

  // Tasks.

  /** Keeps tasks in flight until the kills are done. */
  async #flow(lives: Set<Promise<void>>): Promise<void> {
    const open = new Set<Promise<void>>();
    for (
      let number = 0;
      !this.#over && (!this.#calm || number < this.#plan.tasksMin);
      number += 1
    ) {
      const workload = workloads[number % workloads.length];
      if (workload === undefined) return;
      const life = liveTask({
        taskId: `${workload.name}-${number}`,
        workload,
        chance: new Chance(this.#plan.seed + 7_919 * (number + 1)),
        journal: this.#journal,
        submitter: (command) => this.#ask(command, (role) => role !== 'worker'),
        anybody: (command) => this.#ask(command, () => true),
        complain: (complaint) => this.#complaints.push(complaint),
        over: () => this.#over,
      }).catch((error: unknown) => {
        if (!this.#over) this.#complaints.push(`${workload.name}-${number}: ${String(error)}`);
      });
      open.add(life);
      lives.add(life);
      void life.then(() => open.delete(life));
      while (open.size >= inFlightMax && !this.#over) await Promise.race(open);
    }
  }

  /** Everybody stops in an orderly way, the submitter last or first by chance. */
  async #dismiss(): Promise<void> {
    const members = this.#crew.filter((member) => member.alive);
    for (const member of members) member.ready = false;
    for (const member of members) {
      const stopped = member.ask({ do: 'stop' }).then(
        () => undefined,
        (error: unknown) => {
          if (!(error instanceof ProcessDied)) this.#complaints.push(`stop: ${String(error)}`);
        },
      );
      // Far above what a stop takes, as other rounds and tests may have the machine.
      if ((await passed(Promise.all([stopped, member.ended]), 30_000)) === 'late') {
        this.#complaints.push(`${member.name} did not stop`);
      }
    }
  }
}

function isMigration(kill: Failpoint): boolean {
  return kill === 'during-migration' || kill === 'during-second-migration';
}

/** Answers that say: not now. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Refused)) return false;
  const { code, message } = error;
  return (
    code === 'RESULT_TIMEOUT' ||
    code === '14' ||
    (code === 'SUBMIT_FAILED' && /UNAVAILABLE|try again/i.test(message))
  );
}
