/** The store of a process that is to be killed, whichever it is: its commits and the calls of recovery pass the trapdoor. */
import type { CommitGroup, CommitResult, Store } from '../../src/store/store.ts';
import type { Trapdoor } from './failpoints.ts';
import type { PlantedBug } from './planted.ts';

/** What the traps of a store's driver and those of its calls know of each other. */
export interface Recovery {
  /** Set while this process ends what a dead one had started. */
  isUnderWay: boolean;
}

export interface TrappedStoreOptions {
  readonly retentionMs?: number;
  readonly planted?: PlantedBug;
}

export class TrappedStore implements Store {
  readonly #store: Store;
  readonly #recovery: Recovery;
  readonly #trapdoor: Trapdoor;
  readonly #retentionMs: number | undefined;
  readonly #planted: PlantedBug | undefined;
  #writes = 0;
  #processId = '';
  #buried = false;

  constructor(
    store: Store,
    trapdoor: Trapdoor,
    recovery: Recovery,
    { retentionMs, planted }: TrappedStoreOptions,
  ) {
    this.#store = store;
    this.#trapdoor = trapdoor;
    this.#recovery = recovery;
    this.#retentionMs = retentionMs;
    this.#planted = planted;
  }

  get kind(): string {
    return this.#store.kind;
  }
  get description(): string {
    return this.#store.description;
  }
  get failure(): Store['failure'] {
    return this.#store.failure;
  }

  open(): Promise<void> {
    return this.#store.open();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  isOpenIn(pid: number): boolean | undefined {
    return this.#store.isOpenIn?.(pid);
  }

  async commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    let written = this.#retentionMs === undefined ? groups : groups.map(this.#soon);
    if (this.#planted === 'events-lost') written = written.map(this.#forgetful);
    const results = await this.#store.commit(written);
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

  get runs(): Store['runs'] {
    const { runs } = this.#store;
    return {
      ...runs,
      heldBy: async (request) => {
        const refs = await runs.heldBy(request);
        if (this.#isDead(request.processId)) {
          if (this.#planted === 'death-unnoticed') return [];
          this.#recovery.isUnderWay = true;
          this.#trapdoor.pass('recovery:held-known');
        }
        return refs;
      },
    };
  }

  get tasks(): Store['tasks'] {
    const { tasks } = this.#store;
    return {
      ...tasks,
      releaseAll: async (request) => {
        await tasks.releaseAll(request);
        if (this.#isDead(request.processId)) this.#trapdoor.pass('recovery:claims-released');
      },
    };
  }

  get history(): Store['history'] {
    const { history } = this.#store;
    return {
      ...history,
      read: async (request) => {
        const batches = await history.read(request);
        if (this.#buried) this.#trapdoor.pass('recovery:driven-again');
        return batches;
      },
    };
  }

  get processes(): Store['processes'] {
    const { processes } = this.#store;
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
        this.#recovery.isUnderWay = false;
        this.#buried = true;
        this.#trapdoor.pass('recovery:after-remove');
      },
    };
  }

  get outbox(): Store['outbox'] {
    return this.#store.outbox;
  }
  get mail(): Store['mail'] {
    return this.#store.mail;
  }
  get namespaces(): Store['namespaces'] {
    return this.#store.namespaces;
  }
  get visibility(): Store['visibility'] {
    return this.#store.visibility;
  }
  get hints(): Store['hints'] {
    return this.#store.hints;
  }

  /** Whoever is buried and is not this process. */
  #isDead(processId: string): boolean {
    return this.#processId !== '' && processId !== this.#processId;
  }
}
