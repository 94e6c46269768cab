/**
 * What lies between two calls on the wire, with no SDK's worker between: plain WorkflowService calls, one workflow
 * after another, and a poll that waits already.
 */
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { randomUUID } from 'node:crypto';
import { expectEqual } from '../expectation.ts';
import { percentile } from '../percentile.ts';
import type { WireFigures } from './wire-row.ts';

type Task = proto.temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type Command = proto.temporal.api.command.v1.ICommand;

const { CommandType } = proto.temporal.api.enums.v1;
const namespace = 'default';
const identity = 'bench';
const warmUp = 20;
/** A poll needs a deadline. */
const pollMs = 60_000;

export type RawWork = (caller: RawCaller, number: number) => Promise<number>;

/** From the request of a start to the first workflow task. */
export const startToTask: RawWork = async (caller) => {
  const polled = caller.poll();
  const before = performance.now();
  await caller.start();
  const task = await polled;
  const ms = performance.now() - before;
  await caller.complete(task, [completion]);
  return ms;
};

/** From the request of a signal to the workflow task that brings it. */
export const signalToTask: RawWork = async (caller) => {
  const first = caller.poll();
  const workflowId = await caller.start();
  await caller.complete(await first, []);
  const polled = caller.poll();
  const before = performance.now();
  await caller.signal(workflowId);
  const task = await polled;
  const ms = performance.now() - before;
  await caller.complete(task, [completion]);
  return ms;
};

/** From the command that schedules an activity to the workflow task that brings its result. */
export const activityRoundTrip: RawWork = async (caller) => {
  const first = caller.poll();
  await caller.start();
  const task = await first;
  const activity = caller.pollActivity();
  const next = caller.poll();
  const before = performance.now();
  await caller.complete(task, [caller.scheduled()]);
  await caller.completeActivity(await activity);
  const last = await next;
  const ms = performance.now() - before;
  await caller.complete(last, [completion]);
  return ms;
};

/** One after another. */
export async function measureRaw(
  connection: Connection,
  work: RawWork,
  n: number,
): Promise<WireFigures> {
  const caller = new RawCaller(connection);
  const latencies: number[] = [];
  for (let number = -warmUp; number < n; number += 1) {
    const ms = await work(caller, number);
    if (number >= 0) latencies.push(ms);
  }
  expectEqual(latencies.length, n, 'the number of latencies');
  return { n, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) };
}

const completion: Command = {
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: {},
};

class RawCaller {
  readonly #connection: Connection;
  readonly #service: Connection['workflowService'];
  readonly #taskQueue = { name: `bench-${randomUUID()}` };

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#service = connection.workflowService;
  }

  async start(): Promise<string> {
    const workflowId = randomUUID();
    await this.#service.startWorkflowExecution({
      namespace,
      identity,
      workflowId,
      requestId: randomUUID(),
      workflowType: { name: 'bench' },
      taskQueue: this.#taskQueue,
    });
    return workflowId;
  }

  async signal(workflowId: string): Promise<void> {
    await this.#service.signalWorkflowExecution({
      namespace,
      identity,
      workflowExecution: { workflowId },
      signalName: 'go',
      requestId: randomUUID(),
    });
  }

  async poll(): Promise<Task> {
    for (;;) {
      const request = { namespace, identity, taskQueue: this.#taskQueue };
      const task = await this.#connection.withDeadline(Date.now() + pollMs, () =>
        this.#service.pollWorkflowTaskQueue(request),
      );
      if (task.taskToken.length > 0) return task;
    }
  }

  async pollActivity(): Promise<Uint8Array> {
    for (;;) {
      const request = { namespace, identity, taskQueue: this.#taskQueue };
      const task = await this.#connection.withDeadline(Date.now() + pollMs, () =>
        this.#service.pollActivityTaskQueue(request),
      );
      if (task.taskToken.length > 0) return task.taskToken;
    }
  }

  async complete(task: Task, commands: Command[]): Promise<void> {
    await this.#service.respondWorkflowTaskCompleted({
      namespace,
      identity,
      taskToken: task.taskToken ?? null,
      commands,
    });
  }

  async completeActivity(taskToken: Uint8Array): Promise<void> {
    await this.#service.respondActivityTaskCompleted({ namespace, identity, taskToken });
  }

  scheduled(): Command {
    return {
      commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
      scheduleActivityTaskCommandAttributes: {
        activityId: 'one',
        activityType: { name: 'add' },
        taskQueue: this.#taskQueue,
        startToCloseTimeout: { seconds: 60 as never },
      },
    };
  }
}
