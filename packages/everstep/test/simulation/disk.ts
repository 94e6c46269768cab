/**
 * The model store: one set of data for all processes of a world, and the store through which each of them sees it.
 * The data are those of the memory store; what is modelled here is how a database and the way to it fail.
 *
 * A call is done at once, or later; its answer comes later still, or never. Whatever is written is told to the
 * observer, so that the world knows what is stored without asking.
 */
import { commitGroup } from '../../src/store/memory/commit.ts';
import { MemoryData } from '../../src/store/memory/memory-data.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';
import { StoreError } from '../../src/store/store.ts';
import type { CommitGroup, CommitResult, RunRef, Store, TaskRow } from '../../src/store/store.ts';
import type { Chance } from '../chance.ts';
import type { FaultPlan } from './fault-plan.ts';
import { glanceAt } from './glance.ts';
import { noFaults } from './fault-plan.ts';
import type { ProcessClock } from './process-clock.ts';
import type { Timeline } from './timeline.ts';

export interface DiskObserver {
  committed(group: CommitGroup, refs: readonly RunRef[]): void;
  deleted(refs: readonly RunRef[]): void;
  fault(kind: string, detail: string): void;
}

/** How long a damaged row stays so; until the faults end at the latest. */
const damagedMs = 15_000;

export class Disk {
  readonly data = new MemoryData();
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly observer: DiskObserver;
  faults: FaultPlan;
  full = false;
  /** Whether it answers the one question of every second, as PostgreSQL does. */
  glances = false;
  readonly #damagedUntil = new Map<RunRef, number>();
  readonly stores = new Set<DiskStore>();

  constructor(timeline: Timeline, chance: Chance, faults: FaultPlan, observer: DiskObserver) {
    this.timeline = timeline;
    this.chance = chance;
    this.faults = faults;
    this.observer = observer;
  }

  heal(): void {
    this.faults = noFaults;
    this.full = false;
    this.#damagedUntil.clear();
  }

  strikes(rate: number): boolean {
    return rate > 0 && this.chance.next() < rate;
  }

  /** Throws when what is read of that run does not have the checksum it was written with. */
  checkRow(ref: RunRef | undefined): void {
    if (ref === undefined) return;
    const until = this.#damagedUntil.get(ref);
    if (until === undefined) {
      if (!this.strikes(this.faults.damaged)) return;
      this.#damagedUntil.set(ref, this.timeline.elapsed + damagedMs * this.chance.next());
      this.observer.fault('damaged row', `run ${ref}`);
    } else if (until <= this.timeline.elapsed) {
      this.#damagedUntil.delete(ref);
      return;
    }
    throw new StoreError('STORE_CORRUPT', `The row of run ${ref} has a wrong checksum.`);
  }

  /** Writes a group if it holds. */
  write(group: CommitGroup): CommitResult {
    if (this.full) {
      return {
        outcome: 'failed',
        error: new StoreError('STORE_DISK_FULL', 'The disk is full.'),
      };
    }
    const result = commitGroup(this.data, group);
    if (result.outcome === 'committed') this.observer.committed(group, result.refs);
    return result;
  }

  /** Rings with the other processes, now or a little later, or not at all. */
  ring(from: DiskStore): void {
    for (const store of this.stores) {
      if (store === from) continue;
      if (this.strikes(this.faults.hintLost)) continue;
      store.rung();
    }
  }
}

type Nouns = Omit<Store, 'kind' | 'description' | 'failure' | 'open' | 'close' | 'commit'>;

