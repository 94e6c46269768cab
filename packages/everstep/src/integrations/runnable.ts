/** What an integration or a domain has to be run, whichever of the two it was found as. */
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import { EverstepError } from '../service/error-codes.ts';
import { Activity, activity, type ActivityFunction, type AnyActivity } from '../tasks/activity.ts';
import type { AnyWorkflow } from '../tasks/workflow.ts';
import { domainOf, type DomainInfo } from './domain.ts';
import { indexIn } from './integration-folder.ts';
import { createdTasks } from './integration-tasks.ts';
import { loadModule, loadTimeoutMs } from './load-module.ts';
import type { OfficialWork } from './official-worker.ts';
import type { IntegrationWorkflowInfo } from './workflow-collector.ts';

/** What discovery finds. */
export type Found = IntegrationWorkflowInfo | DomainInfo;

export interface Runnable {
  readonly name: string;
  /** For its official worker, where it has one. */
  readonly official?: OfficialWork;
  /** Each names its queue, or is in that of the manager. */
  readonly tasks: readonly AnyAsyncTask[];
  /** Everstep workflows and the activities they call by name, which are on the queue of their domain. */
  readonly workflows: readonly AnyWorkflow[];
  readonly activities: readonly AnyActivity[];
  readonly taskQueue: string;
}

/** Where it is loaded from, by a process of its own. */
export interface RunnableSource {
  readonly kind: 'integration' | 'domain';
  readonly name: string;
  /** The folder of an integration, the module of a domain. */
  readonly path: string;
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
  throw new EverstepError(
    'REGISTRATION_INVALID',
    'WorkerManager.create() was given something that is neither an integration nor a domain; expected the path of a folder of integrations, or a list of what collectIntegrationWorkflows() or loadDomains() found.',
  );
}

export function runnableOf(found: Found): Runnable {
  return isIntegration(found) ? integrationRunnable(found) : domainRunnable(found);
}

/** Loads its code here. @throws EverstepError MODULE_LOAD_FAILED, INTEGRATION_INVALID, DOMAIN_INVALID, DUPLICATE_NAME. */
export async function loadRunnable(source: RunnableSource): Promise<Runnable> {
  const { kind, name, path } = source;
  if (kind === 'domain') return domainRunnable(domainOf(path, await loadModule(path)));
  const indexPath = indexIn(path);
  const folder = { name, path, ...(indexPath !== undefined && { indexPath }) };
  const tasks = (await createdTasks(folder, loadTimeoutMs)) ?? [];
  return integrationRunnable({ ...source, integrationName: name, integrationPath: path, tasks });
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

function isDomain(found: Found): found is DomainInfo {
  const { name, path, taskQueue } = (found as Partial<DomainInfo> | null) ?? {};
  return [name, path, taskQueue].every((field) => typeof field === 'string');
}
