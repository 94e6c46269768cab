/** What operators do to runs and to their activities, as it goes over the wire. */
import { Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { step } from '../command-kit.ts';
import { startServer } from './gateway-host.ts';

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;
const namespace = 'default';

beforeAll(async () => {
  server = await startServer();
  connection = await Connection.connect({ address: server.address });
});

afterAll(async () => {
  await connection.close();
  await server.stop();
});

/** The next workflow task of that queue, or an empty reply after the shortest poll. */
function polled(
  taskQueue: string,
): Promise<temporal.api.workflowservice.v1.PollWorkflowTaskQueueResponse> {
  return connection.withDeadline(Date.now() + 3_000, () =>
    connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } }),
  );
}

async function started(workflowId: string, taskQueue: string): Promise<void> {
  await connection.workflowService.startWorkflowExecution({
    namespace,
    workflowId,
    requestId: workflowId,
    workflowType: { name: 'Order' },
    taskQueue: { name: taskQueue },
  });
}

it('a paused run is given out when it goes on (PZ-1)', async () => {
  const { workflowService } = connection;
  await started('paused', 'p');
  await workflowService.pauseWorkflowExecution({
    namespace,
    workflowId: 'paused',
    reason: 'audit',
  });
  const { workflowExecutionInfo, workflowExtendedInfo } =
    await workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId: 'paused' },
    });
  expect(workflowExecutionInfo?.status).toBe(8);
  expect(workflowExtendedInfo?.pauseInfo?.reason).toBe('audit');
  expect((await polled('p')).taskToken).toHaveLength(0);
  await workflowService.unpauseWorkflowExecution({ namespace, workflowId: 'paused' });
  expect((await polled('p')).workflowExecution?.workflowId).toBe('paused');
});

it('a batch operation does what it says to the runs of a query', async () => {
  const { workflowService } = connection;
  for (const id of ['batch-1', 'batch-2']) await started(id, 'b');
  await workflowService.startBatchOperation({
    namespace,
    jobId: 'job',
    reason: 'test',
    visibilityQuery: "WorkflowId STARTS_WITH 'batch-'",
    terminationOperation: { identity: 'ada' },
  });
  await expect
    .poll(async () => {
      const reply = await workflowService.describeBatchOperation({ namespace, jobId: 'job' });
      return [reply.state, Number(reply.completeOperationCount)];
    })
    .toEqual([2, 2]);
  const { operationInfo } = await workflowService.listBatchOperations({ namespace });
  expect(operationInfo.map(({ jobId }) => jobId)).toEqual(['job']);
  const { executions } = await workflowService.listWorkflowExecutions({
    namespace,
    query: "ExecutionStatus = 'Terminated'",
  });
  expect(executions.map((run) => run.execution?.workflowId)).toEqual(['batch-2', 'batch-1']);
});

it('an activity whose queue is changed is given out there (AC-15)', async () => {
  const { workflowService } = connection;
  await started('moved', 'm');
  const { taskToken } = await polled('m');
  await workflowService.respondWorkflowTaskCompleted({
    namespace,
    taskToken,
    commands: [step('s')],
  });
  const { activityOptions } = await workflowService.updateActivityOptions({
    namespace,
    execution: { workflowId: 'moved' },
    id: 's',
    activityOptions: { taskQueue: { name: 'elsewhere' } },
    updateMask: { paths: ['task_queue.name'] },
  });
  expect(activityOptions?.taskQueue?.name).toBe('elsewhere');
  const task = await connection.withDeadline(Date.now() + 5_000, () =>
    workflowService.pollActivityTaskQueue({ namespace, taskQueue: { name: 'elsewhere' } }),
  );
  expect(task.activityId).toBe('s');
});

it('calls over the rate of a namespace are refused with RESOURCE_EXHAUSTED, and taken later', async () => {
  const limited = await startServer({ rates: { perSecond: 0, perNamespaceAndSecond: 2 } });
  const own = await Connection.connect({
    address: limited.address,
    // The official client's own retries would hide what it is told.
    interceptors: [],
  });
  const describe = (): Promise<unknown> => own.workflowService.describeNamespace({ namespace });
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, describe));
  const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(refusals.length).toBeGreaterThanOrEqual(3);
  for (const { reason } of refusals) expect(reason).toMatchObject({ code: 8 });
  await expect
    .poll(() =>
      describe().then(
        () => 'taken',
        () => 'refused',
      ),
    )
    .toBe('taken');
  // Calls of no namespace are not counted against one.
  await own.workflowService.getSystemInfo({});
  await own.close();
  await limited.stop();
});
