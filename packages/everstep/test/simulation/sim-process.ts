/** One process of a world: the component's runtime over the model store, with its start and its end, and scripted workers. */
import type { Limits } from '../../src/core/limits.ts';
import { startRuntime, stopRuntime } from '../../src/component/runtime.ts';
import type { Runtime } from '../../src/component/runtime.ts';
import { transition } from '../../src/core/transition.ts';
import type { TransitionFunction } from '../../src/core/transition.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Engine, EngineOptions } from '../../src/engine/engine.ts';
import type { EngineLimits } from '../../src/engine/engine-limits.ts';
import type { Logger } from '../../src/service/logger.ts';
import type { Store } from '../../src/store/store.ts';
import type { Chance } from '../chance.ts';
import { makeContextWorkflow } from './context-program.ts';
import type { Archive } from './archive.ts';
import type { Disk } from './disk.ts';
import { DiskStore } from './disk.ts';
import type { PlantedBug } from './planted-bug.ts';
import { ProcessClock } from './process-clock.ts';
import { RawWorker } from './raw-worker.ts';
import type { RawWorkerWorld } from './raw-worker.ts';
import type { RuleCoverage } from './rule-coverage.ts';
import { checkSpeculative } from './speculative-check.ts';
import { checkAttempts, checkPaused } from './state-check.ts';
import { makeTasks } from './task-programs.ts';

export interface Machine {
  readonly hostId: string;
  offsetMs: number;
}

export interface ProcessWorld extends RawWorkerWorld {
  readonly disk: Disk;
  readonly archive: Archive;
  readonly chance: Chance;
  readonly coverage: RuleCoverage;
  readonly bug: PlantedBug | undefined;
  readonly retentionMs: number;
  readonly engineLimits: Partial<EngineLimits>;
  readonly coreLimits: Partial<Limits>;
  uuid(): string;
  isPidAlive(pid: number): boolean;
  died(process: SimProcess, how: string): void;
  logged(level: string, message: string, fields: object | undefined): void;
}

export class SimProcess {
  readonly name: string;
  readonly pid: number;
  readonly clock: ProcessClock;
  readonly machine: Machine;
  readonly store: Store;
  readonly #world: ProcessWorld;
  readonly #disk: DiskStore;
  readonly #transition: TransitionFunction;
  #engine: Engine | undefined;
  #runtime: Runtime | undefined;
  #raw: RawWorker | undefined;
  started = false;
  stopping = false;

  constructor(world: ProcessWorld, machine: Machine, pid: number) {
    this.#world = world;
    this.machine = machine;
    this.pid = pid;
    this.name = `p${pid}`;
    this.clock = new ProcessClock(world.disk.timeline, machine);
    this.#disk = new DiskStore(world.disk, this.clock, (how) => {
      this.die(how);
    });
    const { bug, chance } = world;
    this.store = bug?.store?.(this.#disk, chance) ?? this.#disk;
    const core = bug?.core?.(transition, chance) ?? transition;
    const watched = world.coverage.around(core, (before, after, events) => {
      const complain = (invariant: number, what: string): void => {
        world.violated({ invariant, what: `${after.workflowId}: ${what}` });
      };
      checkPaused(before, after, complain);
      checkSpeculative(before, after, events, complain);
      checkAttempts(before, after, world.archive.isOperated(after.workflowId), complain);
    });
    this.#transition = watched;
  }

  /** Of a process that has started. */
  get engine(): Engine {
    if (this.#engine === undefined) throw new TypeError(`${this.name} has not started`);
    return this.#engine;
  }

  get service(): Engine['service'] {
    return this.engine.service;
  }

  /** The engine that the runtime asks for, on a machine of the world. */
  #makeEngine(options: EngineOptions): Engine {
    const world = this.#world;
    const engine = createEngine({
      ...options,
      hostId: this.machine.hostId,
      pid: this.pid,
      isPidAlive: (other) => world.isPidAlive(other),
      limits: world.engineLimits,
      coreLimits: world.coreLimits,
      transition: this.#transition,
    });
    this.#engine = engine;
    this.#disk.owner = engine.processId;
    return engine;
  }

  get alive(): boolean {
    return !this.clock.killed;
  }

  /** Rejects as the engine's start does. */
  async start(): Promise<void> {
    const world = this.#world;
    const { chance, bug } = world;
    await this.#disk.open();
    const steps = {
      wait: (ms: number, signal: AbortSignal) => this.#wait(ms, signal),
      token: () => world.ledger.token('step'),
      ran: () => undefined,
    };
    // Most often handed its work by the engine; sometimes it polls, as it would of a server.
    const local = chance.next() < 0.75;
    this.#runtime = await startRuntime({
      store: this.store,
      clock: this.clock,
      random: { next: () => chance.next(), uuid: () => world.uuid() },
      logger: this.#logger(),
      namespace: 'default',
      identity: `${this.name}-tasks`,
      retentionMs: world.retentionMs,
      searchAttributes: { CustomKeywordField: 'Keyword' },
      makeEngine: (options) => this.#makeEngine(options),
      worker: {
        tasks: [...makeTasks(steps), makeContextWorkflow(steps)].map((task) => task.definition),
        activities: [],
        taskQueue: 'async-tasks',
        concurrency: { steps: chance.whole(1, 8), pollers: 2 },
        liveRunsMax: chance.next() < 0.3 ? 1 : 100,
        localOf: ({ service }) => (local ? (bug?.local?.(service, chance) ?? service) : undefined),
      },
    });
    this.#raw = new RawWorker(world, this.service, this.clock, this.name);
    this.#raw.start();
    this.started = true;
  }

  /** Leaves as a process does that is asked to. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.#raw?.stop();
    if (this.#runtime) {
      await stopRuntime(this.#runtime, this.store, this.#world.chance.whole(0, 3_000));
    }
    this.die('it was stopped');
  }

  /** It dies with the next rows that it claims. */
  doom(): void {
    this.#disk.doomed = true;
  }

  die(how: string): void {
    if (!this.alive) return;
    this.clock.kill();
    void this.#disk.close();
    this.#world.died(this, how);
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(ms, resolve);
      const stop = (): void => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  #logger(): Logger {
    const at =
      (level: string) =>
      (message: string, fields?: object): void => {
        if (this.alive) this.#world.logged(`${this.name} ${level}`, message, fields);
      };
    return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
  }
}
