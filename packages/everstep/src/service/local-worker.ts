/**
 * An extension beyond the public contract, local to the process (decision 10): a worker that sits in the
 * same process as the engine is handed a workflow task before its commit, and says at once whether it has a free
 * slot for a step. So a step's completion, the workflow task's completion and the next step's schedule and start
 * are one commit.
 *
 * The data are the public contract's own messages. Nothing leaves the process and no step starts before the
 * commit; when the commit is lost, `evict` is called and the run is driven again from its history.
 * The worker never relies on this: without it (gateway, Temporal Server) it polls and responds.
 */
import type { temporal } from '@temporalio/proto';

export type WorkflowTask = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
export type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;

/** What the worker makes of a workflow task. The engine knows which task it handed over: its token is empty. */
export type WorkflowTaskOutcome =
  | {
      readonly kind: 'completed';
      readonly request: temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
    }
  | {
      readonly kind: 'failed';
      readonly request: temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest;
    }
  | {
      readonly kind: 'queryCompleted';
      readonly request: temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;
    };

/** A reserved place for one running step. */
export interface StepSlot {
  /** The step will not start after all (its commit was lost). */
  release(): void;
}

export interface StepInterrupt {
  readonly runId: string;
  readonly activityId: string;
  /** Counted from 1. */
  readonly attempt: number;
  readonly reason: 'cancelRequested' | 'gone';
}

export interface LocalWorker {
  readonly namespace: string;
  readonly identity: string;
  /** Queues it takes work from, in order of preference. Fixed once attached. */
  readonly workflowTaskQueues: readonly string[];
  readonly activityTaskQueues: readonly string[];

  /** May it take a workflow task of that type from that queue now? False for a type it does not know. */
  acceptsWorkflowTask(taskQueue: string, workflowType: string): boolean;
  /**
   * The started event id up to which it holds the run live, or undefined when it must see the whole history.
   * The engine then sends only what came after.
   */
  heldUpTo(runId: string): number | undefined;
  /** Drives the run's code with new events until it waits. Settles within microtasks unless the code misbehaves. Never rejects. */
  driveWorkflowTask(task: WorkflowTask): Promise<WorkflowTaskOutcome>;
  /** The workflow types it drives from that queue. */
  workflowTypes(taskQueue: string): readonly string[];
  /** How many more workflow tasks it would take from the backlog now. */
  freeWorkflowTaskSlots(): number;
  /** How many more steps of that queue it would take from the backlog now. */
  freeStepSlots(taskQueue: string): number;
  /** A place for a step, if one is free now. */
  reserveStep(taskQueue: string, activityType: string): StepSlot | undefined;
  /** After the commit: run it. The result comes back by the public calls. */
  startStep(slot: StepSlot, task: ActivityTask): void;
  /** A running step should hear of it: its cancel was requested, or nobody waits for it any more. */
  interruptStep(interrupt: StepInterrupt): void;
  /**
   * WT-26: the task it has just driven, up to that started event, left no trace. It holds the run up to `to` again, the
   * last task that did; between the two there was nothing for the run's code.
   */
  rewind(runId: string, from: number, to: number): void;
  /** The run's live code no longer matches its history, or its place is needed: forget it. */
  evict(runId: string): void;
}

/** The engine's side, given to the worker when it is attached. */
export interface LocalWorkerHost {
  /** A slot came free, or a limit lets more through. */
  capacityChanged(): void;
  /** No more tasks. Queued rows stay for others; a step still running keeps its right to answer. */
  detach(): void;
  /** Ends every attempt this process has started, without using up a retry (the rest of a drain). */
  handBack(): Promise<void>;
}

/** What a service offers when the worker is in its own process. */
export interface LocalWorkerSupport {
  attachWorker(worker: LocalWorker): LocalWorkerHost;
}
