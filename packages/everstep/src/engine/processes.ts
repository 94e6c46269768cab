/**
 * Who is on this store, and who has died (decision 11). A process of this machine is dead when its pid is gone,
 * another machine's when its heartbeats stop. Whoever notices ends its started attempts; doing it twice is harmless.
 *
 * A pid that is alive may be somebody else's: given out anew, or of a process that works on the file of which this one
 * is a copy. So a process of this machine is dead as well when many looks in a row have found the same heartbeat and it
 * does not have the database open. One that has it is busy: a step keeps its event loop to itself, or a debugger holds
 * it. Looks are counted, not time: a machine that was asleep finds nobody dead when it wakes.
 */
import type { Clock } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import type { Glance, GlanceRequest, ProcessRow, Store, TaskKind } from '../store/store.ts';
import type { Executor } from './executor.ts';
import { overdueMs } from './outbox-delivery.ts';
import type { Quarantine } from './quarantine.ts';
import type { LiveRun } from './unit.ts';

const heartbeatEveryMs = 3_000;
const silentMsMax = 10_000;
/** Of one a second: more than a step that keeps the event loop to itself should take. */
const silentLooksMax = 30;
/** Where it cannot be told whether the process has the database open. */
const untoldLooksMax = 300;

/** Engines of this process, which share its pid: none of them is dead. */
const engineIds = new Set<string>();

export interface ProcessesOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly quarantine: Quarantine;
  readonly processId: string;
  readonly hostId: string;
  readonly pid: number;
  readonly isPidAlive: (pid: number) => boolean;
  /** Keys of the queues of this process, as of now. */
  readonly polled: () => readonly string[];
}

/** What a look around has found. */
export interface Seen {
  readonly hasOrHadOthers: boolean;
  /** What the store said beside: undefined where it is asked for each thing, or what was seen has changed since. */
  readonly glance: Glance | undefined;
}

export class Processes {
  readonly #options: ProcessesOptions;
  #queues: readonly string[] = [];
  #startedAt = 0;
  #heartbeatAt = 0;
  #lookedAt = 0;
  #others: readonly ProcessRow[] = [];
  /** There are others, or were until now, and no look that saw that has come to its end yet. */
  #sawOthers = false;
  /** Processes that are gone, whose last claims are still to be given back. */
  readonly #unreleased = new Set<string>();
  /** Processes of this machine, and how many looks have found that heartbeat. */
  #heartbeats = new Map<string, { readonly heartbeatAt: number; readonly looks: number }>();

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Live processes on this store besides this one, as of the last look. */
  get others(): readonly ProcessRow[] {
    return this.#others;
  }

  async start(): Promise<void> {
    this.#startedAt = this.#options.clock.now();
    engineIds.add(this.#options.processId);
    await this.announce(this.#queues);
    await this.look();
  }

  /** Whether the others know of other queues than these. */
  announcesOther(queues: readonly string[]): boolean {
    return (
      queues.length !== this.#queues.length || queues.some((key) => !this.#queues.includes(key))
    );
  }

  async announce(queues: readonly string[]): Promise<void> {
    this.#queues = queues;
    this.#heartbeatAt = this.#options.clock.now();
    const { processId, pid, hostId, store } = this.#options;
    await store.processes.announce({
      process: {
        processId,
        pid,
        hostId,
        startedAt: this.#startedAt,
        heartbeatAt: this.#heartbeatAt,
        queues,
      },
    });
  }

  /**
   * Every second: shows that this process lives, and looks for those that do not. `hasOrHadOthers` if others are there
   * or were until now: the last of them may have left rows and been gone before it could ring. As well when this one
   * was given up: since then it could claim nothing.
   */
  async look(): Promise<Seen> {
    const { clock, store, processId } = this.#options;
    const now = clock.now();
    this.#lookedAt = now;
    const heartbeatAt = now - this.#heartbeatAt >= heartbeatEveryMs ? now : undefined;
    this.#heartbeatAt = heartbeatAt ?? this.#heartbeatAt;
    const glance = await this.glance(heartbeatAt);
    let wasGivenUp = false;
    if (heartbeatAt !== undefined) {
      const known =
        glance?.isAnnounced ?? (await store.processes.heartbeat({ processId, now: heartbeatAt }));
      // Given up wrongly: its attempts are fenced by their stamps, and it goes on as if it had just come.
      if (!known) await this.announce(this.#queues);
      wasGivenUp = !known;
    }
    const rows = glance?.processes ?? (await store.processes.list());
    const others: ProcessRow[] = [];
    const dead: ProcessRow[] = [];
    this.#countHeartbeats(rows);
    const hadOthers = this.#others.length > 0;
    for (const row of rows) {
      if (row.processId !== processId) (this.#isDead(row, now) ? dead : others).push(row);
    }
    this.#others = others;
    const areLeft = others.length + dead.length + this.#unreleased.size > 0;
    if (wasGivenUp || hadOthers || areLeft) this.#sawOthers = true;
    for (const row of dead) await this.#bury(row.processId, row.queues);
    await this.#releaseLate();
    const hasOrHadOthers = this.#sawOthers;
    this.#sawOthers = false;
    // Who was buried has left rows that were claimed or held until now.
    const holds = !wasGivenUp && dead.length === 0;
    return { hasOrHadOthers, glance: holds ? glance : undefined };
  }

  async lookIfOlderThan(ms: number): Promise<Seen | undefined> {
    const age = this.#options.clock.now() - this.#lookedAt;
    return age >= ms || age < 0 ? this.look() : undefined;
  }

  /** All that this process may have to do something about; undefined where the store answers no such question. */
  async glance(heartbeatAt?: number): Promise<Glance | undefined> {
    const { store, processId, clock, polled } = this.#options;
    const queues = store.glance === undefined ? [] : polled().map(queueOf);
    const createdBefore = clock.now() - overdueMs;
    return store.glance?.({ processId, heartbeatAt, queues, createdBefore });
  }

  /** Notices that a process is gone. */
  async #bury(processId: string, queues: readonly string[]): Promise<void> {
    const runs = await this.#giveBack(processId);
    for (const key of queues) await this.#unstick(key);
    await this.#remove(processId);
    this.#options.logger.info('A process is gone; its started work goes on elsewhere', {
      processId,
      runs,
    });
  }

  /** What this process had started and claimed goes on elsewhere; it stays and works on. */
  async handBack(): Promise<void> {
    await this.#giveBack(this.#options.processId);
  }

  /** After all that this process has handed back and written: whoever is alone then looks no more for what it left. */
  async leave(): Promise<void> {
    const { processId } = this.#options;
    await this.#remove(processId);
    engineIds.delete(processId);
    this.#options.store.hints.ring();
  }

  /** Ends what a process had started and gives back what it had claimed; the number of its runs. */
  async #giveBack(processId: string): Promise<number> {
    const { store, executor, quarantine } = this.#options;
    const died = processId !== this.#options.processId;
    const refs = await store.runs.heldBy({ processId });
    await store.tasks.releaseAll({ processId });
    await Promise.all(
      refs.map(async (ref) => {
        try {
          const stored = await store.runs.loadByRef({ ref });
          if (!stored) return;
          const run = executor.adopt(stored);
          const held = heldBy(run, processId);
          await executor.submitTo(run, { kind: 'processLost', processId, died });
          if (died) this.#tellOfDeaths(run, held);
        } catch (error) {
          if (!quarantine.takes(error)) throw error;
        }
      }),
    );
    return refs.length;
  }

