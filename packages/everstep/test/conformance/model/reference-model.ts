/**
 * A second, plain telling of what the engine does: workflows, their runs, clients, workers and time. It is given the
 * actions of a script and says what each call answers (a gRPC code) and which events there are then. Read first:
 * model-run.ts.
 */
import type { Action, StartOptions } from '../scripts/action.ts';
import {
  applyCommand,
  retryRun,
  shorter,
  type CommandOutcome,
  type Message,
} from './model-commands.ts';
import { activityDeadlines, answerActivity } from './model-activity.ts';
import {
  endStartedTask,
  ModelRun,
  type ModelActivity,
  type ModelChild,
  type RunSettings,
} from './model-run.ts';
import { isClose, isFit, settingsOf } from './model-start.ts';

interface TaskToken {
  readonly run: ModelRun;
  readonly started: number;
  readonly startedAt: number;
  readonly attempt: number;
}
interface ActivityToken {
  readonly run: ModelRun;
  readonly scheduled: number;
  readonly attempt: number;
}

const workflows = 3;
/** From there on a failing workflow task waits before it is tried again; the scripts' workers leave it then. */
const attemptsMax = 3;
const failedStatuses = ['FAILED', 'CANCELED', 'TERMINATED', 'TIMED_OUT'];
const failures = [
  { type: 'Declined' },
  { type: 'Never', nonRetryable: true },
  { type: 'Listed' },
  { type: '', bare: true },
  { type: 'Later', nextRetryDelayMs: 700_000 },
];

export class ReferenceModel {
  now: number;
  readonly runs: ModelRun[][] = Array.from({ length: workflows }, () => []);
  readonly #tasks: TaskToken[][] = Array.from({ length: workflows }, () => []);
  readonly #steps = new Map<string, ActivityToken[]>();

  constructor(now: number) {
    this.now = now;
  }

  /** The codes of the calls that the action makes. */
  perform(action: Action, step: number): string[] {
    const { workflow } = action;
    switch (action.do) {
      case 'start':
        return [this.#start(workflow, step, action.options, false)];
      case 'signalWithStart':
        return [this.#start(workflow, step, action.options, true)];
      case 'poll':
        return this.#poll(workflow);
      case 'completeTask':
        return this.#completeTask(action);
      case 'failTask':
        return this.#failTask(action);
      case 'pollActivity':
        return this.#pollActivity(workflow, action.activity);
      case 'answerActivity':
        return this.#answerActivity(action);
      case 'signal':
        if (action.flaw) return ['INVALID_ARGUMENT'];
        return [
          this.#signal(
            this.#find(workflow, action.run),
            action.requestId === undefined ? '' : `signal-${action.requestId}`,
          ),
        ];
      case 'cancel':
        return [this.#cancel(this.#find(workflow, action.run))];
      case 'terminate': {
        const run = this.#find(workflow, action.run);
        if (!run?.open) return ['NOT_FOUND'];
        this.#terminate(run);
        return ['OK'];
      }
      default:
        throw new RangeError(`The model does not know ${action.do}`);
    }
  }

  /** Lets time pass; what is due happens in order of its time. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const due = this.runs
        .flat()
        .filter((run) => run.open)
        .flatMap((run) => this.#deadlines(run))
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) break;
      this.now = Math.max(this.now, due.at);
      due.happen();
    }
    this.now = until;
  }

  #latest(workflow: number): ModelRun | undefined {
    return this.runs[workflow]?.at(-1);
  }

  /** As the scripts name runs: counted back from the latest, and the current one where there are not so many. */
  #find(workflow: number, back: number | undefined): ModelRun | undefined {
    const runs = this.runs[workflow] ?? [];
    return back === undefined ? runs.at(-1) : (runs.at(-1 - back) ?? runs.at(-1));
  }

  // Clients

  /** ID-1 … ID-3, SG-3. */
  #start(workflow: number, step: number, options: StartOptions, signals: boolean): string {
    if (!isFit(options)) return 'INVALID_ARGUMENT';
    const { conflictPolicy = 0, reusePolicy = 0 } = options;
    // Policies that contradict each other or have no meaning for a signal.
    if (reusePolicy === 4 && conflictPolicy !== 0) return 'INVALID_ARGUMENT';
    if (reusePolicy === 3 && conflictPolicy === 3) return 'INVALID_ARGUMENT';
    if (signals && conflictPolicy === 1) return 'INVALID_ARGUMENT';
    const requestId = `start-${options.requestId ?? `step-${step}`}`;
    const current = this.#latest(workflow);
    const same = current?.settings.requestId === requestId;
    if (current && same && !(signals && current.open)) return 'OK';
    if (current?.open) {
      const terminates = conflictPolicy === 3 || reusePolicy === 4;
      if (!terminates || same) {
        if (signals) return this.#signal(current, requestId, true);
        return conflictPolicy === 2 ? 'OK' : 'ALREADY_EXISTS';
      }
      this.#terminate(current);
    } else if (current) {
      if (reusePolicy === 3) return 'ALREADY_EXISTS';
      if (reusePolicy === 2 && !failedStatuses.includes(current.status)) return 'ALREADY_EXISTS';
    }
    const run = this.#newRun(workflow, settingsOf(options, requestId, this.now));
    if (signals) {
      run.signalRequestIds.add(requestId);
      run.write('WorkflowExecutionSignaled');
    }
    run.scheduleTask(this.now);
    return 'OK';
  }

