/** Which domains this process runs: those that ENABLE_DOMAINS names. So one image serves many deployments. */
import { resolve } from 'node:path';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { parseDuration, shown, type Duration } from '../tasks/duration.ts';
import { isFields, unknownField } from '../tasks/known-fields.ts';
import { domainOf, nameOf, type DomainInfo } from './domain.ts';
import { moduleAt, type DiscoveryFailure } from './integration-folder.ts';
import { loadModule, loadTimeoutMs } from './load-module.ts';
import { QueueOwners, queuesOf } from './queue-owners.ts';
import { runnableOf } from './runnable.ts';
import { discoveryLogger } from './workflow-collector.ts';

export interface LoadDomainsOptions {
  /** Where paths begin; the working directory by default. */
  readonly cwd?: string;
  /** True: the first failure is thrown. False by default: it is logged, and the others are loaded. */
  readonly strict?: boolean;
  /** How long a module may take to load: ms or a string; 30 s by default. */
  readonly loadTimeout?: Duration;
  /** By default failures on standard error. */
  readonly logger?: Logger;
}

export interface DomainCollection {
  /** In the order in which they were named. */
  readonly domains: readonly DomainInfo[];
  readonly failures: readonly DiscoveryFailure[];
}

const optionFields: readonly string[] = ['cwd', 'strict', 'loadTimeout', 'logger'];

/**
 * The domains that `names` or the variable ENABLE_DOMAINS names: by path (`domains/hello`, a file, or a folder with an
 * index) or in dotted form (`app.domains.pizza`), separated by commas.
 *
 * @throws EverstepError DISCOVERY_OPTIONS_INVALID, also where no domain is named; with `strict` DOMAIN_NOT_FOUND,
 * DOMAIN_INVALID, MODULE_LOAD_FAILED, DUPLICATE_NAME.
 */
export async function loadDomains(
  names: string | readonly string[] | undefined = process.env['ENABLE_DOMAINS'],
  options: LoadDomainsOptions = {},
): Promise<DomainCollection> {
  const { cwd, strict, timeoutMs, logger } = checkedOptions(options);
  const domains: DomainInfo[] = [];
  const failures: DiscoveryFailure[] = [];
  const queues = new QueueOwners();
  for (const name of checkedNames(names)) {
    let path: string | undefined;
    try {
      path = moduleOf(name, cwd);
      if (domains.some((domain) => domain.path === path)) continue;
      const domain = domainOf(path, await loadModule(path, { timeoutMs }));
      checkUnique(domain, domains);
      queues.take(domain.name, path, [domain.taskQueue, ...queuesOf(runnableOf(domain))]);
      domains.push(domain);
      logger.info(`Domain ${domain.name} was loaded`, { path, taskQueue: domain.taskQueue });
    } catch (error) {
      if (!(error instanceof EverstepError) || strict) throw error;
      failures.push({
        name: path === undefined ? name : nameOf(path),
        path: path ?? resolve(cwd, name),
        error,
      });
      logger.error(`A domain was left out. ${error.message}`, { code: error.code });
    }
  }
  return { domains, failures };
}

/**
 * Where the domains are that `names` names: nothing of them is loaded, so that their code can be loaded elsewhere. Their
 * queue is in that code, and empty here.
 *
 * @throws EverstepError DISCOVERY_OPTIONS_INVALID.
 */
export function findDomains(
  names: string | readonly string[],
  cwd = process.cwd(),
): DomainCollection {
  const domains: DomainInfo[] = [];
  const failures: DiscoveryFailure[] = [];
  for (const name of checkedNames(names)) {
    try {
      const path = moduleOf(name, cwd);
      if (domains.some((domain) => domain.path === path)) continue;
      domains.push({ name: nameOf(path), path, taskQueue: '', activities: {}, tasks: [] });
    } catch (error) {
      if (!(error instanceof EverstepError)) throw error;
      failures.push({ name, path: resolve(cwd, name), error });
    }
  }
  return { domains, failures };
}

function checkedOptions(options: unknown): {
  cwd: string;
  strict: boolean;
  timeoutMs: number;
  logger: Logger;
} {
  if (!isFields(options))
    throw invalidOption(`the options are ${shown(options)}; expected an object`);
  const odd = unknownField(options, optionFields);
  if (odd !== undefined) throw invalidOption(odd);
  const {
    cwd = process.cwd(),
    strict = false,
    loadTimeout,
    logger,
  } = options as LoadDomainsOptions;
  if (typeof cwd !== 'string' || cwd === '') {
    throw invalidOption(`cwd is ${shown(cwd)}; expected the path of a folder`);
  }
  if (typeof strict !== 'boolean')
    throw invalidOption(`strict is ${shown(strict)}; expected a boolean`);
  const timeout = parseDuration(loadTimeout ?? loadTimeoutMs, 1);
  if (timeout.problem !== undefined) throw invalidOption(`loadTimeout ${timeout.problem}`);
  return { cwd: resolve(cwd), strict, timeoutMs: timeout.ms, logger: discoveryLogger(logger) };
}

function checkedNames(names: unknown): readonly string[] {
  const list: unknown = typeof names === 'string' ? names.split(',') : (names ?? []);
  if (!Array.isArray(list) || list.some((name) => typeof name !== 'string')) {
    throw invalidOption(
      `the domains are ${shown(names)}; expected their names as a string or a list`,
    );
  }
  const given = (list as readonly string[])
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (given.length > 0) return given;
  throw invalidOption(
    'no domain is named; set ENABLE_DOMAINS, such as ENABLE_DOMAINS=domains/hello,domains/pizza, or give their names',
  );
}

/** By path first: a folder's name may have a dot. */
function moduleOf(name: string, cwd: string): string {
  const paths = [resolve(cwd, name)];
  if (!/[\\/]/.test(name)) paths.push(resolve(cwd, ...name.split('.')));
  const missing = (cause?: unknown): EverstepError =>
    new EverstepError(
      'DOMAIN_NOT_FOUND',
      `There is no domain ${shown(name)}: looked for ${paths.join(' and ')}, as a .ts, .js or .mjs file or a folder with an index of that kind. Correct ENABLE_DOMAINS, or start in another working directory.`,
      { cause },
    );
  try {
    const file = paths.map(moduleAt).find((found) => found !== undefined);
    if (file !== undefined) return file;
  } catch (cause) {
    throw missing(cause);
  }
  throw missing();
}

function checkUnique(domain: DomainInfo, others: readonly DomainInfo[]): void {
  const repeated = (what: string): EverstepError =>
    new EverstepError(
      'DUPLICATE_NAME',
      `Domain ${domain.path}: ${what} already; each needs one of its own.`,
    );
  for (const other of others) {
    if (other.name === domain.name) throw repeated(`${other.path} has the name "${domain.name}"`);
    if (other.taskQueue === domain.taskQueue) {
      throw repeated(`${other.path} has the queue "${domain.taskQueue}"`);
    }
    const names = new Set(other.tasks.map((task) => task.getName()));
    const task = domain.tasks.find((one) => names.has(one.getName()));
    if (task !== undefined) throw repeated(`${other.path} has a task named "${task.getName()}"`);
  }
}

function invalidOption(problem: string): EverstepError {
  return new EverstepError('DISCOVERY_OPTIONS_INVALID', `loadDomains(): ${problem}.`);
}
