/** Activities that were registered by name: for the workflows of other processes, and of other languages. */
import type { LoadedDataConverter } from '@temporalio/common';
import type { ActivityTask } from '../service/local-worker.ts';
import type { Activity, ActivityFunction } from './activity.ts';
import { defaultRetryPolicy, defaultTimeouts, type RunDefinition } from './definition.ts';
import type { PayloadEdge } from './payload-edge.ts';
import { PayloadReader } from './payload-reader.ts';
import type { StepCall } from './running-step.ts';

export class RegisteredActivities {
  readonly taskQueues: readonly string[];
  readonly #byName: ReadonlyMap<string, Activity<never, unknown>>;
  readonly #reader: PayloadReader;

  constructor(
    activities: readonly Activity<never, unknown>[],
    taskQueue: string,
    converter: LoadedDataConverter,
  ) {
    this.#byName = new Map(activities.map((activity) => [activity.name, activity]));
    this.taskQueues = [
      ...new Set(activities.map((activity) => activity.options.taskQueue ?? taskQueue)),
    ];
    this.#reader = new PayloadReader(converter);
  }

  /** What to run for that task; undefined when its activity is none of these. */
  async callOf(
    task: ActivityTask,
    edge: PayloadEdge,
    runId: string,
  ): Promise<StepCall | undefined> {
    const name = task.activityType?.name ?? '';
    const run = this.#byName.get(name)?.run as ActivityFunction<unknown, unknown> | undefined;
    if (run === undefined) return undefined;
    const [payload] = await edge.decode(task.input?.payloads ?? []);
    const key = task.activityId ?? name;
    return {
      descriptor: {
        key,
        call: (context) => run(this.#reader.value(payload, `the input of ${key}`), context),
      },
      definition: definitionOf(name),
      keyRunId: runId,
    };
  }
}

/** Stands for the workflow, of which nothing is known here. */
function definitionOf(name: string): RunDefinition {
  return {
    name,
    workflowType: '',
    taskQueue: '',
    retryPolicy: defaultRetryPolicy,
    timeouts: defaultTimeouts,
    limit: undefined,
    schema: {},
    kind: 'context',
  };
}
