import { expect, it } from 'vitest';
import { decodeTaskToken, encodeActivityToken, encodeWorkflowTaskToken } from './task-token.ts';

const key = { namespaceId: 'ns', workflowId: 'order 1\n', runId: 'run' };
const activity = { scheduledEventId: 5, attempt: 2, stamp: 3 };
const task = { ...activity, startedEventId: 6, startedTime: 1_700_000_000_000.25 };

it('gives back what it was made of', () => {
  expect(decodeTaskToken('activity', encodeActivityToken(key, activity), 'ns')).toEqual({
    kind: 'activity',
    key,
    token: activity,
  });
  expect(decodeTaskToken('workflow', encodeWorkflowTaskToken(key, task), 'ns')).toEqual({
    kind: 'workflow',
    key,
    token: task,
  });
});

it.each([
  ['none', undefined],
  ['an empty one', new Uint8Array()],
  ['bytes that are no token', new Uint8Array([255, 255, 255])],
  ['a token of the other kind', encodeActivityToken(key, activity)],
  ['a token of another namespace', encodeWorkflowTaskToken({ ...key, namespaceId: 'x' }, task)],
])('refuses %s', (_what, bytes) => {
  expect(() => decodeTaskToken('workflow', bytes, 'ns')).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error,
  );
});

it('reads a token as Temporal lays it out, of a run that is not here', () => {
  const foreign = Buffer.concat([
    Buffer.from([10, 2]),
    Buffer.from('ns'),
    Buffer.from([18, 1, 119, 26, 3]),
    Buffer.from('run'),
    Buffer.from([32, 5, 40, 1, 50, 1, 49]),
  ]);
  expect(decodeTaskToken('activity', foreign, 'ns')).toMatchObject({
    key: { workflowId: 'w', runId: 'run' },
    token: { scheduledEventId: 5, attempt: 1, stamp: 0 },
  });
});
