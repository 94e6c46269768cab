/**
 * Plays a script's clients and workers on one target. It keeps what only that target can give: run ids and task
 * tokens. What it chooses to do depends on the view alone, which is the same for every target of a comparison.
 */
import proto from '@temporalio/proto';
import { longOf } from '../../../src/core/time.ts';
import type { RpcName } from '../../../src/service/workflow-service.ts';
import type { UpdateMessage } from '../../../src/core/proto.ts';
import { payloadsOf } from '../../core-driver.ts';
import { acceptance, placeOf, rejection, response } from '../../update-messages.ts';
import type { Action, StartOptions, UpdateAnswer } from './action.ts';
import { runBatch } from './batch-client.ts';
import { wholeHistory } from './history-pages.ts';
import { StepWorker } from './step-worker.ts';
import { StickyQueues } from './sticky-queues.ts';
import { call, type Outcome, type Target } from './target.ts';
import {
  bytesOf,
  list,
  record,
  text,
  unseen,
  type Observation,
  type ObservedRun,
  type WorkflowView,
} from './view.ts';
import { idOf, seconds, startFields, wireCommand, type Names } from './wire-command.ts';

/** One call of an action and what it answered. */
export interface Said {
  readonly rpc: RpcName;
  readonly outcome: Outcome;
}

const { ResetReapplyExcludeType: exclusion } = proto.temporal.api.enums.v1;

export const workflowsOfScript = 3;
const namespace = 'default';
const workflowTaskSeconds = 100;
/** A worker's poll is only made when there is something to get; then it may take the server a moment. */
const pollMs = 15_000;
const queryMs = 10_000;
const updateMs = 10_000;
/** How long a query or update is given to reach its run before the worker polls; a busy machine is slow. */
const queryLeadMs = 300;
/** From there on a failing workflow task waits before it is tried again. */
const attemptsMax = 3;

export class Actor implements Names {
  readonly target: Target;
  readonly #prefix: string;
  readonly #runs: string[][] = [];
  readonly #tasks: Uint8Array[][] = [];
  readonly #resets: number[] = [];
  readonly #sticky: StickyQueues;
  readonly #steps: StepWorker;
  #said: Said[] = [];

  constructor(target: Target, prefix: string) {
    this.target = target;
    this.#prefix = prefix;
    this.#sticky = new StickyQueues(target, this);
    this.#steps = new StepWorker(this, (rpc, request, ms) => this.#call(rpc, request, ms));
    for (let workflow = 0; workflow < workflowsOfScript; workflow += 1) {
      this.#runs.push([]);
      this.#tasks.push([]);
    }
  }

  workflowId(workflow: number): string {
    return `${this.#prefix}-${workflow}`;
  }
  workflowQueue(workflow: number): string {
    return `${this.#prefix}-queue-${workflow}`;
  }
  activityQueue(workflow: number, activity: number): string {
    return `${this.#prefix}-steps-${workflow}-${activity}`;
  }
  stickyQueue(workflow: number): string {
    return `${this.#prefix}-sticky-${workflow}`;
  }

  async perform(action: Action, step: number, views: readonly WorkflowView[]): Promise<Said[]> {
    this.#said = [];
    await this.#sticky.stayPolled(views);
    if (action.do === 'batch') await this.#batch(action, step, views);
    else await this.#do(action, step, views[action.workflow] ?? unseen);
    return this.#said;
  }

  /** Everything that can be seen; runs that are new are learned here. */
  async observe(): Promise<Observation> {
    const observation: ObservedRun[][] = [];
    for (let workflow = 0; workflow < workflowsOfScript; workflow += 1) {
      await this.#learnCurrent(workflow);
      const runs: ObservedRun[] = [];
      for (const runId of this.#runs[workflow] ?? []) {
        const execution = { workflowId: this.workflowId(workflow), runId };
        const [description, history] = await Promise.all([
          call(this.target, 'describeWorkflowExecution', { namespace, execution }),
          call(this.target, 'getWorkflowExecutionHistory', { namespace, execution }),
        ]);
        runs.push({ runId, history, description });
      }
      observation.push(runs);
    }
    return observation;
  }

