/** One process of a world: the real engine and the real task worker over the model store, and scripted workers. */
import { defaultDataConverter } from '@temporalio/common';
import type { Limits } from '../../src/core/limits.ts';
import { transition } from '../../src/core/transition.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EngineLimits } from '../../src/engine/engine-limits.ts';
import type { Logger } from '../../src/service/logger.ts';
import type { Store } from '../../src/store/store.ts';
import { attributeTypes } from '../../src/engine/search-attributes.ts';
import { TaskWorker } from '../../src/tasks/task-worker.ts';
import type { Chance } from '../chance.ts';
import { makeContextWorkflow } from './context-program.ts';
import type { Disk } from './disk.ts';
import { DiskStore } from './disk.ts';
import type { PlantedBug } from './planted-bug.ts';
import { ProcessClock } from './process-clock.ts';
import { RawWorker } from './raw-worker.ts';
import type { RawWorkerWorld } from './raw-worker.ts';
import type { RuleCoverage } from './rule-coverage.ts';
import { checkPaused } from './state-check.ts';
import { makeTasks } from './task-programs.ts';

export interface Machine {
  readonly hostId: string;
  offsetMs: number;
}

export interface ProcessWorld extends RawWorkerWorld {
  readonly disk: Disk;
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
  readonly engine: Engine;
  readonly store: Store;
  readonly #world: ProcessWorld;
  readonly #disk: DiskStore;
  #worker: TaskWorker | undefined;
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
    const watched = world.coverage.around(core, (before, after) => {
      checkPaused(before, after, (invariant, what) => {
        world.violated({ invariant, what: `${after.workflowId}: ${what}` });
      });
    });
    this.engine = createEngine({
      store: this.store,
      clock: this.clock,
      random: { next: () => chance.next(), uuid: () => world.uuid() },
      logger: this.#logger(),
      hostId: machine.hostId,
      pid,
      isPidAlive: (other) => world.isPidAlive(other),
      defaultNamespace: 'default',
      retentionMs: world.retentionMs,
      acts: true,
      limits: world.engineLimits,
      coreLimits: world.coreLimits,
      transition: watched,
    });
    this.#disk.owner = this.engine.processId;
  }

  get service(): Engine['service'] {
    return this.engine.service;
  }

  get alive(): boolean {
    return !this.clock.killed;
  }

  /** Rejects as the engine's start does. */
  async start(): Promise<void> {
    const world = this.#world;
    const { chance, bug } = world;
    await this.#disk.open();
    await this.engine.start();
    await this.engine.operator.addSearchAttributes({
      namespace: 'default',
      searchAttributes: { CustomKeywordField: attributeTypes.Keyword },
    });
    const { service } = this.engine;
    const steps = {
      wait: (ms: number, signal: AbortSignal) => this.#wait(ms, signal),
      token: () => world.ledger.token('step'),
      ran: () => undefined,
    };
    // Most often handed its work by the engine; sometimes it polls, as it would of a server.
    const local = chance.next() < 0.75;
    this.#worker = new TaskWorker({
      service,
      ...(local ? { local: bug?.local?.(service, chance) ?? service } : {}),
      tasks: [...makeTasks(steps), makeContextWorkflow(steps)].map((task) => task.definition),
      namespace: 'default',
      identity: `${this.name}-tasks`,
      clock: this.clock,
      random: { next: () => chance.next(), uuid: () => world.uuid() },
      logger: this.#logger(),
      concurrency: { steps: chance.whole(1, 8), pollers: 2 },
      dataConverter: defaultDataConverter,
      liveRunsMax: chance.next() < 0.3 ? 1 : 100,
    });
    await this.#worker.start();
    this.#raw = new RawWorker(world, service, this.clock, this.name);
    this.#raw.start();
    this.started = true;
  }

  /** Leaves as a process does that is asked to. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.#raw?.stop();
    await this.#worker?.stop(this.#world.chance.whole(0, 3_000));
    await this.engine.stop();
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