  async #remove(processId: string): Promise<void> {
    this.#unreleased.add(processId);
    await this.#options.store.processes.remove({ processId });
    await this.#releaseLate();
  }

  /** Once may be a deploy; a step whose process dies again and again may be what kills it, and nothing bounds that. */
  #tellOfDeaths(run: LiveRun, held: readonly number[]): void {
    for (const scheduledEventId of held) {
      const activity = run.latest?.activities.get(scheduledEventId);
      const deaths = activity?.processDeaths ?? 0;
      if (activity === undefined || deaths < 2) continue;
      this.#options.logger.warn(
        'The process of a step has died again while it ran that step, which begins anew and uses up no retry. If the step kills it (process.exit, a crash, a rejection that nobody handles), it goes on like this until the step is corrected or the run is cancelled or terminated',
        {
          workflowId: run.key.workflowId,
          runId: run.key.runId,
          step: activity.activityId,
          attempt: activity.attempt,
          deaths,
        },
      );
    }
  }

  /** What a process had asked for before it died may have been claimed after it was looked for. */
  async #releaseLate(): Promise<void> {
    for (const processId of this.#unreleased) {
      await this.#options.store.tasks.releaseAll({ processId });
      this.#unreleased.delete(processId);
    }
  }

  /** WT-6: what lies in the sticky queues of a dead process would wait there for nobody. */
  async #unstick(key: string): Promise<void> {
    const { namespaceId, kind, taskQueue } = queueOf(key);
    if (kind !== 'workflow' || this.polls(key) || this.#queues.includes(key)) return;
    await this.#options.store.tasks.unstick({ namespaceId, taskQueue });
  }

  /** Whether another live process polls that queue. */
  polls(key: string): boolean {
    return this.#others.some(({ queues }) => queues.includes(key));
  }

  #isDead(row: ProcessRow, now: number): boolean {
    const { hostId, pid, isPidAlive } = this.#options;
    if (row.hostId !== hostId) return now - row.heartbeatAt > silentMsMax;
    // This process has that pid now, so whoever had it is gone.
    if (row.pid === pid) return row.startedAt < this.#startedAt && !engineIds.has(row.processId);
    return !isPidAlive(row.pid) || this.#isSilentForGood(row);
  }

  #isSilentForGood({ processId, pid }: ProcessRow): boolean {
    const looks = this.#heartbeats.get(processId)?.looks ?? 0;
    if (looks <= silentLooksMax) return false;
    const isOpen = this.#options.store.isOpenIn?.(pid);
    if (isOpen === false) return true;
    if (looks === silentLooksMax + 1) {
      this.#options.logger.warn(
        'A process that is alive has not been heard of for half a minute: a step of it may keep the event loop to itself, and what it runs waits',
        { processId, pid },
      );
    }
    return isOpen === undefined && looks > untoldLooksMax;
  }

  #countHeartbeats(rows: readonly ProcessRow[]): void {
    const former = this.#heartbeats;
    this.#heartbeats = new Map();
    for (const { processId, hostId, heartbeatAt } of rows) {
      if (hostId !== this.#options.hostId) continue;
      const known = former.get(processId);
      const looks = known?.heartbeatAt === heartbeatAt ? known.looks + 1 : 1;
      this.#heartbeats.set(processId, { heartbeatAt, looks });
    }
  }
}

/** What `queueKey` made the key of. */
function queueOf(key: string): GlanceRequest['queues'][number] {
  const [namespaceId = '', kind = '', ...name] = key.split('/');
  return { namespaceId, kind: kind as TaskKind, taskQueue: name.join('/') };
}

/** The activities whose attempts that process has started. */
function heldBy(run: LiveRun, processId: string): number[] {
  return [...(run.latest?.activities.values() ?? [])]
    .filter((activity) => activity.startedTime !== 0 && activity.processId === processId)
    .map(({ scheduledEventId }) => scheduledEventId);
}
