/** What a worker knows: the tasks and workflows it drives, by workflow type, and the queues they wait in. */
import type { LoadedDataConverter } from '@temporalio/common';
import type { Logger } from '../service/logger.ts';
import { ContextRun } from './context-run.ts';
import { stepQueue, type TaskDefinition, type TaskLimit } from './definition.ts';
import type { LiveRun } from './live-run.ts';
import { Run } from './run.ts';
import { TaskCodeError } from './task-errors.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** What a worker drives. */
export type AnyDefinition = TaskDefinition | WorkflowDefinition;

export interface NewRunOptions {
  readonly namespace: string;
  readonly dataConverter: LoadedDataConverter;
  readonly logger: Logger;
  readonly stepsApart?: string | undefined;
}

export class WorkerDefinitions {
  readonly workflowTaskQueues: ReadonlySet<string>;
  readonly stepQueues: ReadonlySet<string>;
  /** By the queue of the steps. */
  readonly limits: ReadonlyMap<string, TaskLimit>;
  readonly #byType = new Map<string, AnyDefinition>();
  readonly #queueOf = new Map<string, string>();
  readonly #typesOf = new Map<string, string[]>();

  readonly #options: NewRunOptions;

  /** @param ownQueue Of those that name none. */
  constructor(definitions: readonly AnyDefinition[], ownQueue: string, options: NewRunOptions) {
    this.#options = options;
    const limits = new Map<string, TaskLimit>();
    const stepQueues = new Set<string>();
    for (const definition of definitions) {
      const { workflowType, limit } = definition;
      const taskQueue = definition.taskQueue || ownQueue;
      this.#byType.set(workflowType, definition);
      this.#queueOf.set(workflowType, taskQueue);
      this.#typesOf.set(taskQueue, [...this.typesOf(taskQueue), workflowType]);
      const queue = stepQueue(definition, taskQueue, options.stepsApart);
      stepQueues.add(queue);
      if (limit) limits.set(queue, limit);
    }
    this.workflowTaskQueues = new Set(this.#queueOf.values());
    this.stepQueues = stepQueues;
    this.limits = limits;
  }

  get size(): number {
    return this.#byType.size;
  }

  get(workflowType: string): AnyDefinition | undefined {
    return this.#byType.get(workflowType);
  }

  /**
   * A run that has seen nothing of its history.
   *
   * @throws TaskCodeError TASK_UNKNOWN
   */
  newRun(
    execution: { readonly workflowId: string; readonly runId: string },
    workflowType: string,
  ): LiveRun {
    const definition = this.#byType.get(workflowType);
    if (definition === undefined) {
      throw new TaskCodeError(
        'TASK_UNKNOWN',
        `This worker knows no task of workflow type "${workflowType}"; it knows ${[...this.#byType.keys()].join(', ')}`,
      );
    }
    const { namespace, dataConverter: converter, logger } = this.#options;
    return definition.kind === 'context'
      ? new ContextRun(execution, definition, { namespace, converter, logger })
      : new Run(execution, definition, converter);
  }

  isIn(taskQueue: string, workflowType: string): boolean {
    return this.#queueOf.get(workflowType) === taskQueue;
  }

  typesOf(taskQueue: string): readonly string[] {
    return this.#typesOf.get(taskQueue) ?? [];
  }
}
