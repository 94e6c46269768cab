import { describe, expect, it } from 'vitest';
import { payloadsOf } from '../../test/core-driver.ts';
import { defaultLimits } from './limits.ts';
import { validateSignalWithStart, validateStart } from './start-request.ts';
import { durationOf } from './time.ts';

const rules = { now: 1_700_000_000_000, limits: defaultLimits };
const good = { workflowId: 'wf', workflowType: { name: 't' }, taskQueue: { name: 'q' } };
const long = 'x'.repeat(1_001);

describe('what is wrong with a start is said in Temporal’s words (section 14)', () => {
  it.each([
    [{ workflowId: '' }, 'WorkflowId is not set on request.'],
    [{ workflowId: long }, 'WorkflowId exceeds maximum allowed length (1001/1000)'],
    [{ workflowId: 'a\0b' }, 'WorkflowId holds NUL or a lone surrogate.'],
    [{ workflowId: '\ud800' }, 'WorkflowId holds NUL or a lone surrogate.'],
    [{ workflowType: { name: 'a\0b' } }, 'WorkflowType holds NUL or a lone surrogate.'],
    [{ taskQueue: { name: 'a\0b' } }, 'taskQueue holds NUL or a lone surrogate'],
    [{ workflowType: null }, 'WorkflowType is not set on request.'],
    [{ workflowType: { name: long } }, 'WorkflowType length exceeds limit.'],
    [{ taskQueue: null }, 'taskQueue is not set'],
    [{ taskQueue: { name: '' } }, 'missing task queue name'],
    [
      { taskQueue: { name: '/_sys/a' } },
      'task queue name cannot start with reserved prefix /_sys/',
    ],
    [{ requestId: long }, 'RequestId length exceeds limit.'],
    [{ identity: long }, 'Identity length exceeds limit.'],
    [
      { workflowRunTimeout: durationOf(-1_000) },
      'An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration',
    ],
    [
      { workflowStartDelay: durationOf(-1_000) },
      'An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration',
    ],
    [
      { cronSchedule: '* * * * *', workflowStartDelay: durationOf(1_000) },
      'CronSchedule and WorkflowStartDelay may not be used together.',
    ],
    [{ cronSchedule: 'every day' }, 'invalid CronSchedule.'],
    [
      { retryPolicy: { backoffCoefficient: 0.5 } },
      'BackoffCoefficient cannot be less than 1 on retry policy.',
    ],
    [
      { workflowIdReusePolicy: 4, workflowIdConflictPolicy: 1 },
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
    ],
    [{ input: payloadsOf('x'.repeat(3 * 1024 * 1024)) }, 'Blob data size exceeds limit.'],
  ])('%#', (changes, message) => {
    expect(validateStart({ ...good, ...changes }, rules)).toEqual({
      code: 'INVALID_ARGUMENT',
      message,
    });
  });

  it('nothing is wrong with a good one', () => {
    expect(validateStart(good, rules)).toBeUndefined();
    expect(
      validateStart({ ...good, cronSchedule: 'CRON_TZ=Europe/Berlin 0 9 * * 1-5' }, rules),
    ).toBeUndefined();
  });
});

it('signal-with-start needs a signal and cannot fail on conflict (SG-3)', () => {
  expect(validateSignalWithStart(good, rules)?.message).toBe('signal not set');
  const signalled = { ...good, signalName: 's' };
  expect(validateSignalWithStart(signalled, rules)).toBeUndefined();
  expect(
    validateSignalWithStart({ ...signalled, workflowIdConflictPolicy: 1 }, rules)?.message,
  ).toMatch(/WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported/);
});
