/**
 * A run of a random program of the simulator in real time: its client, which knows nothing of the run but what the
 * public API says, and what must hold of the history that it fetches in the end.
 */
import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import proto from '@temporalio/proto';
import type { HistoryEvent } from '../../src/core/proto.ts';
import { isEngineStopped } from '../../src/service/service-error.ts';
import { grpcCode, grpcCodeOf } from '../../src/tasks/task-client.ts';
import { payloadsOf } from '../core-driver.ts';
import type { Chance } from '../chance.ts';
import { contextType } from '../simulation/context-program.ts';
import { HistoryCheck } from '../simulation/history-check.ts';
import { tokenOf } from '../simulation/run-record.ts';
import { checkSeen } from '../simulation/seen-check.ts';
import {
  drawProgram,
  signalNames,
  taskTypes,
  type Seen,
  type TaskNode,
} from '../simulation/task-programs.ts';
import type { StepLog } from './step-log.ts';

const { WorkflowIdReusePolicy, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

const codeUnavailable = 14;

/** What a client asked for under a name of its own, which is found again in the history. */
interface Asked {
  readonly token: string;
  /** It was told that this is done; or that there is no such run any more. */
  told: 'done' | 'too late' | undefined;
}

type How = 'completed' | 'cancelled' | 'terminated' | 'failed';

export class ProgramRun {
  readonly workflowId: string;
  readonly type: string;
  readonly #program: TaskNode;
  readonly #chance: Chance;
  readonly #clients: () => Client;
  /** Aborted when the test has ended, however that was. */
  readonly #over: AbortSignal;
  readonly #asked: Asked[] = [];
  #handle!: WorkflowHandle;
  #runId = '';
  #ended = false;
  #how: How | undefined;
  #result: unknown;
  #seenLast = 0;
  #cancelAsked = false;
  #terminateAsked = false;
  readonly problems: string[] = [];

  /** @param clients Whom to ask now: a component that goes on. */
  constructor(name: string, chance: Chance, clients: () => Client, over: AbortSignal) {
    this.#over = over;
    this.#chance = chance;
    this.#clients = clients;
    this.#program = drawProgram(chance);
    this.type = chance.next() < 0.35 ? contextType : chance.pick(taskTypes);
    this.workflowId = `${name}-${this.type}`;
  }

  /** From its start to its end, with all that its client does meanwhile. */
  async live(last: Client): Promise<void> {
    this.#runId = await this.#start();
    this.#handle = last.workflow.getHandle(this.workflowId, this.#runId);
    const ended = this.#await();
    const acts = this.#chance.whole(0, 4);
    const end = this.#chance.next();
    for (let act = 0; !this.#ended && !this.#over.aborted; act += 1) {
      await Promise.race([ended, passed(this.#chance.whole(1, 20 + 10 * act))]);
      if (act === acts && end < 0.15) await this.#cancel();
      else if (act === acts && end < 0.2) await this.#terminate();
      else await this.#act();
    }
    await ended;
  }

  async #await(): Promise<void> {
    try {
      this.#result = await this.#handle.result();
      this.#how = 'completed';
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const name = error.cause?.name;
      this.#how =
        name === 'CancelledFailure'
          ? 'cancelled'
          : name === 'TerminatedFailure'
            ? 'terminated'
            : 'failed';
    }
    this.#ended = true;
  }

  async #act(): Promise<void> {
    const at = this.#chance.next();
    if (at < 0.1) await this.#startAgain();
    else if (this.type === contextType && at < 0.3) await this.#query();
    else if (this.type === contextType && at < 0.5) await this.#update();
    else await this.#signal();
  }

  /** The answer of a component that goes on; undefined when the run has ended. */
  async #ask<R>(ask: (client: Client) => Promise<R>): Promise<R | undefined> {
    for (;;) {
      try {
        return await ask(this.#clients());
      } catch (error) {
        if (isNotFound(error)) return undefined;
        if (!isGone(error) || this.#over.aborted) throw error;
        await passed(1);
      }
    }
  }

  async #start(): Promise<string> {
    const reply = await this.#ask((client) =>
      client.workflowService.startWorkflowExecution(this.#startRequest(client, this.workflowId)),
    );
    return reply?.runId ?? '';
  }

  #startRequest({ options }: Client, requestId: string) {
    return {
      namespace: options.namespace,
      identity: options.identity,
      workflowId: this.workflowId,
      requestId,
      workflowType: { name: this.type },
      taskQueue: { name: 'async-tasks' },
      input: payloadsOf({ program: this.#program }),
      workflowIdReusePolicy: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    };
  }

  /** The same request is the same run; another one is refused, open or ended. */
  async #startAgain(): Promise<void> {
    const again = await this.#start();
    if (again !== this.#runId) this.#complain(`its start gave ${again} when it was asked again`);
    const other = `${this.workflowId}-other`;
    const reply = await this.#ask((client) =>
      client.workflowService
        .startWorkflowExecution(this.#startRequest(client, other))
        .catch((error: unknown) => {
          if (grpcCodeOf(error) === grpcCode.alreadyExists) return { runId: '' };
          throw error;
        }),
    );
    if (reply?.runId !== '') this.#complain(`another start of its id gave ${reply?.runId}`);
  }

  async #signal(): Promise<void> {
    const asked = this.#note('signal');
    const signalName = this.#chance.pick(signalNames);
    const times = this.#chance.next() < 0.2 ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      const reply = await this.#ask(({ workflowService, options }) =>
        workflowService.signalWorkflowExecution({
          namespace: options.namespace,
          identity: options.identity,
          workflowExecution: { workflowId: this.workflowId, runId: this.#runId },
          signalName,
          requestId: asked.token,
          input: payloadsOf(asked.token),
        }),
      );
      asked.told ??= reply ? 'done' : 'too late';
    }
  }

  /** What is answered once is answered again, and what is refused leaves nothing. */
  async #update(): Promise<void> {
    const asked = this.#note('update');
    const { token } = asked;
    const told: string[] = [];
    const times = this.#chance.next() < 0.3 ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      const answer = await this.#ask(async ({ workflow }) => {
        const handle = workflow.getHandle(this.workflowId, this.#runId);
        try {
          return await handle.executeUpdate('add', { args: [token], updateId: token });
        } catch (error) {
          if (!(error instanceof WorkflowUpdateFailedError)) throw error;
          return `! ${error.cause?.message}`;
        }
      });
      if (typeof answer === 'string') told.push(answer);
    }
    const refused = token.endsWith('7');
    const expected = refused ? '! not that one' : token;
    for (const answer of told) {
      // Its run ended before it was done.
      if (answer !== expected && !(answer.startsWith('! ') && !refused && this.#isLast(told))) {
        this.#complain(`update ${token} was answered with ${answer}`);
      }
    }
    asked.told = told.includes(token) ? 'done' : refused ? 'too late' : undefined;
  }

  #isLast(told: readonly string[]): boolean {
    return new Set(told).size === 1;
  }

  /** The code goes on, and never back. */
  async #query(): Promise<void> {
    const count = await this.#ask(({ workflow }) =>
      workflow.getHandle(this.workflowId, this.#runId).query<number>('state'),
    );
    if (count === undefined) return;
    if (count < this.#seenLast) this.#complain(`had seen ${this.#seenLast}, and then ${count}`);
    this.#seenLast = count;
  }

  async #cancel(): Promise<void> {
    this.#cancelAsked = true;
    await this.#ask(({ workflow }) => workflow.getHandle(this.workflowId, this.#runId).cancel());
  }

  async #terminate(): Promise<void> {
    this.#terminateAsked = true;
    await this.#ask(({ workflow }) => workflow.getHandle(this.workflowId, this.#runId).terminate());
  }

  #note(kind: string): Asked {
    const asked: Asked = { token: `${kind}-${this.#asked.length + 1}`, told: undefined };
    this.#asked.push(asked);
    return asked;
  }

  #complain(what: string): void {
    this.problems.push(`${this.workflowId}: ${what}`);
  }

  /** Its history, held against all that is known of it. */
  async check(log: StepLog): Promise<readonly HistoryEvent[]> {
    if (this.type === contextType && this.#how === 'completed') {
      await this.#query();
      const { length } = this.#result as readonly Seen[];
      if (this.#seenLast !== length)
        this.#complain(`has seen ${length}, and says ${this.#seenLast}`);
    }
    const events = (await this.#handle.fetchHistory()).events ?? [];
    checkHistory(events, (what) => {
      this.#complain(what);
    });
    this.#checkEnd(events);
    this.#checkAsked(events);
    log.check(this.workflowId, events, (what) => {
      this.#complain(what);
    });
    return events;
  }

  #checkEnd(events: readonly HistoryEvent[]): void {
    const last = events.at(-1);
    const how: How | undefined = last?.workflowExecutionCompletedEventAttributes
      ? 'completed'
      : last?.workflowExecutionCanceledEventAttributes
        ? 'cancelled'
        : last?.workflowExecutionTerminatedEventAttributes
          ? 'terminated'
          : undefined;
    if (how === undefined || how !== this.#how) {
      this.#complain(`is told to be ${this.#how}, its history says ${how}`);
    }
    if (how === 'cancelled' && !this.#cancelAsked) this.#complain('nobody cancelled it');
    if (how === 'terminated' && !this.#terminateAsked) this.#complain('nobody terminated it');
    if (how !== 'completed') return;
    const result = last?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]?.data;
    const recorded = Buffer.from(result ?? []).toString();
    const told = JSON.stringify(this.#result);
    if (told !== recorded) this.#complain(`was told to be ${told}, its history says ${recorded}`);
  }

  #checkAsked(events: readonly HistoryEvent[]): void {
    const effects = new Map<string, number>();
    for (const event of events) {
      const token = tokenOf(event);
      if (token) effects.set(token, (effects.get(token) ?? 0) + 1);
    }
    for (const { token, told } of this.#asked) {
      const times = effects.get(token) ?? 0;
      const most = told === 'too late' ? 0 : 1;
      if (times > most || (told === 'done' && times === 0)) {
        this.#complain(`${token} has its effect ${times} times, and was told to be ${told}`);
      }
    }
  }
}

/** What holds of the history of any program that has ended. */
export function checkHistory(
  events: readonly HistoryEvent[],
  complain: (what: string) => void,
): void {
  const told = (invariant: number, what: string): void => {
    complain(`invariant ${invariant}: ${what}`);
  };
  const history = new HistoryCheck(told);
  for (const event of events) {
    history.event(event);
    const failed = event.workflowTaskFailedEventAttributes;
    // The code of a program does nothing that is refused. What came meanwhile may keep a run from its end.
    if (
      failed &&
      failed.cause !== WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    ) {
      complain(`its code could not go on: ${failed.cause} ${failed.failure?.message}`);
    }
  }
  if (!history.closed) complain('its history has no end');
  checkSeen(events, told);
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isNotFound(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || grpcCodeOf(error) === grpcCode.notFound;
}

/** Its component was stopped under it. */
function isGone(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (isEngineStopped(at)) return true;
  const code = grpcCodeOf(error);
  // Its connection was closed.
  return code === codeUnavailable || code === grpcCode.cancelled;
}
