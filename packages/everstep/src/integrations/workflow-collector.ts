/**
 * Discovery: finds the integrations of a folder and says of each what it found, or why it was skipped, or what is wrong
 * with it. A folder that cannot be used is reported and never keeps another from being found; this room runs nothing.
 *
 * Read next: integration-folder.ts (what a folder holds), integration-tasks.ts (its async tasks), load-module.ts.
 */
import { guardedLogger } from '../component/guarded-logger.ts';
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import { stderrLogger } from '../component/stderr-logger.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { parseDuration, shown, type Duration } from '../tasks/duration.ts';
import { isFields, unknownField } from '../tasks/known-fields.ts';
import {
  findIntegrationFolders,
  type DiscoveryFailure,
  type IntegrationFolder,
  type Skipped,
} from './integration-folder.ts';
import { createdTasks } from './integration-tasks.ts';
import { loadTimeoutMs, messageOf } from './load-module.ts';
import { QueueOwners, queuesOf } from './queue-owners.ts';

/** An integration that was found. */
export interface IntegrationWorkflowInfo {
  /** The folder's name. */
  readonly integrationName: string;
  /** The folder, absolute. */
  readonly integrationPath: string;
  /** Absolute path of workflows/index.ts, .js or .mjs: official workflows. Absent where there are tasks alone. */
  readonly workflowsPath?: string;
  /** Absolute path of activities/index.ts, .js or .mjs, where there is one. */
  readonly activitiesPath?: string;
  /** Of its official workflows: `<name>-tasks`, unless the option `queueName` says otherwise. */
  readonly taskQueue: string;
  /** What its `createAsyncTasks()` gave; empty without. */
  readonly tasks: readonly AnyAsyncTask[];
}

export interface WorkflowCollectorOptions {
  /** Folders to leave out: names, `*` for any characters, `?` for one. By default `example_*`, `kafka.old`, `docs`. */
  readonly blacklist?: readonly string[];
  /** The queue of an integration's official workflows; `<name>-tasks` by default. */
  readonly queueName?: (integrationName: string) => string;
  /** True: `collectIntegrationWorkflows` throws the first failure. False by default: it is logged. */
  readonly strict?: boolean;
  /** How long an index may take to load, and its tasks to be created: ms or a string; 30 s by default. */
  readonly loadTimeout?: Duration;
  /** By default failures on standard error. Findings and skips are told at level info. */
  readonly logger?: Logger;
}

export interface WorkflowCollection {
  /** By name. */
  readonly integrations: readonly IntegrationWorkflowInfo[];
  readonly skipped: readonly Skipped[];
  readonly failures: readonly DiscoveryFailure[];
}

const defaultBlacklist: readonly string[] = ['example_*', 'kafka.old', 'docs'];
const optionFields: readonly string[] = [
  'blacklist',
  'queueName',
  'strict',
  'loadTimeout',
  'logger',
];
const queueBytesMax = 1000;

/** Finds the integrations of a folder. */
export class WorkflowCollector {
  readonly #blacklist: readonly string[];
  readonly #queueName: (integrationName: string) => string;
  readonly #strict: boolean;
  readonly #timeoutMs: number;
  readonly #logger: Logger;

  /** @throws EverstepError DISCOVERY_OPTIONS_INVALID, naming the option. */
  constructor(options: WorkflowCollectorOptions = {}) {
    if (!isFields(options))
      throw invalidOption(`the options are ${shown(options)}; expected an object`);
    const odd = unknownField(options, optionFields);
    if (odd !== undefined) throw invalidOption(odd);
    const { blacklist = defaultBlacklist, queueName, strict = false, loadTimeout } = options;
    if (
      !Array.isArray(blacklist) ||
      blacklist.some((name) => typeof name !== 'string' || name === '')
    ) {
      throw invalidOption(`blacklist is ${shown(blacklist)}; expected a list of names or patterns`);
    }
    if (queueName !== undefined && typeof queueName !== 'function') {
      throw invalidOption(
        `queueName is ${shown(queueName)}; expected a function of the integration's name`,
      );
    }
    if (typeof strict !== 'boolean')
      throw invalidOption(`strict is ${shown(strict)}; expected a boolean`);
    const timeout = parseDuration(loadTimeout ?? loadTimeoutMs, 1);
    if (timeout.problem !== undefined) throw invalidOption(`loadTimeout ${timeout.problem}`);
    this.#blacklist = blacklist;
    this.#queueName = queueName ?? ((name) => `${name}-tasks`);
    this.#strict = strict;
    this.#timeoutMs = timeout.ms;
    this.#logger = discoveryLogger(options.logger);
  }

