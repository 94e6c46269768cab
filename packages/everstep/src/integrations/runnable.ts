/** What an integration, a domain or plain modules have to be run, whichever of them it was found as. */
import type { AnyAsyncTask, Registrable } from '../component/async-task-component.ts';
import { EverstepError } from '../service/error-codes.ts';
import { Activity, activity, type ActivityFunction, type AnyActivity } from '../tasks/activity.ts';
import type { AnyWorkflow } from '../tasks/workflow.ts';
import { domainOf, type DomainInfo } from './domain.ts';
import { indexIn } from './integration-folder.ts';
import { createdTasks } from './integration-tasks.ts';
import { loadModule, loadTimeoutMs } from './load-module.ts';
import type { OfficialWork } from './official-worker.ts';
import { registrablesOf, sortedByKind, type TaskModulesInfo } from './task-modules.ts';
import type { IntegrationWorkflowInfo } from './workflow-collector.ts';

/** What discovery finds. */
export type Found = IntegrationWorkflowInfo | DomainInfo | TaskModulesInfo;

export interface Runnable {
  readonly name: string;
  /** For its official worker, where it has one. */
  readonly official?: OfficialWork;
  /** Each names its queue, or is in that of the manager. Of plain modules their workflows as well. */
  readonly tasks: readonly (AnyAsyncTask | AnyWorkflow)[];
  /** Everstep workflows and the activities they call by name, which are on the queue of their domain. */
  readonly workflows: readonly AnyWorkflow[];
  readonly activities: readonly AnyActivity[];
  /** Empty of plain modules, which have none: their activities are on each queue of their tasks. */
  readonly taskQueue: string;
}

/** Where it is loaded from, by a process of its own. */
export interface RunnableSource {
  readonly kind: 'integration' | 'domain' | 'modules';
  readonly name: string;
  /** The folder of an integration, the module of a domain; of plain modules the first. */
  readonly path: string;
  /** Of plain modules all. */
  readonly modulePaths?: readonly string[];
  readonly taskQueue: string;
  readonly workflowsPath?: string;
  readonly activitiesPath?: string;
}

/** @throws EverstepError REGISTRATION_INVALID for what discovery did not give. */
export function sourceOf(found: Found): RunnableSource {
  if (isIntegration(found)) {
    const { integrationName, integrationPath, taskQueue, workflowsPath, activitiesPath } = found;
    return {
      kind: 'integration',
      name: integrationName,
      path: integrationPath,
      taskQueue,
      ...(workflowsPath !== undefined && { workflowsPath }),
      ...(activitiesPath !== undefined && { activitiesPath }),
    };
  }
  if (isDomain(found)) {
    const { name, path, taskQueue } = found;
    return { kind: 'domain', name, path, taskQueue };
  }
  if (isModules(found)) {
    const { modulesName: name, modulePaths } = found;
    return { kind: 'modules', name, path: modulePaths[0] ?? '', modulePaths, taskQueue: '' };
  }
  throw new EverstepError(
    'REGISTRATION_INVALID',
    'WorkerManager.create() was given something that is neither an integration nor a domain; expected the path of a folder of integrations, or a list of what collectIntegrationWorkflows() or loadDomains() found.',
  );
}

export function runnableOf(found: Found): Runnable {
  if (isIntegration(found)) return integrationRunnable(found);
  return isModules(found) ? modulesRunnable(found) : domainRunnable(found);
}

/**
 * Loads its code here; more than one of plain modules with a domain among them.
 *
 * @param onFailed Told of each plain module that cannot be used, beside others that can.
 * @throws EverstepError MODULE_LOAD_FAILED, INTEGRATION_INVALID, DOMAIN_INVALID, DUPLICATE_NAME, REGISTRATION_INVALID.
 */
export async function loadRunnables(
  source: RunnableSource,
  onFailed: (error: unknown) => void,
): Promise<readonly Runnable[]> {
  if (source.kind === 'modules') return loadModules(source, onFailed);
  return [await loadRunnable(source)];
}

async function loadRunnable(source: RunnableSource): Promise<Runnable> {
  const { kind, name, path } = source;
  if (kind === 'domain') return domainRunnable(domainOf(path, await loadModule(path)));
  const indexPath = indexIn(path);
  const folder = { name, path, ...(indexPath !== undefined && { indexPath }) };
  const tasks = (await createdTasks(folder, loadTimeoutMs)) ?? [];
  return integrationRunnable({ ...source, integrationName: name, integrationPath: path, tasks });
}

async function loadModules(
  { name, modulePaths = [] }: RunnableSource,
  onFailed: (error: unknown) => void,
): Promise<readonly Runnable[]> {
  const items = new Set<Registrable>();
  const domains: Runnable[] = [];
  let lastError: unknown;
  for (const path of modulePaths) {
    try {
      const exports = await loadModule(path);
      if ('TASK_QUEUE' in exports) domains.push(domainRunnable(domainOf(path, exports)));
      else for (const item of await registrablesOf(path, exports)) items.add(item);
    } catch (error) {
      lastError = error;
      onFailed(error);
    }
  }
  if (items.size === 0 && domains.length === 0) throw lastError;
  if (items.size === 0) return domains;
  const info = { modulesName: name, modulePaths, ...sortedByKind([...items]) };
  return [modulesRunnable(info), ...domains];
}

function modulesRunnable({
  modulesName: name,
  tasks,
  workflows,
  activities,
}: TaskModulesInfo): Runnable {
  return { name, tasks: [...tasks, ...workflows], workflows: [], activities, taskQueue: '' };
}

function integrationRunnable({
  integrationName: name,
  workflowsPath,
  activitiesPath,
  taskQueue,
  tasks,
}: IntegrationWorkflowInfo): Runnable {
  const official = { name, taskQueue, workflowsPath, activities: activitiesPath };
  return {
    name,
    ...(workflowsPath !== undefined && { official }),
    tasks,
    workflows: [],
    activities: [],
    taskQueue,
  };
}

function domainRunnable(domain: DomainInfo): Runnable {
  const { name, taskQueue, workflowsPath, workflowBundle, workflows, activities, tasks } = domain;
  const isOfficial = workflowsPath !== undefined || workflowBundle !== undefined;
  const official = { name, taskQueue, workflowsPath, workflowBundle, activities };
  return {
    name,
    ...(isOfficial && { official }),
    tasks,
    workflows: workflows ?? [],
    activities: isOfficial ? [] : Object.entries(activities).map(registrable),
    taskQueue,
  };
}

/** A plain function takes its input alone, as an activity of a workflow is called. */
function registrable([name, given]: readonly [string, unknown]): AnyActivity {
  if (given instanceof Activity) return given as AnyActivity;
  return activity({ name, run: given as ActivityFunction<never, unknown> });
}

function isIntegration(found: Found): found is IntegrationWorkflowInfo {
  return typeof (found as Partial<IntegrationWorkflowInfo> | null)?.integrationName === 'string';
}

function isModules(found: Found): found is TaskModulesInfo {
  return typeof (found as Partial<TaskModulesInfo> | null)?.modulesName === 'string';
}

function isDomain(found: Found): found is DomainInfo {
  const { name, path, taskQueue } = (found as Partial<DomainInfo> | null) ?? {};
  return [name, path, taskQueue].every((field) => typeof field === 'string');
}
