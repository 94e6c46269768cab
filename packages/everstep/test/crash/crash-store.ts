/** The SQLite store of a process that is to be killed: its driver and the calls of recovery pass the trapdoor. */
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { CommitGroup, CommitResult, Store } from '../../src/store/store.ts';
import { CrashDriver } from './crash-driver.ts';
import type { Trapdoor } from './failpoints.ts';

export class CrashStore extends SqliteStore {
  readonly #driver: CrashDriver;
  readonly #trapdoor: Trapdoor;
  #processId = '';
  #buried = false;

  constructor(path: string, driver: CrashDriver, trapdoor: Trapdoor) {
    super({ path, driver });
    this.#driver = driver;
    this.#trapdoor = trapdoor;
  }

  override commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    const results = super.commit(groups);
    // The replies leave in the microtasks that follow.
    setImmediate(() => this.#trapdoor.pass('after-reply'));
    return results;
  }

  override get runs(): Store['runs'] {
    const runs = super.runs;
    return {
      ...runs,
      heldBy: async (request) => {
        const refs = await runs.heldBy(request);
        if (this.#isDead(request.processId)) {
          this.#driver.recovering = true;
          this.#trapdoor.pass('recovery:held-known');
        }
        return refs;
      },
    };
  }

  override get tasks(): Store['tasks'] {
    const tasks = super.tasks;
    return {
      ...tasks,
      releaseAll: async (request) => {
        await tasks.releaseAll(request);
        if (this.#isDead(request.processId)) this.#trapdoor.pass('recovery:claims-released');
      },
    };
  }

  override get history(): Store['history'] {
    const history = super.history;
    return {
      ...history,
      read: async (request) => {
        const batches = await history.read(request);
        if (this.#buried) this.#trapdoor.pass('recovery:driven-again');
        return batches;
      },
    };
  }

  override get processes(): Store['processes'] {
    const processes = super.processes;
    return {
      ...processes,
      announce: async (request) => {
        if (request.process.pid === process.pid) this.#processId = request.process.processId;
        await processes.announce(request);
      },
      remove: async (request) => {
        const dead = this.#isDead(request.processId);
        if (dead) this.#trapdoor.pass('recovery:before-remove');
        await processes.remove(request);
        if (!dead) return;
        this.#driver.recovering = false;
        this.#buried = true;
        this.#trapdoor.pass('recovery:after-remove');
      },
    };
  }

  /** Whoever is buried and is not this process. */
  #isDead(processId: string): boolean {
    return this.#processId !== '' && processId !== this.#processId;
  }
}

export async function crashStore(path: string, trapdoor: Trapdoor): Promise<CrashStore> {
  return new CrashStore(path, new CrashDriver(await loadDriver(path), trapdoor), trapdoor);
}
