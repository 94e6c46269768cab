/** Children of a workflow: how they are started, and the handle of one that has. */
import type { CancelledFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { inputPayload } from './activity-call.ts';
import type { CancellationScope } from './cancellation-scope.ts';
import { memoFields } from './context-info.ts';
import type { ContextHost } from './context-host.ts';
import { isPromiseLike } from './coroutine.ts';
import { parseDuration, shown } from './duration.ts';
import { durationOf } from './int64.ts';
import { unknownField } from './known-fields.ts';
import {
  cancelCommand,
  cancelName,
  childName,
  signalCommand,
  signalName,
  startChildCommand,
  type OutgoingEntry,
} from './outgoing.ts';
import { issuesText } from './standard-schema.ts';
import { TaskCodeError } from './task-errors.ts';
import { Workflow } from './workflow.ts';
import type {
  ChildWorkflowHandle,
  ChildWorkflowOptions,
  WorkflowLike,
} from './workflow-context.ts';

const { ParentClosePolicy, TaskQueueKind } = proto.temporal.api.enums.v1;

const childFields: readonly string[] = [
  'workflowId',
  'taskQueue',
  'parentClosePolicy',
  'workflowExecutionTimeout',
  'workflowRunTimeout',
  'memo',
  'shielded',
];
const closePolicies = {
  TERMINATE: ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
  ABANDON: ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON,
  REQUEST_CANCEL: ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
};

/** A child that was asked for. */
export interface Child {
  readonly workflowId: string;
  readonly entry: OutgoingEntry;
}

type Given = WorkflowLike<never, unknown> | string;

/** @throws TaskCodeError STEP_OPTIONS_INVALID, KEY_CHANGED_KIND; ApplicationFailure for an input that cannot be. */
export function startChild(
  run: ContextHost,
  scope: CancellationScope,
  given: Given,
  input: unknown,
  options: ChildWorkflowOptions,
): Child {
  const type =
    typeof given === 'string' ? given : given instanceof Workflow ? given.workflowType : '';
  if (type === '') {
    throw misused(
      `A child workflow is ${shown(given)}; expected what workflow() returned, or a workflow type`,
    );
  }
  checkOptions(type, options);
  const workflowId = options.workflowId ?? ownId(run, type);
  const whose = `child "${workflowId}"`;
  const ownQueue = given instanceof Workflow ? given.taskQueue : '';
  const payload = inputPayload(run.options.converter, parsed(given, input), whose);
  const { parentClosePolicy, memo } = options;
  const entry = run.outgoing.ask(
    childName(workflowId),
    startChildCommand({
      workflowId,
      workflowType: { name: type },
      taskQueue: {
        name: options.taskQueue ?? (ownQueue || (run.info?.taskQueue ?? '')),
        kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
      },
      input: { payloads: [payload] },
      parentClosePolicy: closePolicies[parentClosePolicy ?? 'TERMINATE'],
      ...timeoutOf('workflowExecutionTimeout', options),
      ...timeoutOf('workflowRunTimeout', options),
      ...(memo && { memo: { fields: memoFields(memo, run.options.converter) } }),
    }),
  );
  if (entry.workflowType !== '' && entry.workflowType !== type) {
    throw new TaskCodeError(
      'KEY_CHANGED_KIND',
      `The child "${workflowId}" is of workflow type "${type}" in the code, but in event ${entry.initiatedEventId} of the history (StartChildWorkflowExecutionInitiated) it is of type "${entry.workflowType}". Give the child a workflowId of its own.`,
    );
  }
  run.lastKey = workflowId;
  if (options.shielded !== true && parentClosePolicy !== 'ABANDON') {
    run.own(scope, entry.ended, (error) => {
      run.outgoing.cancelChild(entry, workflowId, error);
    });
  }
  return { workflowId, entry };
}

/** Of one run the n-th child of that type; a run that continues another has other ids. */
function ownId(run: ContextHost, type: string): string {
  const { continuedExecutionRunId, originalExecutionRunId } = run.started;
  const chain = continuedExecutionRunId
    ? `/${(originalExecutionRunId || run.runId).slice(0, 8)}`
    : '';
  return `${run.workflowId}${chain}/${type}:${run.nextNumber(`child ${type}`)}`;
}

function parsed(given: Given, input: unknown): unknown {
  const schema = given instanceof Workflow ? given.definition.schema.params : undefined;
  if (schema === undefined || !(given instanceof Workflow)) return input;
  const result = schema['~standard'].validate(input);
  if (isPromiseLike(result)) {
    throw misused(
      `The schema of workflow "${given.getName()}" is asynchronous, which a workflow cannot wait for; expected one that answers at once`,
    );
  }
  if (result.issues === undefined) return result.value;
  throw misused(
    `The schema of workflow "${given.getName()}" refused the input: ${issuesText('input', result.issues)}`,
  );
}

function checkOptions(type: string, options: ChildWorkflowOptions): void {
  const where = `Child workflow "${type}": `;
  if (typeof options !== 'object' || options === null) {
    throw misused(`${where}its options are ${shown(options)}; expected an object`);
  }
  const odd = unknownField(options, childFields);
  if (odd !== undefined) throw misused(`${where}options.${odd}`);
  for (const field of ['workflowId', 'taskQueue'] as const) {
    const value: unknown = options[field];
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw misused(`${where}${field} is ${shown(value)}; expected a string that is not empty`);
    }
  }
  const policy: unknown = options.parentClosePolicy;
  if (
    policy !== undefined &&
    !(typeof policy === 'string' && Object.hasOwn(closePolicies, policy))
  ) {
    throw misused(
      `${where}parentClosePolicy is ${shown(policy)}; expected ${Object.keys(closePolicies).join(', ')}`,
    );
  }
}

