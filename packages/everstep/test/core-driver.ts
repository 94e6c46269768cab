/**
 * Drives one run through the core tersely: every input is a method, time is a field, and everything that was
 * ever written is kept. After each transition it checks what must always hold.
 */
import assert from 'node:assert/strict';
import { defaultLimits } from '../src/core/limits.ts';
import type { Limits } from '../src/core/limits.ts';
import type {
  Answer,
  CompleteWorkflowTaskRequest,
  DispatchTask,
  InputKind,
  InputOf,
  OutboxMessage,
  Replies,
  StartInput,
  StartRequest,
} from '../src/core/input.ts';
import { EventType } from '../src/core/proto.ts';
import type { Command, HistoryEvent, Payloads } from '../src/core/proto.ts';
import { rebuildState } from '../src/core/rebuild.ts';
import { decodeState, encodeState } from '../src/core/state-codec.ts';
import type { RunState } from '../src/core/state.ts';
import { numberOf } from '../src/core/time.ts';
import { transition } from '../src/core/transition.ts';
import type { Transition } from '../src/core/transition.ts';
import { wakeAt } from '../src/core/wake.ts';

export const startTime = 1_700_000_000_000;

export function payloadsOf(value: unknown): Payloads {
  const data = new TextEncoder().encode(JSON.stringify(value));
  return { payloads: [{ metadata: { encoding: new TextEncoder().encode('json/plain') }, data }] };
}

export interface DriverOptions {
  readonly start?: Partial<Omit<StartInput, 'kind' | 'request'>>;
  readonly request?: StartRequest;
  readonly limits?: Partial<Limits>;
  readonly now?: number;
}

export class CoreDriver {
  now: number;
  state: RunState;
  readonly limits: Limits;
  readonly history: HistoryEvent[] = [];
  readonly outbox: OutboxMessage[] = [];
  /** What the last transition made for the queues. */
  tasks: readonly DispatchTask[] = [];
  last: Transition<unknown>;
  #ids = 0;

  constructor(options: DriverOptions = {}) {
    this.now = options.now ?? startTime;
    this.limits = { ...defaultLimits, ...options.limits };
    const input: StartInput = {
      kind: 'start',
      namespaceId: 'ns-id',
      namespace: 'default',
      runId: 'run-1',
      request: {
        workflowId: 'wf',
        workflowType: { name: 'order' },
        taskQueue: { name: 'q' },
        requestId: 'start-1',
        identity: 'client',
        ...options.request,
      },
      ...options.start,
    };
    const first = transition<'start'>(undefined, input, this.env());
    this.state = first.state;
    this.last = first;
    this.#keep(first);
  }

  env() {
    return {
      now: this.now,
      random: { next: () => 0.5, uuid: () => `uuid-${(this.#ids += 1)}` },
      limits: this.limits,
    };
  }

  do<K extends InputKind>(input: InputOf<K>): Answer<Replies[K]> {
    const old = this.state;
    const before = wholeOf(old);
    const result = transition<K>(this.state, input, this.env());
    assert.deepEqual(wholeOf(old), before, 'the state given was changed');
    if (!result.changed) assert.equal(result.state, old);
    this.state = result.state;
    this.#keep(result);
    return result.answer;
  }

  /** The value of an answer that must be an acceptance. */
  ok<K extends InputKind>(input: InputOf<K>): Replies[K] {
    const answer = this.do<K>(input);
    if (!answer.ok) assert.fail(`refused: ${answer.refusal.message}`);
    return answer.value;
  }

