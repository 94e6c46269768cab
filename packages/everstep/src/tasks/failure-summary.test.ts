import {
  ActivityFailure,
  ApplicationFailure,
  RetryState,
  TimeoutFailure,
} from '@temporalio/common';
import { expect, it } from 'vitest';
import { failureMessage } from './failure-summary.ts';

function ofStep(key: string, cause: Error, message = 'Step failed'): ActivityFailure {
  return new ActivityFailure(message, 'asyncTask_x', key, RetryState.TIMEOUT, 'worker', cause);
}

it('a timeout is told with its step and in the words of the options', () => {
  const timeout = new TimeoutFailure('activity StartToClose timeout', undefined, 'START_TO_CLOSE');
  expect(failureMessage(ofStep('render', timeout))).toBe(
    'Step "render" took longer than its startToClose timeout allows for an attempt.',
  );
  expect(failureMessage(timeout, 'mail#2')).toMatch(/^Step "mail#2" took longer/);
  expect(failureMessage(ofStep('job#poll', timeout))).toMatch(/^Step "job" took longer/);
  expect(failureMessage(ofStep('#kind', timeout))).toMatch(/^The step took longer/);
});

it('a timeout is told with its span, where the failure knows it', () => {
  const timeout = new TimeoutFailure('activity StartToClose timeout', undefined, 'START_TO_CLOSE');
  const message = 'Step "render#2" timed out after 30 minutes (startToClose)';
  expect(failureMessage(ofStep('render#2', timeout, message))).toBe(`${message}.`);
});

it('a step that ran out of time for attempts tells what the last one met', () => {
  const words = 'Not enough time to schedule next retry before activity ScheduleToClose timeout';
  const last = ApplicationFailure.create({ message: 'the provider answered 503' });
  const timeout = new TimeoutFailure(words, undefined, 'SCHEDULE_TO_CLOSE');
  Object.assign(timeout, { cause: last });
  expect(failureMessage(ofStep('render', timeout))).toMatch(
    /^Step "render" did not complete within its scheduleToClose timeout.*: the provider answered 503$/,
  );
});

it('a timeout of the task, which is no step, keeps its message', () => {
  const message = 'The task did not finish within its time.';
  expect(failureMessage(new TimeoutFailure(message, undefined, 'START_TO_CLOSE'))).toBe(message);
});

it('a step whose process died is named, and why it is not run again', () => {
  const lost = ApplicationFailure.create({
    message: 'The process 7 died',
    type: 'ProcessLost',
    nonRetryable: true,
  });
  expect(failureMessage(ofStep('charge', lost))).toBe(
    'Step "charge" was running when its process died. It may have had its effect, and is not run again because its policy allows one attempt.',
  );
});

it('says how often the process of a step has died that begins anew', () => {
  const died = ApplicationFailure.create({
    message:
      'The process died 3 times while it ran activity order.charge; attempt 1 begins anew, and no retry is used up.',
    type: 'ProcessLost',
    cause: new TypeError('what an attempt before it threw'),
  });
  const told = (step: string): string =>
    `The process died 3 times while it ran ${step}; attempt 1 begins anew, and no retry is used up.`;
  expect(failureMessage(died, 'charge')).toBe(told('step "charge"'));
  expect(failureMessage(died)).toBe(told('the step'));
});
