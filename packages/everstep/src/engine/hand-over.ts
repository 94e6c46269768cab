/**
 * The hand-over to a worker of this process (decision 10): a workflow task is started, driven and completed inside
 * the unit that made it, and its steps are started in it when a slot is free. One commit for all of it.
 *
 * A drive settles within microtasks; the unit is written at the end of the turn. A drive that takes longer, because
 * the code awaits something it must not, is committed as started, and its completion follows as an input of its own.
 */
import type { DispatchTask, Input, Interrupt, Replies } from '../core/input.ts';
import type { Command } from '../core/proto.ts';
import type { RegisteredAttributes } from '../core/search-attribute-type.ts';
import type { Clock } from '../service/clock.ts';
import type { LocalWorker, WorkflowTaskOutcome } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { TaskRow } from '../store/store.ts';
import type { Dispatcher, Executor } from './executor.ts';
import type { HistoryReader } from './history-reader.ts';
import type { Poller, Polls } from './poller.ts';
import type { LiveRun } from './unit.ts';
import type { Quarantine } from './quarantine.ts';
import type { QueryBoard, QueryResults } from './query-board.ts';
import { typedCommand } from './search-attributes.ts';
import { activityTaskMessage, workflowTaskMessage } from './task-message.ts';
import { encodeActivityToken, noTaskToken } from './task-token.ts';
import type { Part, RequestOutcome, Unit } from './unit.ts';

/** What became of a row: used up or void; nobody has room for it; the store failed. */
export type RowOutcome = 'used' | 'noRoom' | 'failed';

export interface HandOverOptions {
  readonly executor: Executor;
  readonly history: HistoryReader;
  readonly queries: QueryBoard;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly quarantine: Quarantine;
  readonly processId: string;
  readonly registeredAttributes: (namespaceId: string) => RegisteredAttributes | undefined;
}

export class HandOver implements Dispatcher {
  readonly #options: HandOverOptions;
  readonly #workers: LocalWorker[] = [];
  #requests = 0;

  /** Whether steps wait in that queue. */
  hasRows: ((namespaceId: string, taskQueue: string) => boolean) | undefined;
  /** Calls that wait for work. */
  polls: Polls | undefined;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  get workers(): readonly LocalWorker[] {
    return this.#workers;
  }

  attach(worker: LocalWorker): void {
    this.#workers.push(worker);
  }

  detach(worker: LocalWorker): void {
    const index = this.#workers.indexOf(worker);
    if (index >= 0) this.#workers.splice(index, 1);
  }

  handOver(part: Part, task: DispatchTask): boolean {
    const handedOver =
      task.kind === 'workflow'
        ? this.#handOverWorkflowTask(part, task)
        : this.#handOverStep(part, task);
    return handedOver || this.#giveToPoll(part, task);
  }