  async #learnCurrent(workflow: number): Promise<void> {
    const execution = { workflowId: this.workflowId(workflow) };
    const found = await call(this.target, 'describeWorkflowExecution', { namespace, execution });
    if (!found.ok) return;
    const info = record(found.reply['workflowExecutionInfo']);
    this.#learn(workflow, text(record(info['execution'])['runId']));
  }

  #learn(workflow: number, runId: string): void {
    const runs = this.#runs[workflow] ?? [];
    if (runId !== '' && !runs.includes(runId)) runs.push(runId);
  }

  async #do(
    action: Exclude<Action, { do: 'batch' }>,
    step: number,
    view: WorkflowView,
  ): Promise<void> {
    const { workflow } = action;
    switch (action.do) {
      case 'start':
        return await this.#start('startWorkflowExecution', workflow, step, action.options, {});
      case 'signalWithStart':
        return await this.#start(
          'signalWithStartWorkflowExecution',
          workflow,
          step,
          action.options,
          {
            signalName: `signal-${action.signal}`,
            signalInput: payloadsOf('signal input'),
          },
        );
      case 'poll':
        return await this.#poll(workflow, view);
      case 'completeTask':
        return await this.#completeTask(action, view);
      case 'failTask': {
        const taskToken = this.#tasks[workflow]?.at(-1 - action.token);
        if (!taskToken || view.taskAttempt >= attemptsMax) return;
        await this.#call('respondWorkflowTaskFailed', {
          namespace,
          taskToken,
          cause: action.cause,
          failure: { message: 'the code is wrong', applicationFailureInfo: { type: 'Bug' } },
          identity: 'worker',
        });
        return;
      }
      case 'pollActivity':
        return await this.#steps.poll(workflow, action.activity, view);
      case 'answerActivity':
        return await this.#steps.answer(action);
      case 'controlActivity':
        return await this.#steps.control(action);
      case 'signal':
        await this.#call('signalWorkflowExecution', {
          namespace,
          workflowExecution: this.#execution(workflow, action.run),
          signalName: idOf(`signal-${action.signal}`, action.flaw),
          input: payloadsOf('signal input'),
          requestId:
            action.requestId === undefined ? '' : this.#signalId(action.requestId, workflow),
          identity: 'client',
        });
        return;
      case 'cancel':
        await this.#call('requestCancelWorkflowExecution', {
          namespace,
          workflowExecution: this.#execution(workflow, action.run),
          requestId: `cancel-${action.requestId ?? `step-${step}`}`,
          reason: 'enough',
          identity: 'client',
        });
        return;
      case 'terminate':
        await this.#call('terminateWorkflowExecution', {
          namespace,
          workflowExecution: this.#execution(workflow, action.run),
          reason: 'too long',
          details: payloadsOf('termination details'),
          identity: 'client',
        });
        return;
      case 'reset': {
        const point = 1 + (action.pick % (view.eventCount + 2));
        if (view.unclearPoints.has(point)) return;
        const outcome = await this.#call('resetWorkflowExecution', {
          namespace,
          workflowExecution: this.#execution(workflow, action.run),
          workflowTaskFinishEventId: longOf(point),
          reason: 'again',
          requestId: `reset-${action.requestId ?? `step-${step}`}`,
          resetReapplyType: action.reapply,
          // What is applied again, the server hands to the worker only when it has loaded the run anew.
          resetReapplyExcludeTypes: [exclusion.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
          identity: 'client',
        });
        this.#learnFrom(workflow, outcome);
        this.#resets[workflow] = (this.#resets[workflow] ?? 0) + 1;
        return;
      }
      case 'delete':
        await this.#call('deleteWorkflowExecution', {
          namespace,
          workflowExecution: this.#execution(workflow, action.run),
        });
        return;
      case 'resetSticky':
        this.#sticky.clear(workflow);
        await this.#call('resetStickyTaskQueue', {
          namespace,
          execution: this.#execution(workflow, action.run),
        });
        return;
      case 'query':
        return await this.#query(action, view);
      case 'update':
        return await this.#update(action, view);
      case 'pollUpdate':
        await this.#call('pollWorkflowExecutionUpdate', {
          namespace,
          updateRef: {
            workflowExecution: this.#execution(workflow, action.run),
            updateId: `update-${action.update}`,
          },
          identity: 'client',
        });
        return;
      case 'history':
        this.#said.push({
          rpc: 'getWorkflowExecutionHistory',
          outcome: await wholeHistory(this.target, action, this.#execution(workflow, action.run)),
        });
        return;
    }
  }

  async #batch(
    action: Extract<Action, { do: 'batch' }>,
    step: number,
    views: readonly WorkflowView[],
  ): Promise<void> {
    const { operation, byQuery } = action;
    const meant = views.flatMap((view, workflow) => {
      if (!view.open || !(action.all || workflow === action.workflow)) return [];
      return operation !== 'reset' || view.everCompleted ? [workflow] : [];
    });
    const runs = meant.map((workflow) => this.#execution(workflow, 0));
    if (runs.length === 0) return;
    const outcome = await runBatch(
      { jobId: `${this.#prefix}-batch-${step}`, operation, byQuery, runs },
      (rpc, request) => this.#call(rpc, request),
      (rpc, request) => call(this.target, rpc, request),
    );
    if (outcome) this.#said.push({ rpc: 'describeBatchOperation', outcome });
    if (operation !== 'reset') return;
    for (const workflow of meant) this.#resets[workflow] = (this.#resets[workflow] ?? 0) + 1;
  }

  /** A run made by a reset has forgotten the request ids on the server, so none is repeated to it. */
  #signalId(requestId: number, workflow: number): string {
    return `signal-${requestId}-${this.#resets[workflow] ?? 0}`;
  }

  async #call(rpc: RpcName, request: object, deadlineMs?: number): Promise<Outcome> {
    const outcome = await call(this.target, rpc, request, deadlineMs);
    this.#said.push({ rpc, outcome });
    return outcome;
  }

  #execution(workflow: number, back: number | undefined) {
    const runs = this.#runs[workflow] ?? [];
    const runId = back === undefined ? '' : (runs.at(-1 - back) ?? '');
    return { workflowId: this.workflowId(workflow), runId };
  }

  #learnFrom(workflow: number, outcome: Outcome): void {
    if (outcome.ok) this.#learn(workflow, text(outcome.reply['runId']));
  }

  async #start(
    rpc: RpcName,
    workflow: number,
    step: number,
    options: StartOptions,
    signal: object,
  ): Promise<void> {
    const { flaw } = options;
    const outcome = await this.#call(rpc, {
      namespace,
      workflowId: idOf(this.workflowId(workflow), flaw),
      workflowType: { name: flaw === 'noType' ? '' : 'order' },
      taskQueue: {
        name: flaw === 'reserved' ? '/_sys/queue' : this.workflowQueue(workflow),
      },
      input: payloadsOf('input'),
      identity: 'client',
      requestId: `start-${options.requestId ?? `step-${step}`}`,
      workflowTaskTimeout: seconds(options.taskTimeout ?? workflowTaskSeconds),
      ...startFields(options),
      ...signal,
    });
    this.#learnFrom(workflow, outcome);
  }

  async #poll(workflow: number, view: WorkflowView): Promise<void> {
    if (view.task !== 'SCHEDULED' || view.taskAttempt > attemptsMax) return;
    const outcome = await this.#call(
      'pollWorkflowTaskQueue',
      this.#sticky.pollRequest(workflow, view.onSticky && view.taskAttempt < 2),
      pollMs,
    );
    if (outcome.ok) this.#keepTask(workflow, outcome.reply['taskToken']);
  }

  #keepTask(workflow: number, token: unknown): void {
    const bytes = bytesOf(token);
    if (bytes) this.#tasks[workflow]?.push(bytes);
  }

  async #completeTask(
    action: Extract<Action, { do: 'completeTask' }>,
    view: WorkflowView,
  ): Promise<void> {
    const { workflow } = action;
    const taskToken = this.#tasks[workflow]?.at(-1 - action.token);
    if (!taskToken) return;
    const ids = view.scheduledEventIds;
    const scheduled = (pick: number): number => ids[pick % (ids.length + 1)] ?? 4_321;
    const messages: UpdateMessage[] = [];
    const commands = action.commands.flatMap((command) => {
      if (command.command !== 'completeUpdate') {
        return [wireCommand(command, workflow, this, scheduled)];
      }
      const updates = view.openUpdates;
      const id = updates[command.pick % Math.max(1, updates.length)];
      const message = id === undefined ? undefined : updateAnswer(id);
      if (!message || messages.some((other) => other.id === message.id)) return [];
      messages.push(message);
      return [placeOf(message)];
    });
    const sticky = action.sticky === true && action.token === 0 && view.task === 'STARTED';
    if (sticky) await this.#sticky.set(workflow);
    const outcome = await this.#call('respondWorkflowTaskCompleted', {
      namespace,
      taskToken,
      identity: 'worker',
      commands,
      messages,
      forceCreateNewWorkflowTask: action.force,
      returnNewWorkflowTask: action.returnNew,
      ...(sticky && this.#sticky.attributes(workflow)),
    });
    // A bad command fails the task, and that clears it too; a token of another task changes nothing.
    const clears = outcome.ok ? !sticky : action.token === 0 && view.task === 'STARTED';
    if (clears) this.#sticky.clear(workflow);
    if (outcome.ok) this.#keepTask(workflow, record(outcome.reply['workflowTask'])['taskToken']);
  }

  /** A query is asked, and a worker that polls answers it, with a workflow task or alone. */
  async #query(action: Extract<Action, { do: 'query' }>, view: WorkflowView): Promise<void> {
    const { workflow } = action;
    if (view.task === 'STARTED' || view.taskAttempt > 1) return;
    let answered = false;
    const asked = call(
      this.target,
      'queryWorkflow',
      {
        namespace,
        execution: this.#execution(workflow, undefined),
        query: { queryType: 'state', queryArgs: payloadsOf('which') },
        queryRejectCondition: action.reject,
      },
      queryMs,
    ).finally(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, queryLeadMs));
    const rejected = !view.open && action.reject > 1;
    if (!answered && !rejected && (view.task === 'SCHEDULED' || view.everCompleted)) {
      await this.#answerQuery(workflow, action.fails, this.#sticky.isUsed(workflow, view));
    }
    this.#said.push({ rpc: 'queryWorkflow', outcome: await asked });
  }

  /** An update is sent, and a worker that polls answers it. */
  async #update(action: Extract<Action, { do: 'update' }>, view: WorkflowView): Promise<void> {
    const { workflow } = action;
    if (view.task === 'STARTED' || view.taskAttempt > 1) return;
    const { answer } = action;
    const updateId = `update-${action.update}`;
    const known = view.knownUpdates.includes(updateId);
    // What nobody will bring about is not waited for.
    const accepts = answer === 'accept' || view.openUpdates.includes(updateId);
    const execution = this.#execution(workflow, action.run);
    const reachable = view.task === 'SCHEDULED' || view.everCompleted;
    if (view.open && !reachable) return;
    let answered = false;
    const asked = call(
      this.target,
      'updateWorkflowExecution',
      {
        namespace,
        workflowExecution: execution,
        waitPolicy: { lifecycleStage: accepts ? 2 : action.stage },
        request: {
          meta: { updateId: idOf(updateId, action.flaw), identity: 'client' },
          input: {
            name: action.flaw === 'noType' ? '' : 'change',
            args: payloadsOf('update input'),
          },
        },
      },
      updateMs,
    ).finally(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, queryLeadMs));
    const forLatest =
      execution.runId === '' || execution.runId === (this.#runs[workflow] ?? []).at(-1);
    if (!answered && view.open && forLatest && !known && action.flaw === undefined) {
      await this.#answerUpdates(workflow, answer, this.#sticky.isUsed(workflow, view));
    }
    this.#said.push({ rpc: 'updateWorkflowExecution', outcome: await asked });
  }

  async #answerUpdates(workflow: number, answer: UpdateAnswer, sticky: boolean): Promise<void> {
    const outcome = await this.#call(
      'pollWorkflowTaskQueue',
      this.#sticky.pollRequest(workflow, sticky),
      pollMs,
    );
    const taskToken = outcome.ok && bytesOf(outcome.reply['taskToken']);
    if (!outcome.ok || !taskToken) return;
    const messages = list(outcome.reply['messages']).flatMap((message) => {
      const id = text(message['protocolInstanceId']);
      const after = longOf(Number(message['eventId']));
      if (answer === 'reject') return [rejection(id, undefined, after)];
      const accepted = acceptance(id, after);
      return answer === 'accept' ? [accepted] : [accepted, updateAnswer(id)];
    });
    const stays = sticky && this.#sticky.isSet(workflow);
    const responded = await this.#call('respondWorkflowTaskCompleted', {
      namespace,
      taskToken,
      identity: 'worker',
      messages,
      // A rejection has no place in the history.
      commands: answer === 'reject' ? [] : messages.map(placeOf),
      ...(stays && this.#sticky.attributes(workflow)),
    });
    if (!responded.ok || !stays) this.#sticky.clear(workflow);
  }

  async #answerQuery(workflow: number, fails: boolean, sticky: boolean): Promise<void> {
    const outcome = await this.#call(
      'pollWorkflowTaskQueue',
      this.#sticky.pollRequest(workflow, sticky),
      pollMs,
    );
    const taskToken = outcome.ok && bytesOf(outcome.reply['taskToken']);
    if (!outcome.ok || !taskToken) return;
    if (outcome.reply['query']) {
      await this.#call('respondQueryTaskCompleted', {
        namespace,
        taskToken,
        completedType: fails ? 2 : 1,
        ...(fails ? { errorMessage: 'no such query' } : { queryResult: payloadsOf('answer') }),
      });
      return;
    }
    const answer = fails
      ? { resultType: 2, errorMessage: 'no such query' }
      : { resultType: 1, answer: payloadsOf('answer') };
    this.#sticky.clear(workflow);
    const ids = Object.keys(record(outcome.reply['queries']));
    await this.#call('respondWorkflowTaskCompleted', {
      namespace,
      taskToken,
      identity: 'worker',
      commands: [],
      queryResults: Object.fromEntries(ids.map((id) => [id, answer])),
    });
  }
}

/** With what the request said of itself, as workers answer. */
function updateAnswer(updateId: string): UpdateMessage {
  return response(updateId, 'done', 'client');
}
