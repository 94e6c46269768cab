/** How a workflow may be started, checked before the official client is called, whose errors name no field. */
import type { WorkflowStartOptions as ClientStartOptions } from '@temporalio/client';
import {
  compileRetryPolicy,
  encodeWorkflowIdConflictPolicy,
  encodeWorkflowIdReusePolicy,
} from '@temporalio/common';
import { EverstepError } from '../service/error-codes.ts';
import { stepOptionsOf, type ActivityRetry } from './activity.ts';
import { parseDuration, shown } from './duration.ts';
import { transactionProblem, type TransactionHandle } from './in-transaction.ts';
import { isFields, unknownField } from './known-fields.ts';
import { grpcCode, grpcCodeOf } from './task-client.ts';

const startFields = [
  'workflowId',
  'taskQueue',
  'memo',
  'searchAttributes',
  'typedSearchAttributes',
  'startDelay',
  'cronSchedule',
  'retry',
  'workflowExecutionTimeout',
  'workflowRunTimeout',
  'workflowTaskTimeout',
  'workflowIdReusePolicy',
  'workflowIdConflictPolicy',
] as const satisfies readonly (keyof ClientStartOptions)[];

/** As the official client's; the id is a UUID and the queue the workflow's own, unless they are said. */
export type WorkflowStartOptions = Partial<
  Pick<ClientStartOptions, (typeof startFields)[number]>
> & {
  /** Your own transaction: the run exists exactly if it commits. Nothing of it is seen before. For `start` only. */
  readonly tx?: TransactionHandle;
};

const spans = [
  'startDelay',
  'workflowExecutionTimeout',
  'workflowRunTimeout',
  'workflowTaskTimeout',
] as const;

/**
 * @param where Whose they are, for messages: `Workflow "order": `.
 * @throws EverstepError WORKFLOW_OPTIONS_INVALID naming the field.
 */
export function checkStartOptions(options: unknown, where: string): void {
  if (!isFields(options)) {
    throw invalid(`${where}the options of start are ${shown(options)}; expected an object.`);
  }
  const odd = unknownField(options, [...startFields, 'tx']);
  if (odd !== undefined) throw invalid(`${where}options.${odd}.`);
  const problem = 'tx' in options ? transactionProblem(options.tx) : undefined;
  if (problem !== undefined) throw invalid(`${where}${problem}`);
  const given = options as Readonly<Record<(typeof startFields)[number], unknown>>;
  for (const field of ['workflowId', 'taskQueue'] as const) {
    const value = given[field];
    if (value === undefined || (typeof value === 'string' && value !== '')) continue;
    throw invalid(`${where}${field} is ${shown(value)}; expected a string that is not empty.`);
  }
  for (const field of spans) {
    if (given[field] === undefined) continue;
    const span = parseDuration(given[field], 0);
    if (span.problem !== undefined) throw invalid(`${where}${field} ${span.problem}.`);
  }
  const { cronSchedule } = given;
  if (cronSchedule !== undefined && typeof cronSchedule !== 'string') {
    throw invalid(
      `${where}cronSchedule is ${shown(cronSchedule)}; expected a cron string such as '0 12 * * MON'.`,
    );
  }
  for (const field of ['memo', 'searchAttributes'] as const) {
    if (given[field] === undefined || isFields(given[field])) continue;
    throw invalid(`${where}${field} is ${shown(given[field])}; expected an object.`);
  }
  const typed = given.typedSearchAttributes;
  if (typed !== undefined && !Array.isArray(typed) && !isFields(typed)) {
    throw invalid(
      `${where}typedSearchAttributes is ${shown(typed)}; expected TypedSearchAttributes or a list of pairs.`,
    );
  }
  checkPolicies(given, where);
  checkRetry(given.retry, where);
}

function checkPolicies(
  given: Readonly<Record<'workflowIdReusePolicy' | 'workflowIdConflictPolicy', unknown>>,
  where: string,
): void {
  const encoders = {
    workflowIdReusePolicy: [
      encodeWorkflowIdReusePolicy,
      'ALLOW_DUPLICATE, ALLOW_DUPLICATE_FAILED_ONLY or REJECT_DUPLICATE',
    ],
    workflowIdConflictPolicy: [
      encodeWorkflowIdConflictPolicy,
      'FAIL, USE_EXISTING or TERMINATE_EXISTING',
    ],
  } as const;
  for (const field of ['workflowIdReusePolicy', 'workflowIdConflictPolicy'] as const) {
    const [encode, expected] = encoders[field];
    try {
      encode(given[field] as never);
    } catch (cause) {
      throw invalid(`${where}${field} is ${shown(given[field])}; expected ${expected}.`, cause);
    }
  }
}

function checkRetry(retry: unknown, where: string): void {
  if (retry === undefined) return;
  try {
    stepOptionsOf({ retry: retry as ActivityRetry }, where);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : shown(cause), cause);
  }
  try {
    compileRetryPolicy(retry as NonNullable<ClientStartOptions['retry']>);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : shown(cause);
    throw invalid(`${where}retry cannot be used: ${message}.`, cause);
  }
}

/** What the official client threw at a start: an argument that the service refused is one of the options. */
export function refusedStart(error: unknown, where: string): unknown {
  if (grpcCodeOf(error) !== grpcCode.invalidArgument) return error;
  let reason = '';
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth += 1) {
    if ('details' in at && typeof at.details === 'string') reason = at.details;
    at = at.cause;
  }
  return invalid(`${where}the start was refused, and nothing was started: ${reason}`, error);
}

function invalid(message: string, cause?: unknown): EverstepError {
  return new EverstepError('WORKFLOW_OPTIONS_INVALID', message, { cause });
}
