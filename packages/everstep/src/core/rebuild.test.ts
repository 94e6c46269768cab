import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CoreDriver } from '../../test/core-driver.ts';
import { acceptance, rejection } from '../../test/update-messages.ts';
import { CommandType } from './proto.ts';
import type { Command, UpdateMessage } from './proto.ts';
import type { RunState } from './state.ts';
import { decodeState, encodeState } from './state-codec.ts';
import { durationOf } from './time.ts';
import { isUnwritten } from './unwritten-task.ts';
import { wakeAt } from './wake.ts';

const timer = (timerId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: durationOf(3_000) },
});
const activity = (activityId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId,
    activityType: { name: 'x' },
    taskQueue: { name: 'q' },
    startToCloseTimeout: durationOf(5_000),
    retryPolicy: { maximumAttempts: 2 },
  },
});
const child = (workflowId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: {
    workflowId,
    workflowType: { name: 'c' },
    taskQueue: { name: 'q' },
  },
});
const complete: Command = {
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: {},
};

const steps = [
  'poll',
  'poll',
  'complete',
  'complete',
  'empty',
  'force',
  'bad',
  'failTask',
  'signal',
  'wake',
  'startActivity',
  'completeActivity',
  'failActivity',
  'heartbeat',
  'childStarted',
  'cancel',
  'lost',
  'close',
  'update',
  'update',
  'accept',
  'reject',
  'reject',
] as const;

function step(run: CoreDriver, name: (typeof steps)[number], n: number): void {
  const task = run.state.workflowTask;
  const [someActivity] = run.state.activities.values();
  const [someChild] = run.state.children.values();
  const by = { by: 'id', activityId: someActivity?.activityId ?? 'none' } as const;
  switch (name) {
    case 'poll':
      if (task?.startedEventId === 0) run.poll(undefined, 'p1');
      break;
    case 'complete':
      if (task)
        run.complete(
          [timer(`t${n}`), activity(`a${n}`), child(`c${n}`)],
          n % 2 ? {} : { stickyAttributes: { workerTaskQueue: { name: 's' } } },
        );
      break;
    case 'empty':
      if (task) run.complete();
      break;
    case 'force':
      if (task) run.complete([], { forceCreateNewWorkflowTask: true });
      break;
    case 'bad':
      if (task) run.complete([timer('x'), { commandType: CommandType.COMMAND_TYPE_START_TIMER }]);
      break;
    case 'failTask':
      if (task) run.fail();
      break;
    case 'signal':
      run.signal('s', `r${n % 5}`);
      break;
    case 'update':
      run.update(`u${n}`);
      break;
    case 'accept':
    case 'reject': {
      const messages: UpdateMessage[] = [];
      for (const { stage, updateId } of run.state.updates.values()) {
        if (stage === 'sent') {
          messages.push(name === 'accept' ? acceptance(updateId) : rejection(updateId));
        }
      }
      const more = n % 2 ? {} : { returnNewWorkflowTask: true };
      if (task) run.complete([], { messages, ...more });
      break;
    }
    case 'wake':
      if (wakeAt(run.state) > 0) run.wake();
      break;
    case 'startActivity':
      if (someActivity) {
        run.do<'startActivity'>({
          kind: 'startActivity',
          scheduledEventId: someActivity.scheduledEventId,
          stamp: someActivity.stamp,
          requestId: `s${n}`,
          identity: 'w',
          processId: 'p1',
        });
      }
      break;
    case 'completeActivity':
      run.do<'completeActivity'>({ kind: 'completeActivity', activity: by, identity: 'w' });
      break;
    case 'failActivity':
      run.do<'failActivity'>({
        kind: 'failActivity',
        activity: by,
        identity: 'w',
        failure: { message: 'f', applicationFailureInfo: { type: 'E' } },
      });
      break;
    case 'heartbeat':
      run.do<'heartbeatActivity'>({ kind: 'heartbeatActivity', activity: by, identity: 'w' });
      break;
    case 'childStarted':
      if (someChild) {
        run.do<'childStarted'>({
          kind: 'childStarted',
          initiatedEventId: someChild.initiatedEventId,
          childRunId: `c${n}`,
        });
      }
      break;
    case 'cancel':
      run.do<'requestCancel'>({ kind: 'requestCancel', requestId: '', identity: 'c', reason: '' });
      break;
    case 'lost':
      run.do<'processLost'>({ kind: 'processLost', processId: 'p1' });
      break;
    case 'close':
      if (n % 4 === 0 && task) run.complete([complete]);
      break;
  }
}