  #keep(result: Transition<unknown>): void {
    this.last = result;
    this.tasks = result.tasks;
    this.outbox.push(...result.outbox);
    for (const event of result.events) {
      assert.equal(numberOf(event.eventId), this.history.length + 1, 'event ids have no gaps');
      this.history.push(event);
    }
    assert.equal(result.state.nextEventId, this.history.length + 1);
    const bytes = encodeState(result.state);
    assert.deepEqual(
      encodeState(decodeState(bytes, result.state)),
      bytes,
      'the state survives its codec',
    );
  }

  poll(queue?: string, processId?: string): Replies['startWorkflowTask'] {
    const task = this.state.workflowTask;
    if (!task) assert.fail('no workflow task is pending');
    return this.ok<'startWorkflowTask'>({
      kind: 'startWorkflowTask',
      scheduledEventId: task.scheduledEventId,
      stamp: task.stamp,
      requestId: `poll-${(this.#ids += 1)}`,
      identity: 'worker',
      taskQueue: queue ?? task.taskQueue,
      ...(processId && { processId }),
    });
  }

  complete(
    commands: readonly Command[] = [],
    request: CompleteWorkflowTaskRequest = {},
  ): Answer<Replies['completeWorkflowTask']> {
    const task = this.state.workflowTask;
    if (!task) assert.fail('no workflow task is pending');
    return this.do<'completeWorkflowTask'>({
      kind: 'completeWorkflowTask',
      token: task,
      commands,
      request: { identity: 'worker', ...request },
    });
  }

  /** A whole turn: polled and completed. */
  turn(commands: readonly Command[] = [], request: CompleteWorkflowTaskRequest = {}): void {
    this.poll();
    const answer = this.complete(commands, request);
    if (!answer.ok) assert.fail(`refused: ${answer.refusal.message}`);
  }

  fail(cause = 14): Answer<undefined> {
    const task = this.state.workflowTask;
    if (!task) assert.fail('no workflow task is pending');
    return this.do<'failWorkflowTask'>({
      kind: 'failWorkflowTask',
      token: task,
      cause,
      identity: 'worker',
    });
  }

  signal(signalName = 'go', requestId = ''): Answer<undefined> {
    return this.do<'signal'>({ kind: 'signal', signalName, requestId, identity: 'client' });
  }

  update(updateId: string): Answer<undefined> {
    const request = { meta: { updateId, identity: 'client' }, input: { name: 'add' } };
    return this.do<'admitUpdate'>({ kind: 'admitUpdate', request });
  }

  terminate(): Answer<undefined> {
    return this.do<'terminate'>({ kind: 'terminate', reason: 'enough', identity: 'client' });
  }

  /** Time passes to the run's next deadline, which then happens. */
  wake(): void {
    const at = wakeAt(this.state);
    assert.ok(at > 0, 'the run has a deadline');
    this.now = Math.max(this.now, at);
    this.ok<'wake'>({ kind: 'wake' });
  }

  /** `WorkflowTaskScheduled` and so on, from `from` (1 = the first event). */
  names(from = 1): string[] {
    return this.history.slice(from - 1).map(nameOf);
  }

  /** Names of the events the last transition wrote. */
  wrote(): string[] {
    return this.last.events.map(nameOf);
  }

  event(name: string): HistoryEvent {
    const event = this.history.findLast((candidate) => nameOf(candidate) === name);
    if (!event) assert.fail(`no ${name} in the history`);
    return event;
  }

  /** The state that the history alone makes. */
  rebuilt(): RunState {
    const { namespaceId, namespace, runId, createRequestId } = this.state;
    return rebuildState(this.history, { namespaceId, namespace, runId, createRequestId });
  }
}

export function nameOf(event: HistoryEvent): string {
  const name: string | undefined = EventType[event.eventType ?? 0];
  return (name ?? '')
    .slice('EVENT_TYPE_'.length)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

export function refusalOf(answer: Answer<unknown>): { code: string; message: string } {
  if (answer.ok) return { code: 'OK', message: '' };
  return { code: answer.refusal.code, message: answer.refusal.message };
}

/** A state as values of their own, what stands in its row included. */
function wholeOf(state: RunState): unknown[] {
  const { namespaceId, workflowId, runId, workflowType, taskQueue, status, startTime } = state;
  const row = [namespaceId, workflowId, runId, workflowType, taskQueue, status, startTime];
  return [...row, encodeState(state)];
}
