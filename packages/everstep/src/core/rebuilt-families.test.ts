import { expect, test } from 'vitest';
import { CoreDriver, payloadsOf } from '../../test/core-driver.ts';
import { CommandType } from './proto.ts';
import type { Command } from './proto.ts';
import { durationOf, longOf } from './time.ts';
import { wakeAt } from './wake.ts';

const activity = (activityId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId,
    activityType: { name: 'Charge' },
    taskQueue: { name: 'q' },
    startToCloseTimeout: durationOf(60_000),
  },
});
const timer = (timerId: string, ms: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(ms) },
});
const signalOther: Command = {
  commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  signalExternalWorkflowExecutionCommandAttributes: {
    execution: { workflowId: 'o' },
    signalName: 'hi',
  },
};
const cancelOther: Command = {
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
  requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId: 'o' },
};
const child = (workflowId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: { workflowId, workflowType: { name: 'Kid' } },
});
const value = { metadata: {}, data: new TextEncoder().encode('1') };
const upsert: Command = {
  commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  upsertWorkflowSearchAttributesCommandAttributes: {
    searchAttributes: { indexedFields: { A: value } },
  },
};
const modify: Command = {
  commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
  modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { m: value } } },
};

function startActivity(run: CoreDriver, activityId: string) {
  const found = [...run.state.activities.values()].find((info) => info.activityId === activityId);
  const { scheduledEventId = 0, stamp = 0 } = found ?? {};
  const { activity: started } = run.ok<'startActivity'>({
    kind: 'startActivity',
    scheduledEventId,
    stamp,
    requestId: `start-${activityId}`,
    identity: 'w',
  });
  return { by: 'token', token: started } as const;
}

test('a history of every family makes the state that lived through it MS-4', () => {
  const run = new CoreDriver();
  run.turn([
    activity('a'),
    activity('b'),
    timer('t', 1_000),
    timer('u', 90_000),
    signalOther,
    cancelOther,
    signalOther,
    child('kid'),
    child('kid-2'),
    upsert,
    modify,
  ]);
  const [first = 0, second = 0] = [...run.state.children.keys()];
  const [outgoing = 0] = [...run.state.externalSignals.keys()];
  run.signal('go', 'r1');
  run.ok<'requestCancel'>({ kind: 'requestCancel', requestId: 'c', identity: 'i', reason: 'r' });
  run.ok<'externalSignalResolved'>({ kind: 'externalSignalResolved', initiatedEventId: outgoing });
  run.poll();
  // From here until the task completes everything waits in the buffer.
  run.ok<'childStarted'>({ kind: 'childStarted', initiatedEventId: first, childRunId: 'kid-run' });
  run.ok<'childStartFailed'>({
    kind: 'childStartFailed',
    initiatedEventId: second,
    cause: 'WORKFLOW_ALREADY_EXISTS',
  });
  const token = startActivity(run, 'a');
  run.ok<'completeActivity'>({
    kind: 'completeActivity',
    activity: token,
    result: payloadsOf(1),
    identity: 'w',
  });
  run.now += 1_000;
  run.ok<'wake'>({ kind: 'wake' });
  expect(run.state.buffered).toHaveLength(5);
  run.complete([]);
  const rebuilt = run.rebuilt();
  const { activities, timers, children, externalSignals, externalCancels } = run.state;
  expect([...activities.values()].map((info) => info.activityId)).toEqual(['b']);
  expect([...timers.keys()]).toEqual(['u']);
  expect([...children.values()].map((info) => info.runId)).toEqual(['kid-run']);
  expect([externalSignals.size, externalCancels.size]).toEqual([1, 1]);
  for (const field of [
    'activities',
    'timers',
    'children',
    'externalSignals',
    'externalCancels',
    'signalRequestIds',
    'signalCount',
    'memo',
    'searchAttributes',
    'cancelRequested',
    'nextEventId',
  ] as const) {
    expect({ [field]: rebuilt[field] }).toEqual({ [field]: run.state[field] });
  }
  expect(wakeAt(run.state)).toBeGreaterThan(0);
});

test('a problem in one command takes back those before it, and their tasks WT-19', () => {
  const run = new CoreDriver();
  run.poll();
  const answer = run.complete([activity('a'), timer('t', 1), timer('t', 2)]);
  expect(answer).toMatchObject({ ok: false, refusal: { code: 'INVALID_ARGUMENT' } });
  expect([run.state.activities.size, run.state.timers.size]).toEqual([0, 0]);
  expect(run.tasks.filter((task) => task.kind === 'activity')).toEqual([]);
  expect(run.wrote()).toEqual(['WorkflowTaskFailed']);
});

test('an activity cancelled before its start gets a new workflow task at once WT-22 AC-13', () => {
  const run = new CoreDriver();
  run.turn([activity('a')]);
  const [id = 0] = [...run.state.activities.keys()];
  run.signal();
  run.turn([
    {
      commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
      requestCancelActivityTaskCommandAttributes: { scheduledEventId: longOf(id) },
    },
  ]);
  expect(run.wrote()).toEqual([
    'WorkflowTaskCompleted',
    'ActivityTaskCancelRequested',
    'ActivityTaskCanceled',
    'WorkflowTaskScheduled',
  ]);
});

test('the death of a process gives its activity back to the queue, decision 11 AC-5', () => {
  const run = new CoreDriver();
  run.turn([activity('a')]);
  const [info] = [...run.state.activities.values()];
  run.ok<'startActivity'>({
    kind: 'startActivity',
    scheduledEventId: info?.scheduledEventId ?? 0,
    stamp: 0,
    requestId: 's',
    identity: 'w',
    processId: 'p1',
  });
  run.ok<'processLost'>({ kind: 'processLost', processId: 'p1' });
  expect(run.tasks).toMatchObject([{ kind: 'activity', stamp: 1 }]);
});

test('a timer started under the id of one whose end is still buffered is rebuilt TM-1', () => {
  const run = new CoreDriver();
  run.turn([timer('t', 1_000)]);
  run.signal();
  run.poll();
  run.now += 1_000;
  run.ok<'wake'>({ kind: 'wake' });
  expect(run.state.buffered).toHaveLength(1);
  expect(run.complete([timer('t', 5_000)]).ok).toBe(true);
  expect(run.names(10)).toEqual(['TimerStarted', 'TimerFired', 'WorkflowTaskScheduled']);
  expect(run.state.timers.size).toBe(1);
  expect(run.rebuilt().timers).toEqual(run.state.timers);
});
