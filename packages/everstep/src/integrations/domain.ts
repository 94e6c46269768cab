/** A domain: what its module exports, checked. */
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import { EverstepError } from '../service/error-codes.ts';
import { Activity, type AnyActivity } from '../tasks/activity.ts';
import { shown } from '../tasks/duration.ts';
import { isFields } from '../tasks/known-fields.ts';
import { Workflow, type AnyWorkflow } from '../tasks/workflow.ts';
import { moduleAt } from './integration-folder.ts';
import { checkedTasks } from './integration-tasks.ts';
import type { ModuleExports } from './load-module.ts';

/** A function, with the arguments its workflow gives it, or what `activity()` returned. */
export type DomainActivity = AnyActivity | ((...args: never[]) => unknown);

/** Bundled official workflows, as `bundleWorkflowCode()` of the official worker gives them, or their file. */
export type DomainBundle =
  | { readonly code: string }
  /** Absolute. */
  | { readonly codePath: string };

export interface DomainInfo {
  /** The last part of its path, without an ending: `pizza` of `domains/pizza/index.ts`. */
  readonly name: string;
  /** The module, absolute. */
  readonly path: string;
  readonly taskQueue: string;
  /** The module of its official workflows, absolute. At most one of the three is there. */
  readonly workflowsPath?: string;
  readonly workflowBundle?: DomainBundle;
  /** Everstep workflows. */
  readonly workflows?: readonly AnyWorkflow[];
  /** By name. Official workflows have functions alone. */
  readonly activities: Readonly<Record<string, DomainActivity>>;
  readonly tasks: readonly AnyAsyncTask[];
}

const queueBytesMax = 1000;

/** @throws EverstepError DOMAIN_INVALID naming the export, DUPLICATE_NAME. */
export function domainOf(path: string, exports: ModuleExports): DomainInfo {
  const fields = fieldsOf(exports);
  const { TASK_QUEUE: taskQueue, workflows, activities, tasks } = fields;
  const where = `Domain ${path}`;
  if (Object.keys(fields).length === 0) throw invalid(`${where} exports nothing; ${expected}`);
  if (
    typeof taskQueue !== 'string' ||
    taskQueue === '' ||
    Buffer.byteLength(taskQueue) > queueBytesMax
  ) {
    throw invalid(
      `${where}: TASK_QUEUE is ${shown(taskQueue)}; expected a string of 1 to ${queueBytesMax} bytes`,
    );
  }
  if (workflows === undefined && activities === undefined && tasks === undefined) {
    throw invalid(`${where} exports neither workflows nor activities nor tasks; ${expected}`);
  }
  const code = workflows === undefined ? {} : workflowsOf(workflows, path, where);
  const isOfficial = 'workflowsPath' in code || 'workflowBundle' in code;
  return {
    name: nameOf(path),
    path,
    taskQueue,
    ...code,
    activities: activities === undefined ? {} : activitiesOf(activities, where, isOfficial),
    tasks: tasks === undefined ? [] : tasksOf(tasks, where),
  };
}

/** `pizza` of `domains/pizza/index.ts` and of `domains/pizza.ts`. */
export function nameOf(path: string): string {
  const stem = basename(path).replace(/\.[^.]+$/, '');
  return stem === 'index' ? basename(dirname(path)) : stem;
}

const expected = 'expected TASK_QUEUE, and workflows, activities or tasks';

/** A module of CommonJS has all in its default export. */
function fieldsOf(exports: ModuleExports): ModuleExports {
  const { default: whole } = exports;
  return !('TASK_QUEUE' in exports) && isFields(whole) && 'TASK_QUEUE' in whole
    ? (whole as ModuleExports)
    : exports;
}