function timeoutOf(
  field: 'workflowExecutionTimeout' | 'workflowRunTimeout',
  options: ChildWorkflowOptions,
): object {
  if (options[field] === undefined) return {};
  const span = parseDuration(options[field], 1);
  if (span.problem !== undefined) throw misused(`A child's ${field} ${span.problem}`);
  return { [field]: durationOf(span.ms) };
}

function misused(message: string): TaskCodeError {
  return new TaskCodeError('STEP_OPTIONS_INVALID', message);
}

/** The handle of a child, once it has started as that run. */
export class StartedChild<TResult> implements ChildWorkflowHandle<TResult> {
  readonly workflowId: string;
  readonly firstExecutionRunId: string;
  readonly #run: ContextHost;
  readonly #scope: CancellationScope;
  readonly #entry: OutgoingEntry;

  constructor(run: ContextHost, scope: CancellationScope, child: Child, runId: string) {
    this.#run = run;
    this.#scope = scope;
    this.#entry = child.entry;
    this.workflowId = child.workflowId;
    this.firstExecutionRunId = runId;
  }

  result(): Promise<TResult> {
    // A cancel of the workflow reaches the child, whose end is then the answer.
    const what = `the result of child "${this.workflowId}"`;
    return this.#run.ask(what, this.#scope, true, (deferred) => {
      this.#entry.ended.forwardTo(deferred);
      return () => undefined;
    }) as Promise<TResult>;
  }

  signal(name: string, argument?: unknown): Promise<void> {
    return sendSignal(
      this.#run,
      this.#scope,
      { workflowId: this.workflowId, runId: '' },
      name,
      argument,
      true,
    );
  }

  cancel(): Promise<void> {
    const { workflowId } = this;
    const what = `the cancel of child "${workflowId}"`;
    return this.#run.ask(what, this.#scope, true, (deferred) => {
      const name = cancelName(workflowId, '');
      this.#run.outgoing.ask(name, cancelCommand(workflowId)).arrived.forwardTo(deferred);
      return () => undefined;
    }) as Promise<void>;
  }
}

/** Resolves when it has arrived. */
export function sendSignal(
  run: ContextHost,
  scope: CancellationScope,
  target: { readonly workflowId: string; readonly runId: string },
  name: string,
  argument: unknown,
  childWorkflowOnly: boolean,
): Promise<void> {
  const what = `signal "${name}" to ${target.workflowId}`;
  return run.ask(what, scope, false, (deferred) => {
    if (typeof name !== 'string' || name === '') {
      throw misused(`The name of a signal is ${shown(name)}; expected a string that is not empty`);
    }
    const payload = inputPayload(run.options.converter, argument, what);
    const entry = run.outgoing.ask(
      signalName(target.workflowId, target.runId, name),
      signalCommand(target, name, payload, childWorkflowOnly),
    );
    entry.arrived.forwardTo(deferred);
    return (error: CancelledFailure) => {
      run.outgoing.withdraw(entry);
      deferred.reject(error);
    };
  }) as Promise<void>;
}