const closeNames = new Set(
  ['Completed', 'Terminated', 'TimedOut'].map((end) => `WorkflowExecution${end}`),
);

/** Less what no event tells: attempts, heartbeats, stickiness, processes, counts of problems. */
function told(state: RunState): object {
  const {
    activities,
    updates,
    workflowTask,
    sticky: _s,
    workflowTaskStamp: _st,
    workflowTaskAttempt: _a,
    ...rest
  } = state;
  return {
    ...rest,
    workflowTaskProblems: 0,
    closeAttempted: false,
    historyBytes: 0,
    buffered: [],
    searchAttributes: undefined,
    activities: [...activities.values()].map(
      ({
        scheduledEventId,
        activityId,
        scheduleToCloseMs,
        startToCloseMs,
        retryPolicy,
        cancelRequestedEventId,
      }) => ({
        scheduledEventId,
        activityId,
        scheduleToCloseMs,
        startToCloseMs,
        retryPolicy,
        cancelRequestedEventId,
      }),
    ),
    // Until it is accepted, an update is in no event.
    updates: [...updates.values()].flatMap(({ stage, updateId, acceptedEventId }) =>
      stage === 'accepted' ? [[updateId, acceptedEventId]] : [],
    ),
    // A later attempt is not in the history, nor is a speculative task.
    workflowTask:
      workflowTask && !isUnwritten(workflowTask)
        ? {
            scheduled: workflowTask.scheduledEventId,
            started: workflowTask.startedEventId,
            at: workflowTask.startedTime,
          }
        : undefined,
  };
}

it('the state rebuilt from history equals the stored state, less retry and heartbeat fields (MS-4)', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...steps), { minLength: 5, maxLength: 60 }), (names) => {
      const run = new CoreDriver();
      names.forEach((name, n) => {
        run.now += 100;
        step(run, name, n);
        const { state } = run;
        // While events wait in the buffer, the state knows more than the history.
        const comparable = state.buffered.length === 0 ? run.rebuilt() : state;
        expect(told(comparable)).toEqual(told(state));
        const waits = state.workflowTask?.startedEventId === 0 ? state.buffered : [];
        expect(waits, 'nothing waits while no task is started (WT-33)').toEqual([]);
        const closes = run.names().findIndex((event) => closeNames.has(event));
        const last = run.history.length - 1;
        expect(closes < 0 ? last : closes, 'nothing follows a close event (EV-1)').toBe(last);
      });
    }),
    { numRuns: 300 },
  );
});

it('a state survives its codec, field by field (MS-1)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...steps), { maxLength: 40 }),
      fc.string(),
      (names, text) => {
        const run = new CoreDriver({
          request: { workflowId: text, cronSchedule: '@every 1s', retryPolicy: {} },
        });
        run.wake();
        names.forEach((name, n) => step(run, name, n));
        const { buffered, startAttributes, ...rest } = run.state;
        const back = decodeState(encodeState(run.state), run.state);
        const { buffered: buffered2, startAttributes: start2, ...rest2 } = back;
        expect(rest2).toEqual({
          ...rest,
          activities: expect.anything() as never,
          updates: expect.anything() as never,
        });
        expect([...rest2.activities.keys()]).toEqual([...rest.activities.keys()]);
        expect([...rest2.updates.keys()]).toEqual([...rest.updates.keys()]);
        expect(buffered2.length).toBe(buffered.length);
        expect(start2?.workflowId).toBe(startAttributes?.workflowId);
        expect(encodeState(back)).toEqual(encodeState(run.state));
      },
    ),
    { numRuns: 100 },
  );
});
