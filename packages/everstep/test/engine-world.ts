/**
 * A small world for the engine's suite: one data set, one clock, and as many processes on it as a test wants. All
 * is said through the calls of the service; a process can vanish without a word.
 */
import assert from 'node:assert/strict';
import { createEngine } from '../src/engine/engine.ts';
import type { Engine, EngineOptions } from '../src/engine/engine.ts';
import type { LogFields, Logger } from '../src/service/logger.ts';
import type { Store } from '../src/store/store.ts';
import type { StoreFixture } from '../src/store/store-fixture.contract.ts';
import { Host } from './engine-host.ts';
import { ManualClock } from './manual-clock.ts';

export interface HostOptions extends Partial<EngineOptions> {
  /** Puts something between the engine and its store. */
  readonly wrap?: (store: Store) => Store;
}

export class World {
  readonly clock: ManualClock;
  expectsErrors = false;
  /** Errors that an engine has logged. */
  errors: { readonly message: string; readonly fields?: LogFields }[] = [];
  readonly warnings: { readonly message: string; readonly fields?: LogFields }[] = [];
  readonly #fixture: StoreFixture;
  readonly #hosts: Host[] = [];
  readonly #alive = new Set<number>();
  #ids = 0;
  #pids = 100;

  constructor(fixture: StoreFixture) {
    this.#fixture = fixture;
    this.clock = new ManualClock(undefined, () => fixture.isBusy?.() ?? false);
  }

  uuid(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${this.#ids.toString(16).padStart(12, '0')}`;
  }

  /** Starts a process on the data set. */
  async host(options: HostOptions = {}): Promise<Host> {
    const { wrap, ...rest } = options;
    const handle = this.#fixture.handle();
    await handle.open();
    const store = wrap ? wrap(handle) : handle;
    const clock = this.clock.view();
    this.#pids += 1;
    const pid = this.#pids;
    this.#alive.add(pid);
    const engine: Engine = createEngine({
      store,
      clock,
      random: { next: () => 0.5, uuid: () => this.uuid() },
      logger: this.#logger(),
      hostId: 'machine-1',
      pid,
      isPidAlive: (other) => this.#alive.has(other),
      defaultNamespace: 'default',
      retentionMs: 86_400_000,
      acts: true,
      ...rest,
    });
    await engine.start();
    await this.clock.advance(0);
    const host = new Host(this, engine, store, () => {
      clock.kill();
      this.#alive.delete(pid);
      return handle.close();
    });
    this.#hosts.push(host);
    return host;
  }

  /** No engine complained. */
  check(): void {
    if (!this.expectsErrors) assert.deepEqual(this.errors, []);
  }

  async close(): Promise<void> {
    for (const host of this.#hosts) await host.leave();
    await this.#fixture.clean();
  }

  #logger(): Logger {
    const ignore = (): void => undefined;
    return {
      debug: ignore,
      info: ignore,
      warn: (message, fields) => {
        this.warnings.push({ message, ...(fields ? { fields } : {}) });
      },
      error: (message, fields) => {
        this.errors.push({ message, ...(fields ? { fields } : {}) });
      },
    };
  }
}

/** Declares one test: a world with one process in it. */
export type Scenario = (
  title: string,
  body: (host: Host, world: World) => Promise<void>,
  options?: HostOptions,
) => void;