  #newRun(workflow: number, settings: RunSettings, waitsForParent = false): ModelRun {
    const run = new ModelRun(workflow, settings, this.now, waitsForParent);
    this.runs[workflow]?.push(run);
    return run;
  }

  /** SG-1, SG-2, WT-17. */
  #signal(run: ModelRun | undefined, requestId: string, withStart = false): string {
    if (!run) return 'NOT_FOUND';
    if (requestId !== '' && run.signalRequestIds.has(requestId)) return 'OK';
    if (!run.open) return 'NOT_FOUND';
    if (run.closeAttempted && run.task && run.task.started > 0) return 'RESOURCE_EXHAUSTED';
    if (requestId !== '') run.signalRequestIds.add(requestId);
    run.write('WorkflowExecutionSignaled');
    run.scheduleTask(this.now, withStart);
    return 'OK';
  }

  /** SG-5. */
  #cancel(run: ModelRun | undefined): string {
    if (!run) return 'NOT_FOUND';
    if (!run.open || run.cancelRequested) return 'OK';
    run.cancelRequested = true;
    run.write('WorkflowExecutionCancelRequested');
    run.scheduleTask(this.now, true);
    return 'OK';
  }

  #terminate(run: ModelRun): void {
    endStartedTask(run);
    this.#close(run, 'WorkflowExecutionTerminated', 'TERMINATED', {});
  }

  /** EV-1, CH-3, CH-4, CN-1. */
  #close(run: ModelRun, type: string, status: string, fields: object, next?: RunSettings): void {
    run.append({ type, ...fields });
    run.status = status;
    run.task = undefined;
    run.buffer = [];
    const children = [...run.children.values()];
    if (next) {
      this.#newRun(run.workflow, next).scheduleTask(this.now);
    } else {
      this.#tellParent(run, type);
    }
    for (const child of children) this.#closeChild(child);
  }

  #closeChild(child: ModelChild): void {
    if (child.policy === 'abandon' || !child.run) return;
    const latest = this.#latest(child.workflow);
    // A child's chain goes on under its workflow id, with the same parent.
    if (!latest?.open || latest.settings.parent?.run !== child.run.settings.parent?.run) return;
    if (child.policy === 'terminate') this.#terminate(latest);
    else this.#cancel(latest);
  }

  #tellParent(run: ModelRun, closeType: string): void {
    const { parent } = run.settings;
    if (!parent?.run.open || !parent.run.children.has(parent.initiated)) return;
    parent.run.write(closeType.replace('Workflow', 'ChildWorkflow'), {
      initiatedEventId: parent.initiated,
      startedOf: `ChildWorkflowExecutionStarted initiatedEventId ${parent.initiated}`,
    });
    parent.run.children.delete(parent.initiated);
    parent.run.scheduleTask(this.now);
  }

  // Workers

  #poll(workflow: number): string[] {
    const run = this.#latest(workflow);
    const task = run?.open ? run.task : undefined;
    if (!run || !task || task.started > 0 || task.attempt > attemptsMax) return [];
    run.startTask(this.now);
    this.#keepTask(run);
    return ['OK'];
  }

  #keepTask(run: ModelRun): void {
    if (!run.task) return;
    const { started, startedAt, attempt } = run.task;
    this.#tasks[run.workflow]?.push({ run, started, startedAt, attempt });
  }

  /** WT-13. */
  #isCurrent(token: TaskToken): boolean {
    const { task, open } = token.run;
    return (
      open &&
      task?.started === token.started &&
      task.startedAt === token.startedAt &&
      task.attempt === token.attempt
    );
  }

  /** WT-14 … WT-23. */
  #completeTask(action: Extract<Action, { do: 'completeTask' }>): string[] {
    const token = this.#tasks[action.workflow]?.at(-1 - action.token);
    if (!token) return [];
    if (!this.#isCurrent(token)) return ['NOT_FOUND'];
    const { run } = token;
    const { commands } = action;
    if (commands.slice(0, -1).some(isClose)) return ['INVALID_ARGUMENT'];
    const undo = run.snapshot();
    const scheduled = this.#scheduledEvents(action.workflow);
    const completed = this.#completed(run);
    const outcomes: CommandOutcome[] = [];
    for (const command of commands) {
      const outcome = applyCommand(
        run,
        command,
        completed,
        this.now,
        (pick) => scheduled[pick % (scheduled.length + 1)] ?? 0,
      );
      outcomes.push(outcome);
      if (!outcome.cause) continue;
      undo();
      this.#refuse(run, outcome.cause);
      return ['INVALID_ARGUMENT'];
    }
    for (const { ended } of outcomes) if (ended) run.buffer.push(ended);
    const close = outcomes.at(-1)?.close;
    if (close) {
      this.#close(run, close.type, close.status, close.fields, close.next);
    } else if (action.force || run.buffer.length > 0) {
      run.scheduleTask(this.now);
      if (action.returnNew) {
        run.startTask(this.now);
        this.#keepTask(run);
      }
    }
    for (const { message } of outcomes) if (message) this.#deliver(run, message);
    return ['OK'];
  }

  /** WT-3: an attempt above 1 that completes is written after all. */
  #completed(run: ModelRun): number {
    const { task } = run;
    if (!task) return 0;
    if (task.attempt > 1) {
      const { attempt } = task;
      task.scheduled = run.append({ type: 'WorkflowTaskScheduled', attempt });
      task.started = run.append({
        type: 'WorkflowTaskStarted',
        scheduledEventId: task.scheduled,
      });
    }
    run.task = undefined;
    run.nextAttempt = 1;
    run.closeAttempted = false;
    return run.append({
      type: 'WorkflowTaskCompleted',
      scheduledEventId: task.scheduled,
      startedEventId: task.started,
    });
  }

  #refuse(run: ModelRun, cause: string): void {
    const unhandled = cause.endsWith('UNHANDLED_COMMAND');
    // Left to its timeout.
    if ((run.task?.attempt ?? 1) > 1 && !unhandled) return;
    run.endFailedTask('WorkflowTaskFailed', { cause });
    run.closeAttempted = unhandled;
    run.scheduleTask(this.now);
  }

  /** As the scripts choose an activity to cancel: among all that the latest run has scheduled, or none. */
  #scheduledEvents(workflow: number): readonly number[] {
    const events = this.#latest(workflow)?.events ?? [];
    return events.flatMap(({ type }, index) =>
      type === 'ActivityTaskScheduled' ? [index + 1] : [],
    );
  }

  #failTask(action: Extract<Action, { do: 'failTask' }>): string[] {
    const token = this.#tasks[action.workflow]?.at(-1 - action.token);
    const latest = this.#latest(action.workflow);
    if (!token || (latest?.open && (latest.task?.attempt ?? 0) >= attemptsMax)) return [];
    if (!this.#isCurrent(token)) return ['NOT_FOUND'];
    token.run.endFailedTask('WorkflowTaskFailed', {});
    token.run.scheduleTask(this.now);
    return ['OK'];
  }

  #deliver(run: ModelRun, message: Message): void {
    if (!run.open) return;
    if (message.kind === 'startChild') {
      this.#startChild(run, message);
      return;
    }
    const target = this.#latest(message.workflow);
    const related = !message.childOnly || target?.settings.parent?.run === run;
    const itself = message.workflow === run.workflow;
    let reached = target !== undefined && !itself;
    if (reached && target?.open) {
      reached = related;
      if (related) {
        if (message.kind === 'cancel') this.#cancel(target);
        else reached = this.#signal(target, '') === 'OK';
      }
    } else if (message.kind === 'signal') {
      reached = false;
    }
    const name = message.kind === 'signal' ? 'Signal' : 'RequestCancel';
    const done = message.kind === 'signal' ? 'Signaled' : 'CancelRequested';
    const type = reached
      ? `ExternalWorkflowExecution${done}`
      : `${name}ExternalWorkflowExecutionFailed`;
    run.write(type, { initiatedEventId: message.initiated });
    run.scheduleTask(this.now);
  }

  /** CH-1, CH-2. */
  #startChild(parent: ModelRun, message: Extract<Message, { kind: 'startChild' }>): void {
    const { command, initiated } = message;
    const current = this.#latest(command.workflow);
    const taken =
      current !== undefined &&
      (current.open ||
        command.reusePolicy === 3 ||
        (command.reusePolicy === 2 && !failedStatuses.includes(current.status)));
    if (taken) {
      parent.children.delete(initiated);
      parent.write('StartChildWorkflowExecutionFailed', { initiatedEventId: initiated });
      parent.scheduleTask(this.now);
      return;
    }
    const settings: RunSettings = {
      requestId: '',
      attempt: 1,
      backoffMs: 0,
      runTimeoutMs: (command.runTimeout ?? 0) * 1_000,
      executionTimeoutMs: 0,
      expiresAt: 0,
      taskTimeoutMs: shorter(100_000, (command.runTimeout ?? 0) * 1_000),
      retry: command.retry,
      parent: { run: parent, initiated },
    };
    const child = this.#newRun(command.workflow, settings, true);
    const entry = parent.children.get(initiated);
    if (entry) entry.run = child;
    parent.write('ChildWorkflowExecutionStarted', { initiatedEventId: initiated });
    parent.scheduleTask(this.now);
    child.waitsForParent = false;
    child.scheduleTask(this.now);
  }

  // Activities

  #pollActivity(workflow: number, activity: number): string[] {
    const run = this.#latest(workflow);
    const found = run?.open ? run.activityById(`activity-${activity}`) : undefined;
    if (!run || !found || found.startedAt !== undefined || found.scheduledAt > this.now) return [];
    found.startedAt = this.now;
    found.heartbeatAt = 0;
    const key = `${workflow}/${activity}`;
    const { scheduled, attempt } = found;
    this.#steps.set(key, [...(this.#steps.get(key) ?? []), { run, scheduled, attempt }]);
    return ['OK'];
  }

  #answerActivity(action: Extract<Action, { do: 'answerActivity' }>): string[] {
    const { workflow, activity, byId, answer } = action;
    const token = this.#steps.get(`${workflow}/${activity}`)?.at(-1 - action.token);
    if (!byId && !token) return [];
    const failure = failures[action.failure % failures.length];
    if (answer === 'fail' && !byId && failure?.bare) return ['INVALID_ARGUMENT'];
    const run = byId ? this.#latest(workflow) : token?.run;
    const found = byId
      ? run?.activityById(`activity-${activity}`)
      : run?.activities.get(token?.scheduled ?? 0);
    const unstarted = found?.startedAt === undefined && !(byId && answer === 'complete');
    const otherAttempt = !byId && found?.attempt !== token?.attempt;
    if (!run?.open || !found || unstarted || otherAttempt) return ['NOT_FOUND'];
    return [answerActivity(run, found, answer, failure ?? { type: '' }, this.now)];
  }

  // Time

  #deadlines(run: ModelRun): { readonly at: number; readonly order: number; happen(): void }[] {
    const { task } = run;
    const deadlines = [...run.timers].map(([timerId, timer]) => ({
      at: timer.due,
      order: timer.started,
      happen: () => {
        run.timers.delete(timerId);
        run.write('TimerFired', { timerId, startedEventId: timer.started });
        run.scheduleTask(this.now);
      },
    }));
    for (const activity of run.activities.values()) {
      for (const [type, at] of activityDeadlines(activity)) {
        const order = activity.scheduled;
        deadlines.push({ at, order, happen: () => this.#expire(run, activity, type) });
      }
    }
    if (task && task.started > 0) {
      const at = task.startedAt + run.settings.taskTimeoutMs;
      deadlines.push({ at, order: 0, happen: () => this.#timeOutTask(run) });
    }
    if (!run.everScheduled && !run.waitsForParent) {
      const happen = (): void => run.scheduleTask(this.now);
      deadlines.push({ at: run.executionTime, order: 0, happen });
    }
    if (run.expiresAt < Infinity) {
      deadlines.push({ at: run.expiresAt, order: -1, happen: () => this.#timeOutRun(run) });
    }
    return deadlines;
  }

  #timeOutTask(run: ModelRun): void {
    run.endFailedTask('WorkflowTaskTimedOut', { timeoutType: 'TIMEOUT_TYPE_START_TO_CLOSE' });
    run.scheduleTask(this.now);
  }

  /** AC-6, AC-10. */
  #expire(run: ModelRun, activity: ModelActivity, type: string): void {
    let timeoutType = type;
    if (type === 'START_TO_CLOSE' || type === 'HEARTBEAT') {
      const retryState = run.retryActivity(activity, { type: '' }, this.now);
      if (retryState === undefined) return;
      if (retryState === 'RETRY_STATE_TIMEOUT') timeoutType = 'SCHEDULE_TO_CLOSE';
    }
    const fields = { timeoutType: `TIMEOUT_TYPE_${timeoutType}` };
    run.closeActivity(activity, 'ActivityTaskTimedOut', fields, this.now);
  }

  /** CN-4. */
  #timeOutRun(run: ModelRun): void {
    endStartedTask(run);
    const over = run.settings.expiresAt > 0 && this.now >= run.settings.expiresAt;
    const answer = over
      ? { fields: { retryState: 'RETRY_STATE_TIMEOUT' } }
      : retryRun(run, { type: '' }, this.now);
    const next = 'next' in answer ? answer.next : undefined;
    this.#close(run, 'WorkflowExecutionTimedOut', 'TIMED_OUT', answer.fields, next);
  }
}