/** The store as one process has it. */
export class DiskStore implements Store {
  readonly kind = 'model';
  readonly description = 'the disk of a simulated world';
  readonly failure = undefined;
  readonly runs: Store['runs'];
  readonly history: Store['history'];
  readonly tasks: Store['tasks'];
  readonly outbox: Store['outbox'];
  readonly mail: Store['mail'];
  readonly processes: Store['processes'];
  readonly namespaces: Store['namespaces'];
  readonly visibility: Store['visibility'];
  readonly hints: Store['hints'];
  readonly glance?: NonNullable<Store['glance']>;
  readonly #disk: Disk;
  readonly #clock: ProcessClock;
  readonly #inner: MemoryStore;
  readonly #die: (how: string) => void;
  #listener: (() => void) | undefined;
  #rung = false;
  /** The process id of its engine. */
  owner = '';
  /** Its process dies of the next rows that it claims. */
  doomed = false;
  /** The connection is gone until then. */
  #lostUntil = 0;

  constructor(disk: Disk, clock: ProcessClock, die: (how: string) => void) {
    this.#disk = disk;
    this.#clock = clock;
    this.#die = die;
    this.#inner = new MemoryStore({ data: disk.data });
    void this.#inner.open();
    const inner: Nouns = this.#inner;
    this.runs = {
      ...this.#all(inner.runs),
      load: (request) =>
        this.#call(() => {
          disk.checkRow(disk.data.find(request.key)?.ref);
          return inner.runs.load(request);
        }),
      loadByRef: (request) =>
        this.#call(() => {
          disk.checkRow(request.ref);
          return inner.runs.loadByRef(request);
        }),
      loadCurrent: (request) =>
        this.#call(() => {
          disk.checkRow(disk.data.runsOf.get(request.namespaceId)?.current.get(request.workflowId));
          return inner.runs.loadCurrent(request);
        }),
      delete: (request) =>
        this.#call(() => {
          const there = request.refs.filter((ref) => disk.data.runs.has(ref));
          const done = inner.runs.delete(request);
          disk.observer.deleted(there);
          return done;
        }),
    };
    this.history = {
      read: (request) =>
        this.#call(() => {
          disk.checkRow(request.ref);
          return inner.history.read(request);
        }),
    };
    this.tasks = {
      ...this.#all(inner.tasks),
      claim: (request) => this.#call(() => this.#claim(request)),
    };
    this.outbox = {
      ...this.#all(inner.outbox),
      overdue: (request) =>
        this.#call(() =>
          inner.outbox.overdue(
            // Delivered again while whoever wrote it delivers it, too.
            disk.strikes(disk.faults.claimedTwice)
              ? { ...request, createdBefore: Infinity }
              : request,
          ),
        ),
    };
    this.mail = {
      send: (request) =>
        this.#call(() =>
          disk.strikes(disk.faults.mailLost) ? Promise.resolve() : inner.mail.send(request),
        ),
      take: (request) =>
        this.#call(async () => {
          const letters = await inner.mail.take(request);
          return disk.strikes(disk.faults.reordered) ? letters.toReversed() : letters;
        }),
    };
    this.processes = this.#all(inner.processes);
    if (disk.glances) {
      this.glance = (request) => this.#call(() => glanceAt(disk.data, inner, request));
    }
    this.namespaces = this.#all(inner.namespaces);
    this.visibility = this.#all(inner.visibility);
    this.hints = {
      ring: () => {
        if (!clock.killed) disk.ring(this);
      },
      listen: (listener) => {
        this.#listener = listener;
        return () => {
          this.#listener = undefined;
        };
      },
    };
  }

  open(): Promise<void> {
    this.#disk.stores.add(this);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#disk.stores.delete(this);
    this.#listener = undefined;
    return Promise.resolve();
  }

  rung(): void {
    if (this.#rung) return;
    this.#rung = true;
    const { latencyMs } = this.#disk.faults;
    this.#disk.timeline.after(latencyMs * this.#disk.chance.next(), () => {
      this.#clock.deliver(() => {
        this.#rung = false;
        this.#listener?.();
      });
    });
  }

  commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    return this.#call(() => this.#commit(groups));
  }

  #commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    const disk = this.#disk;
    const { faults, chance } = disk;
    const never = new Promise<never>(() => undefined);
    if (disk.strikes(faults.crashBefore)) {
      this.#die('before a commit');
      return never;
    }
    if (disk.strikes(faults.crashInside)) {
      // Groups are independent: some were written, and the one that was being written is undone by recovery.
      const written = chance.whole(0, groups.length);
      for (const group of groups.slice(0, written)) disk.write(group);
      this.#die(`in a commit, after ${written} of ${groups.length} groups`);
      return never;
    }
    const results = groups.map((group) => disk.write(group));
    if (disk.strikes(faults.crashAfter)) {
      this.#die('after a commit, before its answer');
      return never;
    }
    if (disk.strikes(faults.replyLost)) {
      disk.observer.fault('reply lost', `${groups.length} groups`);
      return Promise.reject(new StoreError('STORE_FAILED', 'The answer of a commit was lost.'));
    }
    return Promise.resolve(results);
  }

  async #claim(request: Parameters<Store['tasks']['claim']>[0]): Promise<readonly TaskRow[]> {
    const { data, faults, chance } = this.#disk;
    if (this.#disk.strikes(faults.claimedTwice)) {
      const { kind, namespaceId, taskQueue } = request;
      for (const taskId of data.queues.get(`${kind}\0${namespaceId}\0${taskQueue}`)?.taskIds ??
        []) {
        if (chance.next() < 0.5) data.releaseTask(taskId);
      }
    }
    const rows = await this.#inner.tasks.claim(request);
    if (rows.length > 0 && (this.doomed || this.#disk.strikes(faults.crashInClaim))) {
      this.#die(`in a claim of ${rows.length} rows`);
      return new Promise<never>(() => undefined);
    }
    if (rows.length > 0 && this.#disk.strikes(faults.replyLost)) {
      this.#disk.observer.fault('reply lost', `a claim of ${rows.length} rows`);
      throw new StoreError('STORE_FAILED', 'The answer of a claim was lost.');
    }
    return this.#disk.strikes(faults.reordered) ? rows.toReversed() : rows;
  }

  /** All methods of a noun, each as a call. */
  #all<N extends object>(noun: N): N {
    const calls: Record<string, unknown> = {};
    for (const [name, method] of Object.entries(noun)) {
      calls[name] = (request: unknown) =>
        this.#call(() => (method as (request: unknown) => Promise<unknown>)(request));
    }
    return calls as N;
  }

  #call<T>(run: () => Promise<T>): Promise<T> {
    const disk = this.#disk;
    const { faults, timeline, chance } = disk;
    if (this.#clock.killed) return new Promise<never>(() => undefined);
    if (timeline.elapsed < this.#lostUntil || disk.strikes(faults.connectionLost)) {
      if (timeline.elapsed >= this.#lostUntil) {
        this.#lostUntil = timeline.elapsed + (chance.next() < 0.5 ? 0 : 3_000 * chance.next());
        disk.observer.fault(
          'connection lost',
          `for ${Math.round(this.#lostUntil - timeline.elapsed)} ms`,
        );
      }
      return Promise.reject(new StoreError('STORE_FAILED', 'The connection was lost.'));
    }
    const slow = disk.strikes(faults.slow);
    if (faults.latencyMs === 0 && !slow) return done(run);
    const most = slow ? 6_000 : faults.latencyMs;
    return new Promise<T>((resolve, reject) => {
      timeline.after(most * chance.next(), () => {
        // What a dead process had sent may still arrive, until the others have noticed its death.
        if (this.#clock.killed && (chance.next() < 0.5 || !disk.data.processes.has(this.owner))) {
          return;
        }
        const result = done(run);
        timeline.after(most * chance.next(), () => {
          this.#clock.deliver(() => {
            result.then(resolve, reject);
          });
        });
        result.catch(() => undefined);
      });
    });
  }
}

/** A call that throws at once is one that fails. */
function done<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
