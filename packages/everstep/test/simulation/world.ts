/**
 * A world: one disk, some machines, two to five processes on them, clients, and what goes wrong, all drawn from a
 * seed. First with faults, then without: then everything must come to its end in bounded time.
 */
import { createHash } from 'node:crypto';
import { isOpen } from '../../src/core/state.ts';
import type { OperatorService } from '../../src/service/operator-service.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import { Chance } from '../chance.ts';
import { Archive } from './archive.ts';
import type { Violation } from './archive.ts';
import { Clients, fewSignals } from './clients.ts';
import { Disk } from './disk.ts';
import { checkWorld } from './end-check.ts';
import { drawFaults } from './fault-plan.ts';
import type { FaultPlan } from './fault-plan.ts';
import { LeftRows, leftMs } from './left-rows.ts';
import { Ledger } from './ledger.ts';
import type { PlantedBug } from './planted-bug.ts';
import { worldStart } from './process-clock.ts';
import { RuleCoverage } from './rule-coverage.ts';
import { SimProcess } from './sim-process.ts';
import type { Machine, ProcessWorld } from './sim-process.ts';
import { Timeline } from './timeline.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly bug?: PlantedBug | undefined;
  /** Every line of the trace as it is written. */
  readonly onTrace?: ((line: string) => void) | undefined;
  readonly coverage?: RuleCoverage;
}

export interface WorldReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Of the whole trace. */
  readonly digest: string;
  readonly virtualMs: number;
  readonly commits: number;
  readonly events: number;
  readonly runs: number;
  readonly acknowledged: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly archive: Archive;
  readonly disk: Disk;
}

/** Without faults, everything must have ended by then. */
const finishMs = 400_000;
const violationsMax = 20;
/** In so many worlds one process is left alone when the faults end. */
const lonelyOften = 0.3;
/** So long it has to itself at most. */
const lonelyMs = 60_000;
/** Until then the others have been found dead, on another machine too. */
const buriedMs = 15_000;

export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  // Failures carry their stacks: they would make a trace depend on where the code lies, and cost a third of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await new World(options).run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

class World implements ProcessWorld {
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly disk: Disk;
  readonly archive: Archive;
  readonly ledger: Ledger;
  readonly coverage: RuleCoverage;
  readonly bug: PlantedBug | undefined;
  readonly retentionMs: number;
  readonly engineLimits;
  readonly coreLimits;
  finishing = false;
  readonly #options: WorldOptions;
  readonly #plan: FaultPlan;
  readonly #machines: readonly Machine[];
  readonly #clients: Clients;
  readonly #digest = createHash('sha256');
  readonly #violations: Violation[] = [];
  readonly #faults = new Map<string, number>();
  #processes: SimProcess[] = [];
  /** So many processes there are to be: who dies is replaced. */
  #wanted: number;
  /** The process that is left alone at the end, with all that the others leave. */
  #survivor: SimProcess | undefined;
  #latestOffsetMs = 0;
  #pids = 100;
  #uuids = 0;

