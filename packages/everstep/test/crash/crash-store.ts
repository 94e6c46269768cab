/** The SQLite store of a process that is to be killed: its driver and the calls of recovery pass the trapdoor. */
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { CommitGroup, CommitResult, Store } from '../../src/store/store.ts';
import { CrashDriver } from './crash-driver.ts';
import type { PlantedBug } from './planted.ts';
import type { Trapdoor } from './failpoints.ts';

interface CrashStoreOptions {
  readonly retentionMs?: number;
  readonly planted?: PlantedBug;
}

export class CrashStore extends SqliteStore {
  readonly #driver: CrashDriver;
  readonly #trapdoor: Trapdoor;
  readonly #retentionMs: number | undefined;
  readonly #planted: PlantedBug | undefined;
  #writes = 0;
  #processId = '';
  #buried = false;

  constructor(path: string, driver: CrashDriver, trapdoor: Trapdoor, options: CrashStoreOptions) {
    super({ path, driver });
    this.#driver = driver;
    this.#trapdoor = trapdoor;
    this.#retentionMs = options.retentionMs;
    this.#planted = options.planted;
  }

  override commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    let written = this.#retentionMs === undefined ? groups : groups.map(this.#soon);
    if (this.#planted === 'events-lost') written = written.map(this.#forgetful);
    const results = super.commit(written);
    // The replies leave in the microtasks that follow.
    setImmediate(() => this.#trapdoor.pass('after-reply'));
    return results;
  }

  /** What the service would not have shorter than an hour. */
  readonly #soon = (group: CommitGroup): CommitGroup => ({
    ...group,
    writes: group.writes.map((write) => {
      const { closeTime } = write.columns;
      if (closeTime === 0) return write;
      const deleteAt = closeTime + (this.#retentionMs ?? 0);
      return { ...write, columns: { ...write.columns, deleteAt } };
    }),
  });

  readonly #forgetful = (group: CommitGroup): CommitGroup => ({
    ...group,
    writes: group.writes.map(({ history, ...write }) => {
      this.#writes += 1;
      const forgotten = write.ref !== undefined && this.#writes % 10 === 0;
      return forgotten || history === undefined ? write : { ...write, history };
    }),
  });

  override get runs(): Store['runs'] {
    const runs = super.runs;
    return {
      ...runs,
      heldBy: async (request) => {
        const refs = await runs.heldBy(request);
        if (this.#isDead(request.processId)) {
          if (this.#planted === 'death-unnoticed') return [];
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

export async function crashStore(
  path: string,
  trapdoor: Trapdoor,
  options: CrashStoreOptions,
): Promise<CrashStore> {
  const driver = new CrashDriver(await loadDriver(path), trapdoor, options.planted);
  return new CrashStore(path, driver, trapdoor, options);
}
