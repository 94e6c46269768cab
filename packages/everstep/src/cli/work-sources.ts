/** What a worker is to run: the tasks, workflows and activities of the modules, folders and domains that it is given. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { AnyAsyncTask, Registrable } from '../component/async-task-component.ts';
import type { DomainInfo } from '../integrations/domain.ts';
import { moduleAt } from '../integrations/integration-folder.ts';
import { loadDomains } from '../integrations/load-domains.ts';
import { loadModule, type ModuleExports } from '../integrations/load-module.ts';
import {
  WorkflowCollector,
  type IntegrationWorkflowInfo,
} from '../integrations/workflow-collector.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { Activity, activity } from '../tasks/activity.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { Workflow, type AnyWorkflow } from '../tasks/workflow.ts';

/** What one component runs: all that name no queue go to its own. */
export interface WorkGroup {
  /** Undefined: the command's. */
  readonly taskQueue: string | undefined;
  readonly items: Registrable[];
}

export interface LeftOut {
  readonly name: string;
  readonly path: string;
  readonly reason: string;
  /** Of a failure. */
  readonly code?: string;
}

export interface WorkSources {
  readonly groups: readonly WorkGroup[];
  readonly integrations: readonly IntegrationWorkflowInfo[];
  readonly domains: readonly DomainInfo[];
  readonly skipped: readonly LeftOut[];
  readonly failures: readonly LeftOut[];
}

/** Modules beside the tasks, which are no tasks. */
const noModule = /\.(d|test|spec|contract)\.[cm]?[jt]s$/;
const aModule = /\.(ts|mts|js|mjs)$/;

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A failure is in the answer, and keeps no other source from being read. @throws RangeError for a path that is none. */
export async function workSources(
  paths: readonly string[],
  enabledDomains: string | undefined,
): Promise<WorkSources> {
  const reader = new SourceReader();
  for (const path of paths) await reader.readPath(path);
  if (enabledDomains !== undefined && enabledDomains.trim() !== '') {
    await reader.readDomains(enabledDomains);
  }
  return reader.sources();
}

class SourceReader {
  readonly #shared: WorkGroup = { taskQueue: undefined, items: [] };
  readonly #groups: WorkGroup[] = [this.#shared];
  readonly #integrations: IntegrationWorkflowInfo[] = [];
  readonly #domains: DomainInfo[] = [];
  readonly #skipped: LeftOut[] = [];
  readonly #failures: LeftOut[] = [];

  async readPath(path: string): Promise<void> {
    const place = resolve(path);
    const kind = statSync(place, { throwIfNoEntry: false });
    if (kind === undefined) {
      throw new RangeError(`There is no file or folder ${path} in ${process.cwd()}.`);
    }
    const index = kind.isDirectory() ? moduleAt(place) : place;
    if (index === undefined) await this.#readFolder(place);
    else await this.#readModule(index, true);
  }

  async readDomains(names: string | readonly string[]): Promise<void> {
    const { domains, failures } = await loadDomains(names, { logger: silent });
    for (const domain of domains) this.#addDomain(domain);
    for (const { name, path, error } of failures) this.#fail(name, path, error);
  }

  sources(): WorkSources {
    return {
      groups: this.#groups.filter(({ items }) => items.length > 0),
      integrations: this.#integrations,
      domains: this.#domains,
      skipped: this.#skipped,
      failures: this.#failures,
    };
  }

  /** Its modules, and the integrations below it. */
  async #readFolder(folder: string): Promise<void> {
    const names = readdirSync(folder).filter((name) => aModule.test(name) && !noModule.test(name));
    for (const name of names.sort()) await this.#readModule(join(folder, name), false);
    const found = await new WorkflowCollector({ logger: silent }).collect(folder);
    this.#skipped.push(...found.skipped);
    for (const { name, path, error } of found.failures) this.#fail(name, path, error);
    for (const integration of found.integrations) {
      this.#integrations.push(integration);
      this.#add(this.#shared, integration.tasks);
    }
  }

  /** @param named By the user: then it must hold something. */
  async #readModule(path: string, named: boolean): Promise<void> {
    const name = basename(path);
    try {
      const exports = await loadModule(path);
      if ('TASK_QUEUE' in exports) {
        await this.readDomains([path]);
        return;
      }
      const items = await registrablesOf(exports);
      if (items.length > 0) this.#add(this.#shared, items);
      else if (!named) this.#skipped.push({ name, path, reason: nothingIn(exports) });
      else throw new EverstepError('REGISTRATION_INVALID', `${path}: ${nothingIn(exports)}.`);
    } catch (error) {
      this.#fail(name, path, error);
    }
  }

  #addDomain(domain: DomainInfo): void {
    if (this.#domains.some(({ path }) => path === domain.path)) return;
    this.#domains.push(domain);
    const { tasks, workflows = [], activities, taskQueue } = domain;
    const group: WorkGroup = { taskQueue, items: [] };
    this.#groups.push(group);
    this.#add(group, [...tasks, ...workflows]);
    // Those of official workflows are run by the official worker.
    if (isOfficial(domain)) return;
    for (const [name, run] of Object.entries(activities)) {
      const item = run instanceof Activity ? run : activity({ name, run: run as () => unknown });
      this.#add(group, [item]);
    }
  }

  #add(group: WorkGroup, items: readonly Registrable[]): void {
    for (const item of items) if (!group.items.includes(item)) group.items.push(item);
  }

  #fail(name: string, path: string, error: unknown): void {
    const code = error instanceof EverstepError ? { code: error.code } : {};
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures.push({ name, path, reason, ...code });
  }
}

/** Workflows of the official SDK, which run on @temporalio/worker. */
export function isOfficial(source: DomainInfo | IntegrationWorkflowInfo): boolean {
  return source.workflowsPath !== undefined || 'workflowBundle' in source;
}

/** What a module exports by name, as its default, or in lists; and what its createAsyncTasks() gives. */
async function registrablesOf(exports: ModuleExports): Promise<Registrable[]> {
  const values = Object.values(exports);
  const { createAsyncTasks } = exports;
  if (typeof createAsyncTasks === 'function') {
    values.push(await (createAsyncTasks as () => unknown)());
  }
  return [...new Set(values.flat())].filter(isRegistrable);
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

/** Names of what is run, for people and for JSON. */
export function namesOf(groups: readonly WorkGroup[]): {
  readonly tasks: string[];
  readonly workflows: string[];
  readonly activities: string[];
} {
  const items = groups.flatMap((group) => group.items);
  const named = <T extends Registrable>(kept: (item: Registrable) => item is T): T[] =>
    items.filter(kept);
  return {
    tasks: named((item): item is AnyAsyncTask => item instanceof AsyncTask).map((item) =>
      item.getName(),
    ),
    workflows: named((item): item is AnyWorkflow => item instanceof Workflow).map((item) =>
      item.getName(),
    ),
    activities: named((item): item is Activity => item instanceof Activity).map(({ name }) => name),
  };
}