  /** A call that waits for such a task is given it in the commit that makes it. */
  #giveToPoll(part: Part, task: DispatchTask): boolean {
    const { polls } = this;
    const poller = polls && this.#pollerFor(polls, part.state.namespaceId, task);
    if (!poller) return false;
    const outcome = this.#options.executor.applyIn(part, {
      input: poller.startOf(task),
      settle: ignore,
      handedOverIn: part.unit,
    });
    if (!outcome.ok) {
      polls.returnPoller(poller);
      return true;
    }
    const { run, unit } = part;
    unit.onLost.push(() => {
      polls.returnPoller(poller);
    });
    unit.afterCommit.push(() => {
      poller.give(run, task, outcome.value).then(
        (given) => {
          if (given) polls.answered(poller);
          else polls.returnPoller(poller);
        },
        (error: unknown) => {
          this.#options.logger.error('A task could not be given to the call that waits for it', {
            ...run.key,
            error,
          });
          polls.returnPoller(poller);
        },
      );
    });
    return true;
  }

  /** WT-6: a sticky queue that nobody polls any more leaves its tasks to the normal one. */
  #pollerFor(polls: Polls, namespaceId: string, task: DispatchTask): Poller | undefined {
    const { kind, taskQueue, normalTaskQueue } = task;
    const poller = polls.takePoller(namespaceId, kind, taskQueue);
    if (poller || normalTaskQueue === '') return poller;
    if (this.#options.executor.stickyPolled?.(namespaceId, taskQueue)) return undefined;
    return polls.takePoller(namespaceId, kind, normalTaskQueue);
  }

  evict(runId: string): void {
    for (const worker of this.#workers) worker.evict(runId);
  }

  interrupt(runId: string, interrupt: Interrupt): void {
    for (const worker of this.#workers) {
      worker.interruptStep({
        runId,
        activityId: interrupt.activityId,
        attempt: interrupt.attempt,
        reason: interrupt.reason,
      });
    }
  }

  /** Takes a row of a queue; resolves when it is used up or found void, or not. */
  async takeRow(worker: LocalWorker, run: LiveRun, row: TaskRow): Promise<RowOutcome> {
    return row.kind === 'workflow'
      ? this.#takeWorkflowRow(worker, run, row)
      : this.#takeStepRow(worker, run, row);
  }

  /** What every start of a task says. Its request id is as unique as a UUID would be, and costs nothing. */
  #start(task: Pick<DispatchTask, 'scheduledEventId' | 'stamp'>, { identity }: LocalWorker) {
    const { scheduledEventId, stamp } = task;
    const { processId } = this.#options;
    this.#requests += 1;
    const requestId = `${processId.slice(0, 13)}-${this.#requests.toString(36)}`;
    return { scheduledEventId, stamp, requestId, identity, processId };
  }

  #handOverWorkflowTask(part: Part, task: DispatchTask): boolean {
    const queue = task.normalTaskQueue || task.taskQueue;
    const worker = this.#workers.find(
      (candidate) =>
        candidate.namespace === part.state.namespace &&
        candidate.acceptsWorkflowTask(queue, task.type),
    );
    if (!worker) return false;
    const { executor } = this.#options;
    const outcome = executor.applyIn(part, {
      input: { kind: 'startWorkflowTask', ...this.#start(task, worker), taskQueue: task.taskQueue },
      settle: ignore,
      handedOverIn: part.unit,
    });
    if (outcome.ok) this.#drive(worker, part, outcome.value as Replies['startWorkflowTask']);
    return true;
  }

  #takeWorkflowRow(worker: LocalWorker, run: LiveRun, row: TaskRow): Promise<RowOutcome> {
    return new Promise((resolve) => {
      this.#options.executor.apply(run, {
        input: { kind: 'startWorkflowTask', ...this.#start(row, worker), taskQueue: row.taskQueue },
        doneTask: row.taskId,
        settle: (outcome) => {
          resolve(settledRow(outcome));
        },
        onApplied: (part, outcome) => {
          if (outcome.ok) this.#drive(worker, part, outcome.value as Replies['startWorkflowTask']);
        },
      });
    });
  }

  #drive(worker: LocalWorker, part: Part, started: Replies['startWorkflowTask']): void {
    const { run, unit, state } = part;
    const held = worker.heldUpTo(run.key.runId);
    const from = held !== undefined && held === started.previousStartedEventId ? held + 1 : 1;
    const until = state.nextEventId;
    const inMemory = run.eventsFrom(from);
    const attached = this.#options.queries.attach(run.key.runId);
    const drive = (
      events: ReturnType<LiveRun['eventsFrom']> & object,
    ): Promise<WorkflowTaskOutcome> => {
      const message = workflowTaskMessage({
        state,
        started,
        taskToken: noTaskToken,
        history: {
          events:
            started.transientEvents.length === 0 ? events : [...events, ...started.transientEvents],
        },
      });
      message.queries = attached;
      return worker.driveWorkflowTask(message);
    };
    // What is read for a unit that is lost by then would stay with a worker that was told to forget it.
    const driving: Promise<WorkflowTaskOutcome | undefined> = inMemory
      ? drive(inMemory)
      : this.#options.history
          .read(run, from, until)
          .then((events) => (unit.lost ? undefined : drive(events)));
    driving.then(
      (outcome) => {
        if (outcome) this.#driven(worker, run, unit, started, outcome);
        else this.#options.queries.detach(run.key.runId);
      },
      (error: unknown) => {
        const { logger, quarantine } = this.#options;
        if (!quarantine.takes(error)) {
          logger.error('A workflow task could not be driven', { ...run.key, error });
        }
        worker.evict(run.key.runId);
        this.#respond(run, unit, {
          kind: 'failWorkflowTask',
          token: started.token,
          cause: 0,
          failure: { message: error instanceof Error ? error.message : String(error) },
          identity: worker.identity,
        });
      },
    );
  }

  #driven(
    worker: LocalWorker,
    run: LiveRun,
    unit: Unit,
    started: Replies['startWorkflowTask'],
    outcome: WorkflowTaskOutcome,
  ): void {
    if (outcome.kind === 'completed') {
      const { commands, queryResults, ...request } = outcome.request;
      this.#respond(
        run,
        unit,
        {
          kind: 'completeWorkflowTask',
          token: started.token,
          commands: this.#typed(run, (commands ?? []) as Command[]),
          request,
        },
        {
          queryResults: queryResults ?? {},
          rewind: (to) => {
            worker.rewind(run.key.runId, started.workflowTask.startedEventId, to);
          },
        },
      );
    } else if (outcome.kind === 'failed') {
      const { cause, failure, identity } = outcome.request;
      this.#respond(run, unit, {
        kind: 'failWorkflowTask',
        token: started.token,
        cause: cause ?? 0,
        failure: failure ?? null,
        identity: identity ?? '',
      });
    }
  }

  #typed({ key }: LiveRun, commands: readonly Command[]): readonly Command[] {
    const registered = this.#options.registeredAttributes(key.namespaceId);
    return registered ? commands.map((command) => typedCommand(command, registered)) : commands;
  }

  #respond(
    run: LiveRun,
    unit: Unit,
    input: Input,
    completed?: { readonly queryResults: QueryResults; readonly rewind: (to: number) => void },
  ): void {
    const { queries, executor } = this.#options;
    const { runId } = run.key;
    // The unit that started this task was lost: the worker was told, and the run is driven again.
    if (unit.lost) {
      queries.detach(runId);
      return;
    }
    executor.apply(run, {
      input,
      handedOverIn: unit,
      onApplied: (_part, outcome) => {
        if (!outcome.ok || !completed) return;
        const { resetHistoryEventId } = outcome.value as Replies['completeWorkflowTask'];
        // Before the commit, for in the same unit the run may be driven on.
        if (resetHistoryEventId > 0) completed.rewind(resetHistoryEventId);
      },
      settle: (outcome) => {
        if (outcome.ok && completed) queries.answerAttached(runId, completed.queryResults);
        else queries.detach(runId);
        // The history does not hold what the worker thinks it holds: it starts again from there.
        if (!outcome.ok) this.evict(runId);
      },
    });
  }

  #handOverStep(part: Part, task: DispatchTask): boolean {
    // Steps that wait in the queue were there first, but for the place that this run has just left.
    if (part.unit.placesLeft > 0) part.unit.placesLeft -= 1;
    else if (this.hasRows?.(part.state.namespaceId, task.taskQueue)) return false;
    for (const worker of this.#workers) {
      if (worker.namespace !== part.state.namespace) continue;
      if (!worker.activityTaskQueues.includes(task.taskQueue)) continue;
      const slot = worker.reserveStep(task.taskQueue, task.type);
      if (!slot) continue;
      const outcome = this.#options.executor.applyIn(part, {
        input: { kind: 'startActivity', ...this.#start(task, worker) },
        settle: ignore,
        handedOverIn: part.unit,
      });
      if (!outcome.ok) {
        slot.release();
        return true;
      }
      this.#startAfterCommit(
        worker,
        slot,
        part,
        task.scheduledEventId,
        outcome.value as Replies['startActivity'],
      );
      return true;
    }
    return false;
  }

  #takeStepRow(worker: LocalWorker, run: LiveRun, row: TaskRow): Promise<RowOutcome> {
    const slot = worker.reserveStep(row.taskQueue, row.type);
    if (!slot) return Promise.resolve('noRoom');
    let used = false;
    return new Promise((resolve) => {
      this.#options.executor.apply(run, {
        input: { kind: 'startActivity', ...this.#start(row, worker) },
        doneTask: row.taskId,
        settle: (outcome) => {
          if (!outcome.ok) slot.release();
          resolve(settledRow(outcome));
        },
        onApplied: (part, outcome) => {
          if (!outcome.ok || used) return;
          used = true;
          part.unit.onLost.push(() => {
            used = false;
          });
          this.#followStart(
            worker,
            slot,
            part,
            row.scheduledEventId,
            outcome.value as Replies['startActivity'],
          );
        },
      });
    });
  }

  #startAfterCommit(
    worker: LocalWorker,
    slot: ReturnType<LocalWorker['reserveStep']> & object,
    part: Part,
    scheduledEventId: number,
    reply: Replies['startActivity'],
  ): void {
    part.unit.onLost.push(() => {
      slot.release();
    });
    this.#followStart(worker, slot, part, scheduledEventId, reply);
  }

  #followStart(
    worker: LocalWorker,
    slot: ReturnType<LocalWorker['reserveStep']> & object,
    part: Part,
    scheduledEventId: number,
    reply: Replies['startActivity'],
  ): void {
    const { run, unit, state } = part;
    const { activity } = reply;
    unit.afterCommit.push(() => {
      const start = (
        scheduled: Parameters<typeof activityTaskMessage>[0]['scheduled'] | undefined,
      ): void => {
        if (!scheduled) {
          this.#options.logger.error('A step has no scheduled event', {
            ...run.key,
            scheduledEventId,
          });
          slot.release();
          return;
        }
        const taskToken = encodeActivityToken(run.key, {
          scheduledEventId,
          attempt: activity.attempt,
          stamp: activity.stamp,
        });
        worker.startStep(slot, activityTaskMessage({ state, activity, taskToken, scheduled }));
      };
      const inMemory = run.event(scheduledEventId);
      if (inMemory) {
        start(inMemory);
        return;
      }
      this.#options.history.event(run, scheduledEventId).then(start, (error: unknown) => {
        slot.release();
        const { logger, quarantine } = this.#options;
        if (quarantine.takes(error)) return;
        logger.error('A step could not be started', { ...run.key, scheduledEventId, error });
      });
    });
  }
}

function ignore(): void {
  // Nobody waits for the answer of a hand-over: its effect is in the unit.
}

/** The row is used up, or void because its task is gone; only a failed store leaves it. */
function settledRow(outcome: RequestOutcome): RowOutcome {
  return outcome.ok || 'refusal' in outcome ? 'used' : 'failed';
}