  /**
   * What the folder holds, with its failures; nothing of it is thrown unless `strict`.
   *
   * @throws EverstepError INTEGRATION_DIRECTORY when the folder itself cannot be read; with `strict` the first failure.
   */
  async collect(directory: string | URL): Promise<WorkflowCollection> {
    const { folders, skipped, failures } = findIntegrationFolders(directory, this.#blacklist);
    const integrations: IntegrationWorkflowInfo[] = [];
    const passed = [...skipped];
    const failed = [...failures];
    const queues = new QueueOwners();
    for (const folder of folders) {
      const { name, path } = folder;
      try {
        const found = await this.#read(folder);
        if (typeof found === 'string') {
          passed.push({ name, path, reason: found });
          continue;
        }
        checkUnique(found, integrations);
        const official = isOfficial(found) ? found : undefined;
        queues.take(name, folder.indexPath ?? path, queuesOf({ ...found, official }));
        integrations.push(found);
      } catch (error) {
        if (!(error instanceof EverstepError)) throw error;
        failed.push({ name, path: folder.indexPath ?? path, error });
      }
    }
    const collection = { integrations, skipped: inOrder(passed), failures: inOrder(failed) };
    this.#tell(collection);
    const [first] = collection.failures;
    if (this.#strict && first !== undefined) throw first.error;
    return collection;
  }

  /**
   * What the folder holds by its looks: nothing of it is loaded, so that its code can be loaded elsewhere.
   *
   * @throws EverstepError as collect().
   */
  find(directory: string | URL): WorkflowCollection {
    const found = findIntegrationFolders(directory, this.#blacklist);
    const integrations: IntegrationWorkflowInfo[] = [];
    const failed = [...found.failures];
    for (const { name, path, workflowsPath, activitiesPath } of found.folders) {
      try {
        const integration = {
          integrationName: name,
          integrationPath: path,
          ...(workflowsPath !== undefined && { workflowsPath }),
          ...(activitiesPath !== undefined && { activitiesPath }),
          taskQueue: this.#queueOf(name),
          tasks: [],
        };
        checkUnique(integration, integrations);
        integrations.push(integration);
      } catch (error) {
        if (!(error instanceof EverstepError)) throw error;
        failed.push({ name, path, error });
      }
    }
    const collection = { ...found, integrations, failures: inOrder(failed) };
    this.#tell(collection);
    const [first] = collection.failures;
    if (this.#strict && first !== undefined) throw first.error;
    return collection;
  }

  /** The integration, or why it is none. */
  async #read(folder: IntegrationFolder): Promise<IntegrationWorkflowInfo | string> {
    const { name, path, workflowsPath, activitiesPath } = folder;
    const tasks = await createdTasks(folder, this.#timeoutMs);
    if (tasks === undefined && workflowsPath === undefined) {
      return 'its index provides no createAsyncTasks(), and it has no workflows';
    }
    return {
      integrationName: name,
      integrationPath: path,
      ...(workflowsPath !== undefined && { workflowsPath }),
      ...(activitiesPath !== undefined && { activitiesPath }),
      taskQueue: this.#queueOf(name),
      tasks: tasks ?? [],
    };
  }

  #queueOf(name: string): string {
    let queue: unknown;
    try {
      queue = this.#queueName(name);
    } catch (cause) {
      throw invalidOption(`queueName("${name}") threw: ${messageOf(cause)}`, cause);
    }
    if (typeof queue === 'string' && queue !== '' && Buffer.byteLength(queue) <= queueBytesMax) {
      return queue;
    }
    throw invalidOption(
      `queueName("${name}") returned ${shown(queue)}; expected a string of 1 to ${queueBytesMax} bytes`,
    );
  }

  #tell({ integrations, skipped, failures }: WorkflowCollection): void {
    for (const { integrationName, workflowsPath, taskQueue, tasks } of integrations) {
      this.#logger.info(`Integration ${integrationName} was found`, {
        ...(workflowsPath !== undefined && { workflows: workflowsPath, taskQueue }),
        tasks: tasks.map((task) => task.getName()),
      });
    }
    for (const { name, reason } of skipped) {
      this.#logger.info(`Folder ${name} was skipped: ${reason}`);
    }
    for (const { error } of failures) {
      this.#logger.error(`An integration was left out. ${error.message}`, { code: error.code });
    }
  }
}

