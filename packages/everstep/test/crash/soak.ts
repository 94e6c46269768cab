/**
 * `npm run soak -- --minutes N [--rate R] [--seed S] [--kill-every seconds]`: R tasks a second over one SQLite file, one
 * process that lives on and workers that are killed, finished runs deleted after half a minute. Every minute a line with
 * the memory of the process that lives and the size of the files; at the end the ledger: what was acknowledged less
 * what it came to must be nothing, and neither memory nor files may still be growing.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Chance } from '../chance.ts';
import { ProcessDied, Spares, type Crewman } from './crew.ts';
import { Journal, ledgerPath, readLedgers, type ParentEntry } from './journal.ts';
import type { Command, Memory, Role } from './messages.ts';
import { passed } from './pause.ts';
import { isPassing } from './round.ts';
import { balance, growth, type Balance } from './soak-ledger.ts';
import { liveTask } from './task-life.ts';
import { workloads } from './workloads.ts';

const retentionMs = 30_000;
const inFlightMax = 60;
const drainMsMax = 120_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    rate: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'kill-every': { type: 'string', default: '10' },
  },
});
const minutes = positive('--minutes', values.minutes);
const rate = positive('--rate', values.rate);
const killEveryMs = positive('--kill-every', values['kill-every']) * 1_000;
const seed = positive('--seed', values.seed);

interface Sample {
  readonly minute: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly fileBytes: number;
  readonly walBytes: number;
}

class Soak {
  readonly #folder = mkdtempSync(join(tmpdir(), 'everstep-soak-'));
  readonly #path = join(this.#folder, 'tasks.db');
  readonly #journal = new Journal<ParentEntry>(join(this.#folder, 'journal.jsonl'));
  readonly #chance = new Chance(seed);
  readonly #spares = new Spares();
  readonly #complaints: string[] = [];
  readonly #crew: Crewman[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #samples: Sample[] = [];
  #named = 0;
  #kills = 0;
  #submitted = 0;
  #over = false;

  async run(): Promise<boolean> {
    const started = performance.now();
    const minute = (): number => (performance.now() - started) / 60_000;
    try {
      const lasting = await this.#start('both');
      for (const role of ['worker', 'worker'] as const) await this.#start(role);
      const load = this.#load(() => minute() < minutes);
      const kills = this.#kill(() => minute() < minutes);
      for (let next = 1; next <= minutes; next += 1) {
        await passed(new Promise(() => undefined), Math.max(0, (next - minute()) * 60_000));
        await this.#sample(next, lasting);
      }
      await Promise.all([load, kills]);
      if ((await passed(Promise.all(this.#open), drainMsMax)) === 'late') {
        this.#complain(`stuck: ${this.#open.size} tasks have not ended`);
      }
    } finally {
      this.#over = true;
      for (const member of this.#crew) member.kill();
      await Promise.all(this.#crew.map((member) => member.ended));
      await this.#spares.dismiss();
    }
    return this.#tell(balance(this.#journal.entries, readLedgers(this.#folder)));
  }

  async #start(role: Role): Promise<Crewman> {
    const member = this.#spares.take((said) => this.#complain(said));
    this.#spares.provide(1);
    this.#named += 1;
    member.role = role;
    member.name = `${this.#named}-${role}`;
    const ledger = ledgerPath(this.#folder, member.name);
    this.#crew.push(member);
    await member.ask({ do: 'start', store: this.#path, role, ledger, retentionMs });
    member.ready = true;
    return member;
  }

  async #load(goesOn: () => boolean): Promise<void> {
    for (let number = 0; goesOn(); number += 1) {
      const workload = workloads[number % workloads.length];
      if (workload === undefined) return;
      const life = liveTask({
        taskId: `${workload.name}-${number}`,
        workload,
        chance: new Chance(seed + 7_919 * (number + 1)),
        journal: this.#journal,
        submitter: (command) => this.#ask(command),
        anybody: (command) => this.#ask(command),
        complain: (complaint) => this.#complain(complaint),
        over: () => this.#over,
      }).catch((error: unknown) => {
        if (!this.#over) this.#complain(`${workload.name}-${number}: ${String(error)}`);
      });
      this.#submitted += 1;
      this.#open.add(life);
      void life.then(() => this.#open.delete(life));
      // A machine that is busy with other things gets less: the load is no test of its speed.
      await passed(new Promise(() => undefined), 1_000 / rate);
      while (this.#open.size >= inFlightMax) await Promise.race(this.#open);
    }
  }

  async #ask(command: Command): Promise<unknown> {
    for (let tries = 0; ; tries += 1) {
      const able = this.#crew.filter((member) => member.ready);
      try {
        return await this.#chance.pick(able).ask(command);
      } catch (error) {
        if (this.#over || tries === 1_000) throw error;
        if (!(error instanceof ProcessDied) && !isPassing(error)) throw error;
        await passed(new Promise(() => undefined), 20);
      }
    }
  }

  async #kill(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await passed(new Promise(() => undefined), killEveryMs * (0.5 + this.#chance.next()));
      const workers = this.#crew.filter(({ ready, role }) => ready && role === 'worker');
      const victim = this.#chance.pick(workers);
      victim.kill();
      await victim.ended;
      this.#crew.splice(this.#crew.indexOf(victim), 1);
      this.#kills += 1;
      await this.#start('worker');
    }
  }

  async #sample(minute: number, lasting: Crewman): Promise<void> {
    const memory = (await lasting.ask({ do: 'memory' })) as Memory;
    const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const sample = {
      minute,
      ...memory,
      fileBytes: size(this.#path),
      walBytes: size(`${this.#path}-wal`),
    };
    this.#samples.push(sample);
    console.log(
      `minute ${minute}: ${this.#submitted} tasks, ${this.#open.size} open, ${this.#kills} kills; ` +
        `rss ${mb(sample.rssBytes)}, heap ${mb(sample.heapBytes)}, file ${mb(sample.fileBytes)}, ` +
        `wal ${mb(sample.walBytes)}`,
    );
  }

  #complain(complaint: string): void {
    if (this.#over) return;
    this.#complaints.push(complaint);
    if (this.#complaints.length <= 20) console.log(`! ${complaint}`);
  }

  #tell(ledger: Balance): boolean {
    const grows = (['rssBytes', 'heapBytes', 'fileBytes', 'walBytes'] as const).map((what) => ({
      what,
      ...growth(this.#samples.map((sample) => sample[what])),
    }));
    console.log(
      `\n${minutes} minutes, ${this.#submitted} tasks, ${this.#kills} kills\n` +
        `acknowledged ${ledger.acknowledged}; effects ${ledger.effects}; lost ${ledger.lost}; ` +
        `duplicated ${ledger.duplicated}; steps in flight repeated ${ledger.inFlight}; ` +
        `complaints ${this.#complaints.length}`,
    );
    for (const { what, middle, end } of grows) {
      console.log(`${what}: ${mb(middle)} in the second quarter, ${mb(end)} in the last`);
    }
    for (const problem of ledger.problems.slice(0, 20)) console.log(`! ${problem}`);
    const growing = grows.filter(({ bounded }) => !bounded);
    for (const { what } of growing) console.log(`! ${what} was still growing at the end`);
    const good =
      ledger.problems.length === 0 && this.#complaints.length === 0 && growing.length === 0;
    if (good) rmSync(this.#folder, { recursive: true, force: true });
    else console.log(`kept: ${this.#folder}`);
    return good;
  }
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  console.error(`${name} wants a number above 0, not ${text}`);
  process.exit(2);
}

process.exitCode = (await new Soak().run()) ? 0 : 1;
