import { expect, it } from 'vitest';
import { listTasks, visibilityQueries, type ListQuery } from './list-tasks.ts';
import { grpcCode, type TaskClient } from './task-client.ts';

it('asks by type, status and time with =, AND and ranges alone', () => {
  expect(visibilityQueries({}, 'resize')).toEqual(["WorkflowType = 'asyncTask_resize'"]);
  expect(visibilityQueries({ name: '*' }, 'resize')).toEqual(['']);
  expect(visibilityQueries({ status: 'failed', since: 0 }, "o'k")).toEqual(
    ['Failed', 'TimedOut'].map(
      (status) =>
        `WorkflowType = 'asyncTask_o\\'k' AND StartTime >= '1970-01-01T00:00:00.000Z' AND ExecutionStatus = '${status}'`,
    ),
  );
  expect(visibilityQueries({ status: 'failed', until: new Date(1000) }, 'resize')).toEqual([
    "WorkflowType = 'asyncTask_resize' AND StartTime < '1970-01-01T00:00:01.000Z'",
  ]);
});

it('names the field of a query that it refuses', () => {
  const cases: [object, string][] = [
    [
      { status: 'done' },
      'list: status is "done"; expected one of running, completed, failed, cancelled.',
    ],
    [{ since: Infinity }, 'list: since is Infinity; expected epoch milliseconds or a Date.'],
    [
      { until: new Date(NaN) },
      'list: until is an invalid Date; expected epoch milliseconds or a Date.',
    ],
    [{ since: '5' }, 'list: since is "5"; expected epoch milliseconds or a Date.'],
    [{ since: true }, 'list: since is true; expected epoch milliseconds or a Date.'],
    [{ until: [] }, 'list: until is an array; expected epoch milliseconds or a Date.'],
    [{ status: ['failed'] }, 'list: status is an array; expected one of running'],
    [[], 'list: the query is an array; expected an object or a string.'],
    [{ name: '' }, "list: name is \"\"; expected a task's name, or '*' for all."],
  ];
  for (const [query, message] of cases) {
    expect(() => visibilityQueries(query as ListQuery, 'resize')).toThrow(message);
  }
});

it('lists what is running on a service that does not know paused runs', async () => {
  const asked: string[] = [];
  const listWorkflowExecutions = async ({ query }: { query: string }) => {
    asked.push(query);
    if (query.includes('Paused')) {
      throw Object.assign(new Error('refused'), { code: grpcCode.invalidArgument, details: 'no' });
    }
    return { executions: [{ execution: { workflowId: 'a' } }], nextPageToken: new Uint8Array() };
  };
  const describeWorkflowExecution = async () => ({
    workflowExecutionInfo: { execution: { workflowId: 'a' } },
  });
  const workflowService = { listWorkflowExecutions, describeWorkflowExecution };
  const client = { options: { namespace: 'default' }, workflowService };
  const list = listTasks(() => ({ client }) as never as TaskClient, 'resize', {
    status: 'running',
  });
  const ids: string[] = [];
  for await (const { taskId } of list) ids.push(taskId);
  expect([ids, asked.length]).toEqual([['a'], 2]);
  const refused = listTasks(
    () => ({ client }) as never as TaskClient,
    '',
    "ExecutionStatus = 'Paused'",
  );
  await expect(refused.page()).rejects.toThrow('the service refused the query');
});