/**
 * The integrations of a folder. What failed is logged and left out; with `strict` the first failure is thrown.
 *
 * @throws EverstepError DISCOVERY_OPTIONS_INVALID, INTEGRATION_DIRECTORY; with `strict` MODULE_LOAD_FAILED,
 * INTEGRATION_INVALID, DUPLICATE_NAME.
 */
export async function collectIntegrationWorkflows(
  directory: string | URL,
  options?: WorkflowCollectorOptions,
): Promise<readonly IntegrationWorkflowInfo[]> {
  return (await new WorkflowCollector(options).collect(directory)).integrations;
}

/** Where discovery tells what it finds; by default failures alone. */
export function discoveryLogger(logger: unknown): Logger {
  if (logger === undefined) return stderrLogger('warn');
  for (const method of ['debug', 'info', 'warn', 'error']) {
    if (typeof (logger as Record<string, unknown> | null)?.[method] !== 'function') {
      throw invalidOption(`logger has no method ${method}; expected debug, info, warn and error`);
    }
  }
  return guardedLogger(logger as Logger);
}

/**
 * Two workers on one queue take each other's work: a queue is of the official workflows of one integration, and no
 * task names it.
 */
function checkUnique(
  found: IntegrationWorkflowInfo,
  others: readonly IntegrationWorkflowInfo[],
): void {
  const repeated = (what: string, remedy: string): EverstepError =>
    new EverstepError(
      'DUPLICATE_NAME',
      `Integration "${found.integrationName}" (${found.integrationPath}): ${what}; ${remedy}.`,
    );
  for (const other of others) {
    if (isOfficial(found) && isOfficial(other) && other.taskQueue === found.taskQueue) {
      throw repeated(
        `its queue "${found.taskQueue}" is that of integration "${other.integrationName}"`,
        'let queueName give each a queue of its own',
      );
    }
    const names = new Set(other.tasks.map((task) => task.getName()));
    const task = found.tasks.find((one) => names.has(one.getName()));
    if (task !== undefined) {
      throw repeated(
        `integration "${other.integrationName}" has a task named "${task.getName()}" already`,
        'rename one of them',
      );
    }
  }
  for (const other of [found, ...others]) {
    const taken = taskOn(found, other) ?? taskOn(other, found);
    if (taken === undefined) continue;
    throw repeated(
      `task "${taken.getName()}" names the queue "${taken.taskQueue}", on which official workflows are run`,
      'give the task a queue of its own, or none',
    );
  }
}

function taskOn(
  { tasks }: IntegrationWorkflowInfo,
  official: IntegrationWorkflowInfo,
): AnyAsyncTask | undefined {
  if (!isOfficial(official)) return undefined;
  return tasks.find((task) => task.taskQueue === official.taskQueue);
}

function isOfficial(integration: IntegrationWorkflowInfo): boolean {
  return integration.workflowsPath !== undefined;
}

function inOrder<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function invalidOption(problem: string, cause?: unknown): EverstepError {
  return new EverstepError('DISCOVERY_OPTIONS_INVALID', `Discovery: ${problem}.`, { cause });
}