  constructor(options: WorldOptions) {
    const { seed } = options;
    this.#options = options;
    const chance = new Chance(seed);
    this.chance = chance;
    this.bug = options.bug;
    this.coverage = options.coverage ?? new RuleCoverage();
    this.timeline = new Timeline(new Chance(seed ^ 0x5bd1e995));
    this.#plan = drawFaults(chance);
    this.#machines = Array.from({ length: chance.whole(1, 2) }, (_, index) => ({
      hostId: `machine-${index}`,
      offsetMs: 0,
    }));
    this.#wanted = chance.whole(2, chance.next() < 0.2 ? 5 : 3);
    this.retentionMs = chance.next() < 0.3 ? chance.whole(2_000, 30_000) : 86_400_000;
    this.engineLimits = {
      longPollMs: chance.next() < 0.5 ? 20_000 : 60_000,
      historyPageEvents: chance.next() < 0.3 ? 7 : 256,
      liveRunsMax: chance.next() < 0.3 ? 2 : 1_000,
      waitingQueriesMax: chance.next() < 0.2 ? 1 : 100,
    };
    this.coreLimits = {
      workflowTaskBackoffBaseMs: 500,
      workflowTaskBackoffMaxMs: 8_000,
      bufferedEventsMax: chance.next() < 0.2 ? 4 : 100,
      updateTaskFailuresMax: chance.next() < 0.4 ? 2 : 3,
      updatesInFlightMax: chance.next() < 0.45 ? 1 : 10,
      signalsMax: chance.next() < 0.1 ? fewSignals : 10_000,
      ...(chance.next() < 0.2 ? { suggestContinueAsNewEvents: 25 } : {}),
      ...(chance.next() < 0.4 ? { payloadBytesMax: 4_000 } : {}),
      ...(chance.next() < 0.2 ? { workflowTaskProblemsReported: 2 } : {}),
      ...(chance.next() < 0.2 ? { workflowTaskHeartbeatMaxMs: 500 } : {}),
    };
    this.disk = new Disk(this.timeline, chance, this.#plan, {
      committed: (group, refs) => {
        try {
          this.archive.committed(group, refs);
        } catch (error) {
          // The engine would take it for trouble of the store.
          const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
          this.violated({ invariant: 0, what: `a check failed: ${text}` });
        }
      },
      deleted: (refs) => {
        this.archive.deleted(refs);
      },
      fault: (kind, detail) => {
        this.fault(kind, detail);
      },
    });
    this.disk.glances = new Chance(seed ^ 0x2f6e_2b1d).next() < 0.5;
    this.archive = new Archive({
      data: this.disk.data,
      latest: () => worldStart + this.timeline.elapsed + this.#latestOffsetMs,
      elapsed: () => this.timeline.elapsed,
      trace: (line) => {
        this.trace(line);
      },
      violated: (violation) => {
        this.violated(violation);
      },
    });
    this.ledger = new Ledger(this.archive, (violation) => {
      this.violated(violation);
    });
    this.#clients = new Clients(this);
  }

  async run(): Promise<WorldReport> {
    const { chance, timeline } = this;
    this.trace(() => `seed ${this.#options.seed} ${JSON.stringify(this.#plan)}`);
    for (let index = 0; index < this.#wanted; index += 1) this.#startProcess();
    this.#provoke();
    // Many small worlds find more than few large ones; some are large for what only comes with time.
    const large = chance.next() < 0.05;
    const clients = chance.whole(1, large ? 4 : 2);
    const until = large ? chance.whole(30_000, 70_000) : chance.whole(4_000, 25_000);
    for (let index = 0; index < clients; index += 1) void this.#live(until);
    if (chance.next() < lonelyOften) {
      timeline.after(until - chance.whole(500, 4_000), () => {
        this.#doomAllButOne();
      });
    }
    await timeline.run(until, () => this.#broken());
    await this.#finish();
    return {
      seed: this.#options.seed,
      violations: this.#violations,
      digest: this.#digest.digest('hex'),
      virtualMs: timeline.elapsed,
      commits: this.archive.commits,
      events: this.archive.events,
      runs: this.archive.runs.size,
      acknowledged: this.ledger.acknowledged,
      faults: this.#faults,
      archive: this.archive,
      disk: this.disk,
    };
  }

  // What happens.

  async #live(until: number): Promise<void> {
    const { timeline, chance } = this;
    while (timeline.elapsed < until && !this.#broken()) {
      await timeline.wait(chance.next() < 0.3 ? chance.whole(0, 20) : chance.whole(100, 3_000));
      await this.#clients.act();
    }
  }

  #provoke(): void {
    const plan = this.#plan;
    this.#every(plan.killEveryS, () => {
      this.#someProcess()?.die('it was killed');
    });
    this.#every(plan.stopEveryS, () => {
      const process = this.#someProcess();
      if (!process?.started || process.stopping) return;
      this.fault('asked to stop', process.name);
      process.stop().catch((error: unknown) => {
        process.die(`its stop failed: ${String(error)}`);
      });
    });
    this.#every(plan.pauseEveryS, () => {
      const process = this.#someProcess();
      if (!process || process.clock.paused) return;
      const ms =
        this.chance.next() < 0.5 ? this.chance.whole(0, 5_000) : this.chance.whole(0, 120_000);
      this.fault('paused', `${process.name} for ${ms} ms`);
      process.clock.pause();
      this.timeline.after(ms, () => {
        process.clock.resume();
      });
    });
    this.#every(plan.clockJumpEveryS, () => {
      const machine = this.chance.pick(this.#machines);
      machine.offsetMs += this.chance.whole(-3_600_000, 3_600_000);
      this.#latestOffsetMs = Math.max(this.#latestOffsetMs, machine.offsetMs);
      this.fault('clock set', `${machine.hostId} is off by ${machine.offsetMs} ms`);
    });
    this.#every(plan.diskFullEveryS, () => {
      this.disk.full = true;
      this.fault('disk full', '');
      this.timeline.after(this.chance.whole(100, 5_000), () => {
        this.disk.full = false;
      });
    });
  }

  #every(meanS: number, strike: () => void): void {
    if (meanS === 0) return;
    const next = (): void => {
      this.timeline.after(2_000 * meanS * this.chance.next(), () => {
        if (this.finishing) return;
        strike();
        next();
      });
    };
    next();
  }

  #startProcess(): void {
    this.#pids += 1;
    const process = new SimProcess(this, this.chance.pick(this.#machines), this.#pids);
    this.#processes.push(process);
    this.trace(() => `${process.name} starts`);
    process.start().catch((error: unknown) => {
      process.die(`its start failed: ${String(error)}`);
    });
  }

  /** From now on nobody comes, and who goes leaves rows: one process will have to find them. */
  #doomAllButOne(): void {
    const there = this.#processes.filter(
      ({ alive, started, stopping }) => alive && started && !stopping,
    );
    if (there.length === 0) return;
    this.#survivor = this.chance.pick(there);
    this.#wanted = 1;
    for (const process of this.#processes) if (process !== this.#survivor) process.doom();
    this.trace(() => `all but ${this.#survivor?.name} are doomed`);
  }

  /**
   * No ring, no start of a process, no client: the survivor looks by itself for what the others left. Clients come
   * when it has taken all of it, since what they ask for makes it look around as well.
   */
  async #bereave(survivor: SimProcess): Promise<void> {
    const { timeline, disk } = this;
    for (const process of this.#processes) {
      if (process !== survivor) process.die('it leaves another alone');
    }
    this.trace(() => `${survivor.name} is alone`);
    const end = timeline.elapsed + lonelyMs;
    const left = new LeftRows(disk.data);
    while (timeline.elapsed < end && !this.#broken()) {
      await timeline.run(timeline.elapsed + 1_000, () => this.#broken());
      const row = left.look(timeline.elapsed);
      if (row !== undefined) {
        this.violated({
          invariant: 12,
          what: `${row} lies unclaimed for ${leftMs / 1_000} s, and ${survivor.name} is there`,
        });
      }
      if (timeline.elapsed >= end - lonelyMs + buriedMs && disk.data.tasks.size === 0) return;
    }
  }

  async #finish(): Promise<void> {
    if (this.#broken()) return;
    const { timeline, disk } = this;
    this.finishing = true;
    disk.heal();
    this.trace(() => 'the faults are over');
    // Clocks that are set right show the latest time that any has shown, so that no deadline has moved away.
    for (const machine of this.#machines) machine.offsetMs = this.#latestOffsetMs;
    for (const process of this.#processes) process.clock.resume();
    if (this.#survivor?.alive === true) await this.#bereave(this.#survivor);
    const from = timeline.elapsed;
    const end = from + finishMs;
    while (timeline.elapsed < end && !this.#broken()) {
      if (this.#processes.filter((process) => process.alive).length === 0) this.#startProcess();
      const until = timeline.elapsed < from + 6_000 ? 1_000 : 4_000;
      await timeline.run(Math.min(end, timeline.elapsed + until), () => this.#broken());
      if (this.#quiet()) {
        // What is left is told to the others and swept up. A client that was late may begin something yet.
        await timeline.run(timeline.elapsed + 2_000);
        if (this.#quiet()) break;
      }
      void this.#clients.finish();
    }
    if (this.#broken()) return;
    for (const record of this.#openRuns()) {
      this.violated({
        invariant: 12,
        what: `${record.name} (${record.state?.workflowType}) has not ended ${finishMs / 1_000} s after the faults`,
      });
    }
    if (this.#broken()) return;
    this.ledger.check();
    // A process that is left alone finds out late that the others are gone, and what they had in hand waits for that.
    const calm =
      this.#survivor === undefined && Object.values(this.#plan).every((rate) => rate === 0);
    checkWorld({
      disk,
      archive: this.archive,
      graceMs: calm ? 3_000 : 40_000,
      violated: (violation) => {
        this.violated(violation);
      },
    });
  }

  #quiet(): boolean {
    return this.#openRuns().length === 0 && this.disk.data.outbox.size === 0;
  }

  #openRuns() {
    return [...this.archive.runs.values()].filter(
      ({ state, deleted }) => !deleted && state !== undefined && isOpen(state),
    );
  }

  // What its parts ask.

  someService(): WorkflowService | undefined {
    const there = this.#processes.filter((process) => process.alive && process.started);
    if (there.length === 0) return undefined;
    const { service } = this.chance.pick(there);
    return this.bug?.service?.(service, this.chance) ?? service;
  }

  someOperator(): OperatorService | undefined {
    const there = this.#processes.filter((process) => process.alive && process.started);
    return there.length === 0 ? undefined : this.chance.pick(there).engine.operator;
  }

  #someProcess(): SimProcess | undefined {
    const there = this.#processes.filter((process) => process.alive);
    return there.length === 0 ? undefined : this.chance.pick(there);
  }

  isPidAlive(pid: number): boolean {
    return this.#processes.some((process) => process.pid === pid && process.alive);
  }

  died(process: SimProcess, how: string): void {
    this.fault('process died', `${process.name}: ${how}`);
    this.#processes = this.#processes.filter((other) => other !== process);
    this.timeline.after(this.chance.whole(0, 6_000), () => {
      if (!this.#broken() && this.#processes.length < this.#wanted) this.#startProcess();
    });
  }

  uuid(): string {
    this.#uuids += 1;
    const seed = (this.#options.seed >>> 0).toString(16).padStart(8, '0');
    return `${seed}-0000-4000-8000-${this.#uuids.toString(16).padStart(12, '0')}`;
  }

  fault(kind: string, detail: string): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
    this.trace(() => `${kind}: ${detail}`);
  }

  logged(level: string, message: string, fields: object | undefined): void {
    this.trace(() => {
      const error = (fields as { error?: unknown } | undefined)?.error;
      return `${level} ${message} ${error instanceof Error ? error.message : ''}`;
    });
  }

  violated(violation: Violation): void {
    if (this.#violations.length >= violationsMax) return;
    this.#violations.push(violation);
    this.trace(() => `VIOLATED ${violation.invariant}: ${violation.what}`);
  }

  trace(line: () => string): void {
    const text = `${this.timeline.elapsed.toFixed(3)} ${line()}`;
    this.#digest.update(text);
    this.#options.onTrace?.(text);
  }

  #broken(): boolean {
    if (this.timeline.spinning && this.#violations.length === 0) {
      this.violated({ invariant: 12, what: 'something is tried again and again without a pause' });
    }
    return this.#violations.length > 0;
  }
}
