/**
 * The store that lives in memory: for tests and for work that need not outlive its process. It is honest: versions,
 * groups, claims and order are those of a database, and nothing in it is for tests only.
 *
 * Read next: memory-data.ts (what is kept), commit.ts.
 */
import { commitGroup } from './commit.ts';
import { memoryHints } from './hints.ts';
import { memoryHistory } from './history.ts';
import { memoryMail } from './mail.ts';
import { MemoryData } from './memory-data.ts';
import { memoryNamespaces } from './namespaces.ts';
import { memoryOutbox } from './outbox.ts';
import { memoryProcesses } from './processes.ts';
import { memoryRuns } from './runs.ts';
import { memoryTasks } from './tasks.ts';
import { memoryVisibility } from './visibility.ts';
import { StoreError } from '../store.ts';
import type { CommitGroup, CommitResult, Store } from '../store.ts';

export interface MemoryStoreOptions {
  /** Shared by several stores, as several processes share a database. By default the store's own. */
  readonly data?: MemoryData;
}

type Nouns = Omit<Store, 'kind' | 'description' | 'failure' | 'open' | 'close' | 'commit'>;

export class MemoryStore implements Store {
  readonly kind = 'memory';
  readonly description = 'memory of this process';
  readonly failure = undefined;
  readonly data: MemoryData;
  #nouns: Nouns | undefined;

  constructor(options: MemoryStoreOptions = {}) {
    this.data = options.data ?? new MemoryData();
  }

  open(): Promise<void> {
    const { data } = this;
    this.#nouns ??= {
      runs: memoryRuns(data),
      history: memoryHistory(data),
      tasks: memoryTasks(data),
      outbox: memoryOutbox(data),
      mail: memoryMail(data),
      processes: memoryProcesses(data),
      namespaces: memoryNamespaces(data),
      visibility: memoryVisibility(data),
      hints: memoryHints(data, this),
    };
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#nouns = undefined;
    this.data.listeners.delete(this);
    return Promise.resolve();
  }

  async commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    this.#open();
    return groups.map((group) => commitGroup(this.data, group));
  }

  get runs(): Store['runs'] {
    return this.#open().runs;
  }
  get history(): Store['history'] {
    return this.#open().history;
  }
  get tasks(): Store['tasks'] {
    return this.#open().tasks;
  }
  get outbox(): Store['outbox'] {
    return this.#open().outbox;
  }
  get mail(): Store['mail'] {
    return this.#open().mail;
  }
  get processes(): Store['processes'] {
    return this.#open().processes;
  }
  get namespaces(): Store['namespaces'] {
    return this.#open().namespaces;
  }
  get visibility(): Store['visibility'] {
    return this.#open().visibility;
  }
  get hints(): Store['hints'] {
    return this.#open().hints;
  }

  #open(): Nouns {
    if (this.#nouns !== undefined) return this.#nouns;
    throw new StoreError(
      'STORE_CLOSED',
      'The memory store is not open. Call open() and wait for it before using the store.',
    );
  }
}
