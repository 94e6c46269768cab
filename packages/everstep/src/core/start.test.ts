import { describe, expect, it } from 'vitest';
import { CoreDriver, payloadsOf, refusalOf, startTime } from '../../test/core-driver.ts';
import { CommandType, ParentClosePolicy } from './proto.ts';
import { durationOf, msOfDuration, msOfTimestamp } from './time.ts';
import { wakeAt } from './wake.ts';

const attributesOf = (run: CoreDriver) =>
  run.event('WorkflowExecutionStarted').workflowExecutionStartedEventAttributes ?? {};

describe('start', () => {
  it('writes Started and the first workflow task in one batch (EV-2)', () => {
    const run = new CoreDriver();
    expect(run.wrote()).toEqual(['WorkflowExecutionStarted', 'WorkflowTaskScheduled']);
    expect(run.state.status).toBe('running');
  });

  it('a run knows its identity and its place in the chain (MS-1)', () => {
    const parent = {
      namespaceId: 'p-ns',
      namespace: 'pn',
      workflowId: 'p',
      runId: 'p-run',
      initiatedEventId: 5,
    };
    const run = new CoreDriver({
      start: { parent, root: { workflowId: 'r', runId: 'r-run' } },
      request: { memo: { fields: { a: { data: new Uint8Array([1]) } } }, retryPolicy: {} },
    });
    expect(run.state).toMatchObject({
      workflowId: 'wf',
      runId: 'run-1',
      firstRunId: 'run-1',
      originalRunId: 'run-1',
      parent,
      root: { workflowId: 'r', runId: 'r-run' },
      createRequestId: 'start-1',
      retryPolicy: { initialIntervalMs: 1_000, maximumIntervalMs: 100_000, backoffCoefficient: 2 },
    });
    expect(run.state.requestIds.get('start-1')).toEqual({ eventType: 1, eventId: 1 });
    expect(attributesOf(run)).toMatchObject({
      workflowId: 'wf',
      originalExecutionRunId: 'run-1',
      firstExecutionRunId: 'run-1',
      attempt: 1,
      parentWorkflowExecution: { workflowId: 'p', runId: 'p-run' },
      rootWorkflowExecution: { workflowId: 'r', runId: 'r-run' },
    });
  });

  it('a timeout that nobody set is absent from the event, not zero (MS-2)', () => {
    const without = attributesOf(new CoreDriver());
    expect(without).not.toHaveProperty('workflowExecutionTimeout');
    expect(without).not.toHaveProperty('workflowRunTimeout');
    const request = { workflowExecutionTimeout: durationOf(60_000) };
    const { workflowRunTimeout } = attributesOf(new CoreDriver({ request }));
    expect(msOfDuration(workflowRunTimeout)).toBe(60_000);
  });

  it('the run ends at start plus timeout plus backoff, capped by the execution (MS-2)', () => {
    const of = (request: object) => new CoreDriver({ request }).state;
    const delayed = of({
      workflowRunTimeout: durationOf(60_000),
      workflowStartDelay: durationOf(5_000),
    });
    expect(delayed.executionTime).toBe(startTime + 5_000);
    expect(delayed.runExpirationTime).toBe(startTime + 65_000);
    const capped = of({
      workflowRunTimeout: durationOf(90_000),
      workflowExecutionTimeout: durationOf(60_000),
    });
    expect(capped.runTimeoutMs).toBe(60_000);
    expect(capped.runExpirationTime).toBe(startTime + 60_000);
    expect(of({}).runExpirationTime).toBe(0);
  });

  it('a delayed run writes only Started and its task when the delay is over (MS-6)', () => {
    const run = new CoreDriver({ request: { workflowStartDelay: durationOf(5_000) } });
    expect(run.names()).toEqual(['WorkflowExecutionStarted']);
    expect(run.state.status).toBe('created');
    expect(wakeAt(run.state)).toBe(startTime + 5_000);
    run.wake();
    expect(run.wrote()).toEqual(['WorkflowTaskScheduled']);
    expect(run.tasks).toHaveLength(1);
  });

  it('a signal in the first-task backoff is recorded and wakes nothing (SG-2)', () => {
    const run = new CoreDriver({ request: { workflowStartDelay: durationOf(5_000) } });
    run.signal();
    expect(run.names()).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionSignaled']);
    run.wake();
    expect(run.names().at(-1)).toBe('WorkflowTaskScheduled');
  });

  it('signal-with-start writes the signal before the first task (SG-3)', () => {
    const run = new CoreDriver({
      start: { signal: { signalName: 's', identity: 'c', requestId: 'r' } },
    });
    expect(run.wrote()).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
    expect(run.signal('s', 'r').ok).toBe(true);
    expect(run.state.signalCount).toBe(1);
  });

  it('a child waits for its parent, and being told twice schedules one task (CH-2)', () => {
    const parentClosePolicy = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON;
    const run = new CoreDriver({ start: { waitForParent: { parentClosePolicy } } });
    expect(run.last.outbox).toEqual([{ kind: 'notifyParentOfStart', parentClosePolicy }]);
    expect(run.names()).toEqual(['WorkflowExecutionStarted']);
    expect(wakeAt(run.state)).toBe(0);
    run.signal();
    expect(run.names()).not.toContain('WorkflowTaskScheduled');
    run.ok<'scheduleFirstWorkflowTask'>({ kind: 'scheduleFirstWorkflowTask' });
    expect(run.wrote()).toEqual(['WorkflowTaskScheduled']);
    run.ok<'scheduleFirstWorkflowTask'>({ kind: 'scheduleFirstWorkflowTask' });
    expect(run.last.changed).toBe(false);
  });

  it('a cron run waits for its first tick (CN-3)', () => {
    const run = new CoreDriver({ request: { cronSchedule: '0 * * * *' } });
    expect(run.names()).toEqual(['WorkflowExecutionStarted']);
    const backoff = msOfDuration(attributesOf(run).firstWorkflowTaskBackoff);
    expect((startTime + backoff) % 3_600_000).toBe(0);
    expect(backoff).toBeLessThanOrEqual(3_600_000);
    expect(attributesOf(run).initiator).toBe(3);
  });

  it('a run is closed before its first task only by terminate or timeout (MS-6)', () => {
    const run = new CoreDriver({ request: { workflowStartDelay: durationOf(5_000) } });
    expect(run.terminate().ok).toBe(true);
    expect(run.names()).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionTerminated']);
    expect(
      refusalOf(run.do<'scheduleFirstWorkflowTask'>({ kind: 'scheduleFirstWorkflowTask' })).code,
    ).toBe('NOT_FOUND');
  });

  it('a second run of the chain carries what the first left it (CN-1)', () => {
    const run = new CoreDriver();
    run.turn([
      {
        commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continueAsNewWorkflowExecutionCommandAttributes: { input: payloadsOf(2) },
      },
    ]);
    const next = run.last.nextRun;
    const started = next?.events[0]?.workflowExecutionStartedEventAttributes;
    expect(started).toMatchObject({
      continuedExecutionRunId: 'run-1',
      firstExecutionRunId: 'run-1',
      initiator: 1,
      workflowType: { name: 'order' },
      input: payloadsOf(2),
    });
    expect(started?.originalExecutionRunId).toBe(next?.state.runId);
    expect(msOfTimestamp(next?.events[0]?.eventTime)).toBe(run.now);
  });
});
