/** Plain modules that export tasks, workflows and activities: no integration, and no queue of their own. */
import type { AnyAsyncTask, Registrable } from '../component/async-task-component.ts';
import { EverstepError } from '../service/error-codes.ts';
import { Activity, type AnyActivity } from '../tasks/activity.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { Workflow, type AnyWorkflow } from '../tasks/workflow.ts';
import type { ModuleExports } from './load-module.ts';

/** Modules that one worker runs. */
export interface TaskModulesInfo {
  readonly modulesName: string;
  /** Absolute. */
  readonly modulePaths: readonly string[];
  readonly tasks: readonly AnyAsyncTask[];
  readonly workflows: readonly AnyWorkflow[];
  readonly activities: readonly AnyActivity[];
}

/**
 * What a module exports by name, as its default, or in lists; and what its createAsyncTasks() gives.
 *
 * @throws EverstepError REGISTRATION_INVALID where that is nothing.
 */
export async function registrablesOf(path: string, exports: ModuleExports): Promise<Registrable[]> {
  const values = Object.values(exports);
  const { createAsyncTasks } = exports;
  if (typeof createAsyncTasks === 'function') {
    values.push(await (createAsyncTasks as () => unknown)());
  }
  const items = [...new Set(values.flat())].filter(isRegistrable);
  if (items.length > 0) return items;
  throw new EverstepError('REGISTRATION_INVALID', `${path}: ${nothingIn(exports)}.`);
}

/** The three kinds of what a module exports. */
export function sortedByKind(
  items: readonly Registrable[],
): Pick<TaskModulesInfo, 'tasks' | 'workflows' | 'activities'> {
  return {
    tasks: items.filter((item): item is AnyAsyncTask => item instanceof AsyncTask),
    workflows: items.filter((item): item is AnyWorkflow => item instanceof Workflow),
    activities: items.filter((item): item is AnyActivity => item instanceof Activity),
  };
}

function isRegistrable(value: unknown): value is Registrable {
  return value instanceof AsyncTask || value instanceof Workflow || value instanceof Activity;
}

function nothingIn(exports: ModuleExports): string {
  const names = ['AsyncTask', 'Workflow', 'Activity'];
  const foreign = Object.values(exports).some((value) =>
    names.includes((Object(value) as object).constructor?.name),
  );
  return foreign
    ? 'its tasks are of another copy of everstep; run the everstep of the project (npx everstep, npm ls everstep)'
    : 'it exports no task, workflow or activity';
}
