/**
 * A step's answer to the service. It is tried again while the service is not to be reached; a step nobody waits for
 * any more answers into the void; what the service refuses becomes a failure that says so.
 */
import type { Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Clock } from '../service/clock.ts';
import type { ActivityTask } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import { msOfDuration } from './int64.ts';
import { stepFailureTypes } from './task-errors.ts';

type Failure = temporal.api.failure.v1.IFailure;

export type StepOutcome =
  | { readonly kind: 'completed'; readonly payload: Payload }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly lastHeartbeat: Payload[] | undefined;
    }
  | { readonly kind: 'canceled' };

export interface StepResponseOptions {
  readonly service: WorkflowService;
  readonly namespace: string;
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** gRPC status numbers. */
const invalidArgument = 3;
const notFound = 5;
const passing: ReadonlySet<number> = new Set([4, 8, 10, 14]);

const delayMsMax = 5000;
const textMax = 4096;

export async function respondStep(
  options: StepResponseOptions,
  task: ActivityTask,
  outcome: StepOutcome,
): Promise<void> {
  const startedAt = options.clock.now();
  const timeoutMs = timeoutOf(task);
  let current = outcome;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await sent(options, task, current);
      return;
    } catch (error) {
      const status = statusOf(error);
      if (status === notFound) {
        options.logger.debug('The answer of a step came too late', stepFields(task));
        return;
      }
      if (status === invalidArgument && attempt < 5) {
        current = refused(task, current, error);
        continue;
      }
      const given = options.clock.now() - startedAt;
      if (!passing.has(status) || given >= timeoutMs) {
        options.logger.error('A step could not answer; it is tried again after its timeout', {
          ...stepFields(task),
          error,
        });
        return;
      }
      await waitLonger(options.clock, attempt);
    }
  }
}

/**
 * Makes a call that a step cannot do without again while the service is not to be reached, for as long as the step
 * itself may take: that is no failure of the step, and uses up none of its attempts.
 */
export async function persistently<T>(
  clock: Clock,
  task: ActivityTask,
  call: () => Promise<T>,
): Promise<T> {
  const startedAt = clock.now();
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!passing.has(statusOf(error)) || clock.now() - startedAt >= timeoutOf(task)) throw error;
      await waitLonger(clock, tries);
    }
  }
}

function timeoutOf(task: ActivityTask): number {
  return msOfDuration(task.startToCloseTimeout) || 60_000;
}

function waitLonger(clock: Clock, tries: number): Promise<void> {
  return wait(clock, Math.min(delayMsMax, 50 * 2 ** Math.min(tries, 10)));
}

function sent(
  { service, namespace, identity }: StepResponseOptions,
  task: ActivityTask,
  outcome: StepOutcome,
): Promise<unknown> {
  const taskToken = task.taskToken ?? new Uint8Array();
  switch (outcome.kind) {
    case 'completed':
      return service.respondActivityTaskCompleted({
        taskToken,
        namespace,
        identity,
        result: { payloads: [outcome.payload] },
      });
    case 'failed':
      return service.respondActivityTaskFailed({
        taskToken,
        namespace,
        identity,
        failure: outcome.failure,
        ...(outcome.lastHeartbeat && {
          lastHeartbeatDetails: { payloads: outcome.lastHeartbeat },
        }),
      });
    case 'canceled':
      return service.respondActivityTaskCanceled({ taskToken, namespace, identity });
  }
}

/** What the service would not take: a result that is too large for it, or a failure that is. */
function refused(task: ActivityTask, outcome: StepOutcome, error: unknown): StepOutcome {
  const why = error instanceof Error ? error.message : String(error);
  if (outcome.kind !== 'failed') {
    return {
      kind: 'failed',
      lastHeartbeat: undefined,
      failure: {
        message: `The result of step "${task.activityId ?? ''}" was refused: ${why}`.slice(
          0,
          textMax,
        ),
        source: 'TypeScriptSDK',
        applicationFailureInfo: { type: stepFailureTypes.resultTooLarge, nonRetryable: true },
      },
    };
  }
  const { failure } = outcome;
  return {
    kind: 'failed',
    lastHeartbeat: undefined,
    failure: {
      message: (failure.message ?? '').slice(0, textMax),
      stackTrace: (failure.stackTrace ?? '').slice(0, textMax),
      source: failure.source ?? '',
      applicationFailureInfo: {
        type: (failure.applicationFailureInfo?.type ?? '').slice(0, 200),
        nonRetryable: failure.applicationFailureInfo?.nonRetryable ?? false,
      },
    },
  };
}

/** The gRPC status of a ServiceError or of a gRPC connection's error; 2, unknown, for anything else. */
export function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 2;
  if ('status' in error && typeof error.status === 'number') return error.status;
  if ('code' in error && typeof error.code === 'number') return error.code;
  return 2;
}

/** Under which a worker knows a step that runs. */
export function stepId(runId: string, activityId: string): string {
  return `${runId}/${activityId}`;
}

export function stepFields(task: ActivityTask): Readonly<Record<string, unknown>> {
  return {
    workflowId: task.workflowExecution?.workflowId,
    runId: task.workflowExecution?.runId,
    step: task.activityId,
    attempt: task.attempt,
  };
}

export function isPassing(error: unknown): boolean {
  return passing.has(statusOf(error));
}

export function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}