function workflowsOf(
  given: unknown,
  path: string,
  where: string,
): Pick<DomainInfo, 'workflowsPath' | 'workflowBundle' | 'workflows'> {
  if (typeof given === 'string' || given instanceof URL) {
    return { workflowsPath: moduleFrom(given, path, `${where}: workflows`) };
  }
  if (given instanceof Workflow) return { workflows: [given as AnyWorkflow] };
  if (Array.isArray(given)) {
    return { workflows: everstepWorkflows(Object.entries(given as object), where) };
  }
  if (!isFields(given)) {
    throw invalid(
      `${where}: workflows is ${shown(given)}; expected the path of a module, a bundle, or a list of what workflow() returned`,
    );
  }
  const { code, codePath } = given as { code?: unknown; codePath?: unknown };
  if (typeof code === 'string') return { workflowBundle: given as DomainBundle };
  if (typeof codePath === 'string') {
    return {
      workflowBundle: { codePath: moduleFrom(codePath, path, `${where}: workflows.codePath`) },
    };
  }
  return { workflows: everstepWorkflows(Object.entries(given), where) };
}

function everstepWorkflows(
  entries: readonly (readonly [string, unknown])[],
  where: string,
): readonly AnyWorkflow[] {
  if (entries.length === 0) throw invalid(`${where}: workflows is empty; leave it out, or fill it`);
  const names = new Set<string>();
  return entries.map(([key, value]) => {
    if (!(value instanceof Workflow)) {
      throw invalid(
        typeof value === 'function'
          ? `${where}: workflows.${key} is a function; of official workflows give the path of their module, as the worker bundles it: workflows = './workflows.ts'`
          : `${where}: workflows.${key} is ${shown(value)}; expected what workflow() returned`,
      );
    }
    checkName(names, value.getName(), 'workflows', where);
    return value as AnyWorkflow;
  });
}

function activitiesOf(
  given: unknown,
  where: string,
  isOfficial: boolean,
): Readonly<Record<string, DomainActivity>> {
  if (!Array.isArray(given) && !isFields(given)) {
    throw invalid(
      `${where}: activities is ${shown(given)}; expected an object of functions, or a list`,
    );
  }
  const names = new Set<string>();
  return Object.fromEntries(
    Object.entries(given as object).map(([key, value]: [string, unknown]) => {
      if (!(value instanceof Activity) && typeof value !== 'function') {
        throw invalid(
          `${where}: activities.${key} is ${shown(value)}; expected a function, or what activity() returned`,
        );
      }
      if (isOfficial && value instanceof Activity) {
        throw invalid(
          `${where}: activities.${key} is what activity() returned; official workflows call plain functions: give ${key} as one`,
        );
      }
      const name = Array.isArray(given) || value instanceof Activity ? value.name : key;
      if (name === '') {
        throw invalid(
          `${where}: activities.${key} has no name; give an object, or named functions`,
        );
      }
      checkName(names, name, 'activities', where);
      return [name, value as DomainActivity];
    }),
  );
}

function tasksOf(given: unknown, where: string): readonly AnyAsyncTask[] {
  const list = Array.isArray(given) || !isFields(given) ? given : Object.values(given);
  try {
    return checkedTasks(list, `${where}: tasks`);
  } catch (error) {
    if (!(error instanceof EverstepError) || error.code !== 'INTEGRATION_INVALID') throw error;
    throw new EverstepError('DOMAIN_INVALID', error.message, { cause: error });
  }
}

function checkName(names: Set<string>, name: string, what: string, where: string): void {
  if (names.has(name)) {
    throw new EverstepError(
      'DUPLICATE_NAME',
      `${where}: ${what} has "${name}" twice; each needs a name of its own.`,
    );
  }
  names.add(name);
}

/** From the folder of the domain's module. */
function moduleFrom(given: string | URL, path: string, where: string): string {
  let target: string;
  let file: string | undefined;
  try {
    const isUrl = given instanceof URL || given.startsWith('file:');
    target = isUrl ? fileURLToPath(given) : resolve(dirname(path), given);
    file = moduleAt(target);
  } catch (cause) {
    throw new EverstepError(
      'DOMAIN_INVALID',
      `${where} is ${shown(String(given))}; expected the path of a module, or its file: URL.`,
      { cause },
    );
  }
  if (file !== undefined) return file;
  throw invalid(`${where} is ${shown(String(given))}, and there is no module ${target}`);
}

function invalid(problem: string): EverstepError {
  return new EverstepError('DOMAIN_INVALID', `${problem}.`);
}
