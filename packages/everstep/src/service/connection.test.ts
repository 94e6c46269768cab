import {
  Client,
  WorkflowNotFoundError,
  QueryNotRegisteredError,
  isGrpcCancelledError,
  isGrpcDeadlineError,
} from '@temporalio/client';
import { NamespaceNotFoundError, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../core/refusal.ts';
import { inProcessConnection } from './connection.ts';
import { ServiceError } from './service-error.ts';
import { systemClock } from './system-clock.ts';
import type { CallContext, WorkflowService } from './workflow-service.ts';

type Handlers = Partial<{
  [K in keyof WorkflowService]: (request: never, call?: CallContext) => Promise<object>;
}>;

function clientOf(handlers: Handlers): Client {
  const service = handlers as unknown as WorkflowService;
  return new Client({ connection: inProcessConnection(service, systemClock) });
}

const refusing = (refusal: Refusal) => (): Promise<never> =>
  Promise.reject(new ServiceError(refusal));
const start = { taskQueue: 'q', workflowId: 'w', args: [] };

describe('the official client over an in-process connection', () => {
  it('gets replies as messages, with Longs for 64-bit numbers', async () => {
    const client = clientOf({
      countWorkflowExecutions: () => Promise.resolve({ count: 7, groups: [] }),
    });
    expect((await client.workflow.count()).count).toBe(7);
  });

  it('recognises a workflow that has started already', async () => {
    const client = clientOf({
      startWorkflowExecution: refusing({
        code: 'ALREADY_EXISTS',
        message: 'started',
        detail: { kind: 'workflowExecutionAlreadyStarted', startRequestId: 'r', runId: 'run' },
      }),
    });
    await expect(client.workflow.start('t', start)).rejects.toBeInstanceOf(
      WorkflowExecutionAlreadyStartedError,
    );
  });

  it('recognises an unknown workflow, and an unknown namespace by its name', async () => {
    const unknownRun = clientOf({
      describeWorkflowExecution: refusing({
        code: 'NOT_FOUND',
        message: 'no such run',
        detail: { kind: 'notFound' },
      }),
    });
    await expect(unknownRun.workflow.getHandle('w').describe()).rejects.toBeInstanceOf(
      WorkflowNotFoundError,
    );
    const unknownNamespace = clientOf({
      describeWorkflowExecution: refusing({
        code: 'NOT_FOUND',
        message: 'Namespace nowhere is not found.',
        detail: { kind: 'namespaceNotFound', namespace: 'nowhere' },
      }),
    });
    const error = await unknownNamespace.workflow
      .getHandle('w')
      .describe()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NamespaceNotFoundError);
    expect(error).toMatchObject({ namespace: 'nowhere' });
  });

  it('recognises a failed query', async () => {
    const client = clientOf({
      queryWorkflow: refusing({
        code: 'INVALID_ARGUMENT',
        message: 'unknown queryType nope',
        detail: { kind: 'queryFailed', failure: { message: 'unknown queryType nope' } },
      }),
    });
    await expect(client.workflow.getHandle('w').query('nope')).rejects.toBeInstanceOf(
      QueryNotRegisteredError,
    );
  });

  it('answers UNIMPLEMENTED for a call that is not built', async () => {
    const { connection } = clientOf({});
    await expect(connection.workflowService.createSchedule({})).rejects.toMatchObject({
      code: 12,
      details: 'CreateSchedule is not built in the embedded engine.',
    });
    await expect(connection.operatorService.listSearchAttributes({})).rejects.toMatchObject({
      code: 12,
    });
  });

  it('lets go at a deadline and at an abort, and tells the service', async () => {
    const calls: (CallContext | undefined)[] = [];
    const client = clientOf({
      getSystemInfo: (_request, call) => {
        calls.push(call);
        return new Promise(() => undefined);
      },
    });
    const ask = (): Promise<unknown> => client.connection.workflowService.getSystemInfo({});
    const late = await client.withDeadline(Date.now() + 20, ask).catch((error: unknown) => error);
    expect(isGrpcDeadlineError(late)).toBe(true);
    expect(calls[0]?.signal?.aborted).toBe(true);
    expect(calls[0]?.deadline).toBeGreaterThan(0);

    const stop = new AbortController();
    const aborted = client.withAbortSignal(stop.signal, ask).catch((error: unknown) => error);
    stop.abort();
    expect(isGrpcCancelledError(await aborted)).toBe(true);
    expect(calls[1]?.signal?.aborted).toBe(true);
  });

  it('carries metadata of every scope it is called in', async () => {
    const seen: unknown[] = [];
    const client = clientOf({
      getSystemInfo: (_request, call) => {
        seen.push(call?.metadata);
        return Promise.resolve({});
      },
    });
    await client.withMetadata({ a: '1', b: '1' }, () =>
      client.withMetadata({ b: '2' }, () => client.connection.workflowService.getSystemInfo({})),
    );
    expect(seen).toEqual([{ a: '1', b: '2' }]);
  });

  it('shows a bug of ours as INTERNAL, not as a crash', async () => {
    const client = clientOf({
      getSystemInfo: () => Promise.reject(new TypeError('x is not a function')),
    });
    await expect(client.connection.workflowService.getSystemInfo({})).rejects.toMatchObject({
      code: 13,
      details: 'x is not a function',
    });
  });
});
