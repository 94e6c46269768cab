/** The doctor's questions, in their order; those that need what failed before are left out. */
import {
  resolveOptions,
  type Environment,
  type ResolvedOptions,
} from '../component/component-options.ts';
import { storeOf } from '../component/store-of.ts';
import { PostgresStore } from '../store/postgres/postgres-store.ts';
import { SqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Check } from './doctor-check.ts';
import { isDatabaseStore } from './database-store.ts';
import { postgresChecks } from './doctor-database.ts';
import { mysqlChecks } from './doctor-mysql.ts';
import { peerChecks } from './doctor-peers.ts';
import { storeChecks } from './doctor-store.ts';
import { waitingChecks } from './doctor-tasks.ts';
import { componentOptions, type HomeFlags } from './home-options.ts';
import { packageVersion } from './package-version.ts';
import { problemOf } from './problem.ts';
import { atHome } from './task-home.ts';
import type { Terminal } from './terminal.ts';

const nodeLeast = [20, 19] as const;

export async function* doctorChecks(flags: HomeFlags, terminal: Terminal): AsyncGenerator<Check> {
  yield nodeCheck(process.versions.node);
  yield* peerChecks(process.cwd());
  let resolved: ResolvedOptions;
  try {
    resolved = resolveOptions(componentOptions(flags), terminal.env);
  } catch (error) {
    yield {
      name: 'configuration',
      state: 'fail',
      message: problemOf(error).message,
      fix: 'correct the option or the variable that is named',
    };
    return;
  }
  yield configurationCheck(resolved, flags, terminal.env);
  if ('store' in resolved.home) {
    const store = storeOf(resolved.home.store);
    if (isDatabaseStore(store)) {
      const checks = await (store instanceof PostgresStore
        ? postgresChecks(store, () => terminal.now())
        : mysqlChecks(store, () => terminal.now()));
      yield* checks;
      // What is not made yet, or of an older form, would be changed by opening it.
      if (checks.every(({ state }) => state === 'ok')) yield* openChecks(flags, terminal);
      return;
    }
    if (!(store instanceof SqliteStore)) {
      yield {
        name: 'store',
        state: 'warn',
        message: `${store.kind}: tasks are gone with the process that has them, and no other process sees them`,
        fix: 'use sqlite:<path> where tasks are to last',
      };
      return;
    }
    let usable = true;
    for (const check of await storeChecks(store.path)) {
      usable &&= check.state !== 'fail';
      yield check;
    }
    const there = await storeIsThere(store.path);
    if (!usable || !there) return;
  }
  yield* openChecks(flags, terminal);
}

function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < nodeLeast[0] || (major === nodeLeast[0] && minor < nodeLeast[1]);
  const message = `Node ${version}, everstep ${packageVersion()}`;
  return old
    ? { name: 'node', state: 'fail', message, fix: `use Node ${nodeLeast.join('.')} or newer` }
    : { name: 'node', state: 'ok', message };
}

/** Names of variables only: some of their values are secrets. */
function configurationCheck(resolved: ResolvedOptions, flags: HomeFlags, env: Environment): Check {
  const { home, namespace, taskQueue } = resolved;
  const source = (given: unknown, variable: string): string =>
    given !== undefined ? 'by option' : env[variable] ? `by ${variable}` : 'by default';
  const where =
    'server' in home
      ? `the Temporal server at ${home.server.address} (${source(flags.address, 'TEMPORAL_ADDRESS')})`
      : `the store ${storeOf(home.store).description} (${source(flags.store, '')})`;
  const variables = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_') && env[name]);
  const set = variables.length === 0 ? 'none' : variables.sort().join(', ');
  return {
    name: 'configuration',
    state: 'ok',
    message: `${where}, namespace ${namespace} (${source(flags.namespace, 'TEMPORAL_NAMESPACE')}), task queue ${taskQueue} (${source(undefined, 'TEMPORAL_TASK_QUEUE')}); variables set: ${set}`,
  };
}

async function storeIsThere(path: string): Promise<boolean> {
  const { reportOnFile } = await import('../store/sqlite/file-report.ts');
  return (await reportOnFile(path).catch(() => undefined)) !== undefined;
}

async function* openChecks(flags: HomeFlags, terminal: Terminal): AsyncGenerator<Check> {
  const checks: Check[] = [];
  const began = performance.now();
  try {
    await atHome(flags, terminal, async ({ connection, description, namespace }) => {
      const ms = Math.round(performance.now() - began);
      const { serverVersion } = await connection.client.workflowService.getSystemInfo({});
      const version =
        flags.address === undefined && !terminal.env['TEMPORAL_ADDRESS']
          ? ''
          : `, version ${serverVersion}`;
      checks.push({
        name: 'reachable',
        state: 'ok',
        message: `${description}${version} answers (${ms} ms to get there); namespace ${namespace} is there`,
      });
      checks.push(...(await waitingChecks(connection, terminal.now())));
    });
  } catch (error) {
    const { message, code } = problemOf(error);
    checks.push({
      name: 'reachable',
      state: 'fail',
      message,
      fix: `see ${code} in docs/reference/errors.md`,
    });
  }
  yield* checks;
}
