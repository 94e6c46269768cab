/**
 * A scripted worker over the public calls: polls, decides, answers; late, twice, with an old token, or not at all. It
 * holds the replies of the service against what it knows (invariants 8, 15).
 */
import proto from '@temporalio/proto';
import type { HistoryEvent, UpdateMessage } from '../../src/core/proto.ts';
import { durationOf } from '../../src/core/time.ts';
import type { ActivityTask, WorkflowTask } from '../../src/service/local-worker.ts';
import { ServiceError } from '../../src/service/service-error.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import type { Chance } from '../chance.ts';
import { cancelTimer } from '../command-kit.ts';
import { payloadsOf } from '../core-driver.ts';
import { placeOf } from '../update-messages.ts';
import type { Violation } from './archive.ts';
import type { Ledger } from './ledger.ts';
import type { ProcessClock } from './process-clock.ts';
import { answerUpdates, rejectUpdates, reviveUpdate } from './raw-updates.ts';
import { decide, rawQueue, rawStepQueue, tooManyBytes } from './raw-commands.ts';
import { viewOf } from './run-view.ts';
import type { RunView } from './run-view.ts';
import type { RuleCoverage } from './rule-coverage.ts';

const { TaskQueueKind, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;
const namespace = 'default';
const stickyQueueMs = 2_000;
/** Longer than the service lets a poll wait. */
const pollMs = 70_000;
/** What failed once fails again: tasks come to attempts that wait, and meanwhile something else comes. */
const shakyAgain = 0.45;

export interface RawWorkerWorld {
  readonly ledger: Ledger;
  readonly chance: Chance;
  readonly coverage: RuleCoverage;
  /** Faults are over: every decision closes its run, every step is done. */
  readonly finishing: boolean;
  violated(violation: Violation): void;
}

export class RawWorker {
  readonly #world: RawWorkerWorld;
  readonly #service: WorkflowService;
  readonly #clock: ProcessClock;
  readonly #identity: string;
  readonly #stickyQueue: string | undefined;
  /** Updates that came with tasks, by workflow id. */
  readonly #offered = new Map<string, UpdateMessage[]>();
  readonly #stop = new AbortController();

  constructor(
    world: RawWorkerWorld,
    service: WorkflowService,
    clock: ProcessClock,
    processName: string,
  ) {
    this.#world = world;
    this.#service = service;
    this.#clock = clock;
    this.#identity = `${processName}-raw`;
    this.#stickyQueue = world.chance.next() < 0.5 ? `${processName}-sticky` : undefined;
  }

  start(): void {
    const { chance } = this.#world;
    for (let index = chance.whole(1, 2); index > 0; index -= 1) {
      this.#loop(() => this.#pollWorkflowTask(rawQueue, false));
    }
    const sticky = this.#stickyQueue;
    if (sticky !== undefined) this.#loop(() => this.#pollWorkflowTask(sticky, true));
    for (let index = chance.whole(1, 2); index > 0; index -= 1) {
      this.#loop(() => this.#pollStep());
    }
  }

  /** Some say that they leave. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const stickyTaskQueue = this.#stickyQueue;
    if (stickyTaskQueue === undefined || this.#world.chance.next() < 0.5) return;
    try {
      await this.#service.shutdownWorker({ namespace, identity: this.#identity, stickyTaskQueue });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  #loop(turn: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      while (!this.#stop.signal.aborted && !this.#clock.killed) {
        try {
          await turn();
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          await this.#clock.wait(200);
        }
      }
    };
    run().catch((error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#world.violated({ invariant: 0, what: `a scripted worker was answered with ${text}` });
    });
  }

  // Workflow tasks.

  async #pollWorkflowTask(name: string, sticky: boolean): Promise<void> {
    const task = await this.#service.pollWorkflowTaskQueue(
      {
        namespace,
        identity: this.#identity,
        taskQueue: sticky
          ? { name, kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY, normalName: rawQueue }
          : { name },
      },
      { signal: this.#stop.signal, deadline: this.#clock.now() + pollMs },
    );
    if (!task.taskToken || task.taskToken.length === 0) return;
    await this.#takeWorkflowTask(task);
  }

  async #takeWorkflowTask(task: WorkflowTask): Promise<void> {
    const { chance, coverage, finishing } = this.#world;
    coverage.hit('WT-11');
    const events = await this.#wholeHistory(task);
    const view = viewOf(events);
    const answer = { answer: payloadsOf(view.signals), resultType: 1 };
    if (task.query) {
      const fails = !finishing && chance.next() < 0.1;
      coverage.hit(fails ? 'QY-failed' : 'QY-3');
      await this.#service.respondQueryTaskCompleted({
        namespace,
        taskToken: task.taskToken ?? null,
        completedType: fails ? 2 : 1,
        ...(fails ? { errorMessage: 'no' } : { queryResult: answer.answer }),
      });
      return;
    }
    if (!finishing && chance.next() < 0.12 && (await this.#cancelFiredTimer(task, view))) return;
    const trouble = finishing ? 1 : chance.next();
    if (trouble < 0.02) return;
    if (chance.next() < 0.4) await this.#clock.wait(chance.whole(1, trouble < 0.04 ? 12_000 : 600));
    const fails = task.attempt !== undefined && (task.attempt ?? 1) > 1 ? shakyAgain : 0.03;
    if (trouble > 1 - fails && !finishing) {
      await this.#service.respondWorkflowTaskFailed({
        namespace,
        identity: this.#identity,
        taskToken: task.taskToken ?? null,
        cause:
          chance.next() < 0.15
            ? WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE
            : WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        failure: { message: 'the worker stumbled' },
      });
      return;
    }
    const queryResults: Record<string, typeof answer> = {};
    for (const id of Object.keys(task.queries ?? {})) queryResults[id] = answer;
    if (Object.keys(queryResults).length > 0) coverage.hit('QY-4');
    await this.#complete(task, view, queryResults);
  }

  /** WT-18: a timer is cancelled when it has fired, and the worker cannot know it yet. */
  async #cancelFiredTimer(task: WorkflowTask, view: RunView): Promise<boolean> {
    const now = this.#clock.now();
    const next = [...view.timers.values()].find(({ at }) => at > now && at < now + 3_000);
    if (!next) return false;
    await this.#clock.wait(next.at - now + 20);
    await this.#service.respondWorkflowTaskCompleted({
      namespace,
      identity: this.#world.ledger.token('decision'),
      taskToken: task.taskToken ?? null,
      commands: [cancelTimer(next.timerId)],
    });
    return true;
  }

  async #complete(
    task: WorkflowTask,
    view: RunView,
    queryResults: Record<string, object>,
  ): Promise<void> {
    const { chance, ledger, finishing, coverage } = this.#world;
    // WT-24: more time is asked for, and nothing else.
    const beats = !finishing && chance.next() < 0.05;
    // WT-38: updates, and nothing for them.
    const asked = (task.messages?.length ?? 0) > 0;
    const onlyRejects = asked && !beats && !finishing && chance.next() < 0.4;
    const decision = decide(view, chance, (kind) => ledger.token(kind), finishing);
    const messages = beats
      ? []
      : onlyRejects
        ? rejectUpdates(task)
        : answerUpdates(task, view, chance, finishing);
    const { workflowId } = task.workflowExecution ?? {};
    const offered = this.#offered.get(workflowId ?? '') ?? [];
    if (!beats && !onlyRejects && !finishing)
      messages.push(...reviveUpdate(task, view, offered, chance));
    this.#offered.set(workflowId ?? '', [...offered, ...(task.messages ?? [])].slice(-8));
    // In their places, before what closes the run.
    const places = messages.filter(({ id }) => !id?.endsWith('/reject')).map(placeOf);
    const commands = beats || onlyRejects ? [] : [...places, ...decision.commands];
    const request = {
      namespace,
      // Signed, so that a decision that is applied twice is seen (7).
      identity: ledger.token('decision'),
      taskToken: task.taskToken ?? null,
      commands: [...commands],
      messages,
      queryResults,
      returnNewWorkflowTask: chance.next() < 0.3,
      capabilities: { discardSpeculativeWorkflowTaskWithEvents: chance.next() < 0.5 },
      forceCreateNewWorkflowTask: beats || chance.next() < (finishing ? 0 : 0.03),
      ...(this.#stickyQueue !== undefined && chance.next() < 0.7
        ? {
            stickyAttributes: {
              workerTaskQueue: { name: this.#stickyQueue, normalName: rawQueue },
              scheduleToStartTimeout: durationOf(stickyQueueMs),
            },
          }
        : {}),
    };
    const reply = await this.#service.respondWorkflowTaskCompleted(request);
    if (chance.next() < 0.15) await this.#oldToken(task.taskToken, request);
    for (const step of reply.activityTasks ?? []) {
      coverage.hit('AC-16');
      void this.#run(step).catch(() => undefined);
    }
    if (reply.workflowTask?.taskToken?.length) {
      coverage.hit('WT-23');
      await this.#takeWorkflowTask(reply.workflowTask);
    }
  }

  /** 15: the token of a task that was completed changes nothing. */
  async #oldToken(
    taskToken: Uint8Array | null | undefined,
    request: Parameters<WorkflowService['respondWorkflowTaskCompleted']>[0],
  ): Promise<void> {
    try {
      await this.#service.respondWorkflowTaskCompleted({
        ...request,
        taskToken: taskToken ?? null,
        commands: [],
      });
      this.#world.violated({ invariant: 15, what: 'an old workflow task token was taken' });
    } catch (error) {
      this.#world.coverage.refused('WT-13', error);
    }
  }

  async #wholeHistory(task: WorkflowTask): Promise<readonly HistoryEvent[]> {
    const events = [...(task.history?.events ?? [])];
    let nextPageToken = task.nextPageToken;
    if (Number(events[0]?.eventId ?? 0) !== 1) {
      // A sticky worker that forgot: it reads everything.
      events.length = 0;
      nextPageToken = new Uint8Array();
    }
    while (nextPageToken && (nextPageToken.length > 0 || events.length === 0)) {
      const page = await this.#service.getWorkflowExecutionHistory({
        namespace,
        execution: task.workflowExecution ?? null,
        nextPageToken,
      });
      events.push(...(page.history?.events ?? []));
      nextPageToken = page.nextPageToken ?? null;
    }
    return events;
  }

  // Activities.

  async #pollStep(): Promise<void> {
    const task = await this.#service.pollActivityTaskQueue(
      { namespace, identity: this.#identity, taskQueue: { name: rawStepQueue } },
      { signal: this.#stop.signal, deadline: this.#clock.now() + pollMs },
    );
    if (!task.taskToken || task.taskToken.length === 0) return;
    // Others are polled for meanwhile.
    this.#run(task).catch((error: unknown) => {
      if (!(error instanceof ServiceError)) {
        this.#world.violated({ invariant: 0, what: `a step was answered with ${String(error)}` });
      }
    });
    await this.#clock.wait(50);
  }

  async #run(task: ActivityTask): Promise<void> {
    const { chance, finishing } = this.#world;
    const trouble = finishing ? 1 : chance.next();
    if (trouble < 0.06) return;
    let cancelRequested = false;
    const beats = chance.whole(0, 3);
    for (let beat = 0; beat < beats; beat += 1) {
      await this.#clock.wait(chance.whole(1, finishing ? 200 : 1_200));
      const details = payloadsOf(beat);
      const reply =
        chance.next() < 0.2
          ? await this.#service.recordActivityTaskHeartbeatById({ ...named(task), details })
          : await this.#service.recordActivityTaskHeartbeat({
              namespace,
              taskToken: task.taskToken ?? null,
              details,
            });
      cancelRequested ||= reply.cancelRequested === true;
    }
    if (chance.next() < 0.5) await this.#clock.wait(chance.whole(1, 1_500));
    if (cancelRequested && chance.next() < 0.15) {
      await this.#service.respondActivityTaskCanceledById(named(task));
      return;
    }
    if (cancelRequested && chance.next() < 0.7) {
      await this.#service.respondActivityTaskCanceled({
        namespace,
        taskToken: task.taskToken ?? null,
      });
      return;
    }
    if (trouble < 0.09) {
      await this.#cancelUnasked(task, cancelRequested);
      return;
    }
    if (trouble < 0.14) await this.#answerBadly(task);
    else if (trouble < 0.35) await this.#fail(task);
    else await this.#succeed(task);
  }

  /** AC-13: nobody asked for it. */
  async #cancelUnasked(task: ActivityTask, asked: boolean): Promise<void> {
    try {
      await this.#service.respondActivityTaskCanceled({
        namespace,
        taskToken: task.taskToken ?? null,
      });
    } catch (error) {
      if (!asked) this.#world.coverage.refused('AC-13', error, 'INVALID_ARGUMENT');
    }
  }

  /** AC-14: a failure that says nothing of the application, or a result that is too large. */
  async #answerBadly(task: ActivityTask): Promise<void> {
    const { chance, coverage } = this.#world;
    const taskToken = task.taskToken ?? null;
    if (chance.next() < 0.5) {
      const result = payloadsOf('x'.repeat(tooManyBytes));
      await this.#service.respondActivityTaskCompleted({ namespace, taskToken, result });
      return;
    }
    try {
      await this.#service.respondActivityTaskFailed({
        namespace,
        taskToken,
        failure: { message: 'bare' },
      });
    } catch (error) {
      coverage.refused('AC-14', error, 'INVALID_ARGUMENT');
    }
  }

  async #fail(task: ActivityTask): Promise<void> {
    const { chance } = this.#world;
    const answer = {
      failure: {
        message: 'the step failed',
        applicationFailureInfo: {
          type: chance.pick(['Passing', 'Fatal']),
          nonRetryable: chance.next() < 0.15,
          ...(chance.next() < 0.2 ? { nextRetryDelay: durationOf(chance.whole(1, 4_000)) } : {}),
        },
      },
      ...(chance.next() < 0.2 ? { lastHeartbeatDetails: payloadsOf('last') } : {}),
    };
    if (chance.next() < 0.15) {
      await this.#service.respondActivityTaskFailedById({ ...named(task), ...answer });
      return;
    }
    const taskToken = task.taskToken ?? null;
    await this.#service.respondActivityTaskFailed({ namespace, taskToken, ...answer });
  }

  async #succeed(task: ActivityTask): Promise<void> {
    const { chance, ledger } = this.#world;
    const { workflowId } = task.workflowExecution ?? {};
    const intent = ledger.intend('step', workflowId ?? '');
    const result = payloadsOf(intent.token);
    if (chance.next() < 0.2) {
      await this.#service.respondActivityTaskCompletedById({ ...named(task), result });
      ledger.acknowledge(intent);
      return;
    }
    const taskToken = task.taskToken ?? null;
    await this.#service.respondActivityTaskCompleted({ namespace, taskToken, result });
    ledger.acknowledge(intent);
    if (chance.next() >= 0.2) return;
    try {
      await this.#service.respondActivityTaskCompleted({ namespace, taskToken, result });
      this.#world.violated({ invariant: 15, what: 'an old activity token was taken' });
    } catch (error) {
      this.#world.coverage.refused('AC-5', error);
    }
  }
}

/** An activity by its ids. */
function named({ workflowExecution, activityId }: ActivityTask) {
  return {
    namespace,
    workflowId: workflowExecution?.workflowId ?? '',
    runId: workflowExecution?.runId ?? '',
    activityId: activityId ?? '',
  };
}
