/** What a worker is to run: the tasks, workflows and activities of the modules, folders and domains that it is given. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Registrable } from '../component/async-task-component.ts';
import type { DomainInfo } from '../integrations/domain.ts';
import { moduleAt } from '../integrations/integration-folder.ts';
import { findDomains, loadDomains } from '../integrations/load-domains.ts';
import { loadModule } from '../integrations/load-module.ts';
import { QueueOwners, queuesOf } from '../integrations/queue-owners.ts';
import { runnableOf, type Found } from '../integrations/runnable.ts';
import { registrablesOf, sortedByKind } from '../integrations/task-modules.ts';
import {
  WorkflowCollector,
  type IntegrationWorkflowInfo,
} from '../integrations/workflow-collector.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { Activity } from '../tasks/activity.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { Workflow } from '../tasks/workflow.ts';

export interface LeftOut {
  readonly name: string;
  readonly path: string;
  readonly reason: string;
  /** Of a failure. */
  readonly code?: string;
}

export interface WorkSources {
  /** Each of another name, and no two with a task or workflow of the same name. */
  readonly found: readonly Found[];
  readonly failures: readonly LeftOut[];
}

/** The one source that all plain modules are: what they do is matched by queue, and they share theirs. */
const modulesName = 'task-modules';
/** Modules beside the tasks, which are no tasks. */
const noModule = /\.(d|test|spec|contract)\.[cm]?[jt]s$/;
const aModule = /\.(ts|mts|js|mjs)$/;

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * A failure is in the answer, and keeps no other source from being read.
 *
 * @param loads False: it only looks where things are, and whoever runs them loads them.
 * @throws RangeError for a path that is none.
 */
export async function workSources(
  paths: readonly string[],
  enabledDomains: string | undefined,
  loads: boolean,
): Promise<WorkSources> {
  const reader = new SourceReader(loads);
  for (const path of paths) await reader.readPath(path);
  if (enabledDomains !== undefined && enabledDomains.trim() !== '') {
    await reader.readDomains(enabledDomains);
  }
  return reader.sources();
}

class SourceReader {
  readonly #loads: boolean;
  readonly #modulePaths: string[] = [];
  readonly #items = new Set<Registrable>();
  readonly #found: Found[] = [];
  /** Of integrations and domains. */
  readonly #names = new Set<string>([modulesName]);
  /** Where a task or workflow of that name is. */
  readonly #types = new Map<string, string>();
  readonly #queues = new QueueOwners();
  readonly #failures: LeftOut[] = [];

  constructor(loads: boolean) {
    this.#loads = loads;
  }

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
    const { domains, failures } = this.#loads
      ? await loadDomains(names, { logger: silent })
      : findDomains(names);
    for (const domain of domains) this.#addDomain(domain);
    for (const { name, path, error } of failures) this.#fail(name, path, error);
  }

  sources(): WorkSources {
    const found = [...this.#found];
    if (this.#modulePaths.length > 0) {
      const kinds = sortedByKind([...this.#items]);
      found.unshift({ modulesName, modulePaths: this.#modulePaths, ...kinds });
    }
    return { found, failures: this.#failures };
  }

  /** Its modules, and the integrations below it. */
  async #readFolder(folder: string): Promise<void> {
    const names = readdirSync(folder).filter((name) => aModule.test(name) && !noModule.test(name));
    for (const name of names.sort()) await this.#readModule(join(folder, name), false);
    const collector = new WorkflowCollector({ logger: silent });
    const all = this.#loads ? await collector.collect(folder) : collector.find(folder);
    for (const { name, path, error } of all.failures) this.#fail(name, path, error);
    for (const integration of all.integrations) this.#addIntegration(integration);
  }

  /** @param named By the user: then it must hold something. */
  async #readModule(path: string, named: boolean): Promise<void> {
    if (!this.#loads) {
      this.#modulePaths.push(path);
      return;
    }
    const name = basename(path);
    try {
      const exports = await loadModule(path);
      if ('TASK_QUEUE' in exports) {
        await this.readDomains([path]);
        return;
      }
      const items = await registrablesOf(path, exports).catch((error: unknown) => {
        if (named || !isNothing(error)) throw error;
        return [];
      });
      const fresh = items.filter((item) => !this.#items.has(item));
      if (fresh.length === 0) return;
      const kinds = sortedByKind(fresh);
      this.#queues.take(modulesName, path, queuesOf({ ...kinds, activities: [], taskQueue: '' }));
      this.#takeNames(path, fresh);
      for (const item of fresh) this.#items.add(item);
      this.#modulePaths.push(path);
    } catch (error) {
      this.#fail(name, path, error);
    }
  }

  #addDomain(domain: DomainInfo): void {
    if (this.#found.some((other) => 'path' in other && other.path === domain.path)) return;
    const { name, path, tasks, workflows = [] } = domain;
    this.#add(name, path, [...tasks, ...workflows], domain);
  }

  #addIntegration(integration: IntegrationWorkflowInfo): void {
    const { integrationName, integrationPath, tasks } = integration;
    this.#add(integrationName, integrationPath, tasks, integration);
  }

  #add(name: string, path: string, items: readonly Registrable[], found: Found): void {
    try {
      if (this.#names.has(name)) {
        throw new EverstepError(
          'DUPLICATE_NAME',
          `${path}: something else that is run is named "${name}" as well; rename one of the two.`,
        );
      }
      this.#queues.take(name, path, queuesOf(runnableOf(found)));
      this.#takeNames(path, items);
      this.#names.add(name);
      this.#found.push(found);
    } catch (error) {
      this.#fail(name, path, error);
    }
  }

  /** All of them or none. Workers of two sources would take each other's tasks of one name. */
  #takeNames(path: string, items: readonly Registrable[]): void {
    const types = items.map((item) =>
      item instanceof Activity ? `activity ${item.name}` : item.workflowType,
    );
    for (const [index, type] of types.entries()) {
      const other = this.#types.get(type) ?? (types.indexOf(type) < index ? path : undefined);
      if (other === undefined) continue;
      const item = items[index] as Registrable;
      const name = item instanceof Activity ? item.name : item.getName();
      throw new EverstepError(
        'DUPLICATE_NAME',
        `${path}: "${name}" is a name that ${other === path ? 'it has twice' : `${other} has already`}; each task, workflow and activity needs one of its own.`,
      );
    }
    for (const type of types) this.#types.set(type, path);
  }

  #fail(name: string, path: string, error: unknown): void {
    const code = error instanceof EverstepError ? { code: error.code } : {};
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures.push({ name, path, reason, ...code });
  }
}

function isNothing(error: unknown): boolean {
  return error instanceof EverstepError && error.code === 'REGISTRATION_INVALID';
}

/** Names of what is run, for people and for JSON. */
export interface WorkNames {
  readonly tasks: readonly string[];
  readonly workflows: readonly string[];
  readonly activities: readonly string[];
  /** Integrations and domains with workflows of the official SDK. */
  readonly official: readonly string[];
}

export function namesOf(found: readonly Found[]): WorkNames {
  const runnables = found.map(runnableOf);
  const tasks = runnables.flatMap((one) => [...one.tasks, ...one.workflows]);
  const named = (kept: (item: Registrable) => boolean): string[] =>
    tasks.filter(kept).map((item) => item.getName());
  return {
    tasks: named((item) => item instanceof AsyncTask),
    workflows: named((item) => item instanceof Workflow),
    activities: runnables.flatMap(({ activities }) => activities.map(({ name }) => name)),
    official: runnables.flatMap(({ name, official }) => (official === undefined ? [] : [name])),
  };
}
