/** Drives single handlers of the core over drafts: a run with a completed workflow task, a clock set by hand. */
import type { CommandContext, CommandHandler, CommandProblem } from '../src/core/command.ts';
import type { CoreEnv } from '../src/core/draft.ts';
import { Draft } from '../src/core/draft.ts';
import type { Answer } from '../src/core/input.ts';
import { defaultLimits } from '../src/core/limits.ts';
import type { Limits } from '../src/core/limits.ts';
import { EventType } from '../src/core/proto.ts';
import type { Command, HistoryEvent, Payloads } from '../src/core/proto.ts';
import { emptyRun } from '../src/core/start.ts';
import type { ActivityInfo, RunState, WorkflowTaskInfo } from '../src/core/state.ts';
import { numberOf } from '../src/core/time.ts';

export const startedAt = 1_700_000_000_000;
const seed = { namespaceId: 'ns-id', namespace: 'default', createRequestId: 'create-1' };

function runningState(changes: Partial<RunState> = {}): RunState {
  return {
    ...emptyRun({ ...seed, runId: '11111111-1111-4111-8111-111111111111' }),
    workflowId: 'wf-1',
    workflowType: 'Order',
    taskQueue: 'main',
    status: 'running',
    startTime: startedAt,
    executionTime: startedAt,
    workflowTaskTimeoutMs: 10_000,
    lastCompletedStartedEventId: 3,
    nextEventId: 5,
    ...changes,
  };
}

/** A started workflow task: what comes from outside is now buffered. */
export function startedWorkflowTask(): WorkflowTaskInfo {
  return {
    scheduledEventId: 5,
    startedEventId: 6,
    requestId: 'poll-1',
    attempt: 1,
    stamp: 0,
    kind: 'normal',
    timeoutMs: 10_000,
    scheduledTime: startedAt,
    originalScheduledTime: startedAt,
    startedTime: startedAt,
    dispatchTime: startedAt,
    taskQueue: 'main',
    sticky: false,
    scheduleToStartMs: 0,
    identity: 'worker',
    historyBytes: 0,
    suggestContinueAsNew: false,
  };
}

/** Steps through a run: each step is a draft over the state the step before left. */
export class DraftDriver {
  state: RunState;
  now = startedAt;
  limits: Limits = defaultLimits;
  context: CommandContext = newContext();
  last: Draft;

  constructor(changes: Partial<RunState> = {}) {
    this.state = runningState(changes);
    this.last = new Draft(this.state, this.#env());
  }

  #env(): CoreEnv {
    return { now: this.now, limits: this.limits, random: { next: () => 0.5, uuid: () => 'uuid' } };
  }

  step<R>(work: (draft: Draft) => R): R {
    const draft = new Draft(this.state, this.#env());
    const result = work(draft);
    this.last = draft;
    this.state = draft.state;
    return result;
  }

  /** Commands come while no workflow task is pending (WT-14). */
  command(handler: CommandHandler, command: Command): CommandProblem | undefined {
    this.context = newContext();
    return this.step((draft) => handler(draft, command, this.context));
  }

  /** As `command`, and it must have been taken. */
  accept(handler: CommandHandler, command: Command): void {
    const problem = this.command(handler, command);
    if (problem) throw new TypeError(problem.message);
  }

  input<I, R>(handler: (draft: Draft, input: I) => Answer<R>, input: I): Answer<R> {
    return this.step((draft) => handler(draft, input));
  }

  /** The worker took and completed the pending workflow task, without a trace. */
  clearWorkflowTask(): void {
    this.state = { ...this.state, workflowTask: undefined };
  }

  startWorkflowTask(): void {
    this.state = { ...this.state, workflowTask: startedWorkflowTask() };
  }

  /** Names of the events of the last step, such as ActivityTaskStarted. */
  get events(): string[] {
    return this.last.events.map(eventName);
  }

  get buffered(): string[] {
    return this.state.buffered.map(eventName);
  }

  get activity(): ActivityInfo {
    const [activity] = this.state.activities.values();
    if (!activity) throw new TypeError('no activity is pending');
    return activity;
  }
}

function newContext(): CommandContext {
  return {
    workflowTaskCompletedEventId: 4,
    identity: 'worker',
    eagerActivities: [],
    newTaskNeeded: false,
    messages: new Map(),
  };
}

function eventName(event: HistoryEvent): string {
  const name = EventType[event.eventType ?? 0] ?? '';
  return name
    .replace('EVENT_TYPE_', '')
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

export function idOf(event: HistoryEvent | undefined): number {
  return numberOf(event?.eventId);
}

export function payloadsOf(text: string): Payloads {
  return { payloads: [{ metadata: {}, data: new TextEncoder().encode(text) }] };
}
