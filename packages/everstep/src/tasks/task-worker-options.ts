/** What a TaskWorker is made of. */
import type { LoadedDataConverter } from '@temporalio/common';
import type { Clock, Random } from '../service/clock.ts';
import type { ActivityTask, LocalWorkerSupport } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { Load } from '../service/process-load.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import type { Activity } from './activity.ts';
import type { StepDescriptor } from './definition.ts';
import type { LoadTarget } from './step-target.ts';
import type { AnyDefinition } from './worker-definitions.ts';

export interface TaskWorkerOptions {
  readonly service: WorkflowService;
  /** The extension of an engine in this process; without it the worker polls. */
  readonly local?: LocalWorkerSupport | undefined;
  /** Tasks and workflows. */
  readonly tasks: readonly AnyDefinition[];
  /** Those that any workflow may call by their name. */
  readonly activities?: readonly Activity<never, unknown>[];
  readonly namespace: string;
  readonly identity: string;
  /** For tasks that name no queue; `async-tasks` by default. */
  readonly taskQueue?: string;
  /** Where workers of other tasks share that queue: the part of the name that its steps' own queue gets (stepQueue). */
  readonly stepsApart?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly dataConverter: LoadedDataConverter;
  readonly concurrency?: {
    /** Steps that run at once; 100 by default. */
    readonly steps?: number;
    /** Workflow tasks that are driven at once; 1,000 by default: mostly they wait for microtasks only. */
    readonly workflowTasks?: number;
    /** Polls that wait at once for each queue and kind, where it polls; 4 by default. */
    readonly pollers?: number;
    /** Fewer steps than `steps` at once while the process uses more of the machine than this; needs `sampleLoad`. */
    readonly target?: LoadTarget;
  };
  readonly sampleLoad?: () => Load;
  /** Runs kept live; 5,000 by default, and none that was idle for ten minutes. */
  readonly liveRunsMax?: number;
  /** Of the code, so that a deployment can be told apart in histories. */
  readonly buildId?: string | undefined;
  /** For tests of tasks: what to call in the place of a step's own code. */
  readonly callInstead?: ((task: ActivityTask) => StepDescriptor['call'] | undefined) | undefined;
}
