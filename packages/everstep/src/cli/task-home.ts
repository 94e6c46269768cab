/**
 * The way to tasks: an engine on the store, beside whatever application uses it, or a connection to a server.
 * No worker is started, and a store that is not there is not made, unless that is asked for.
 */
import { EmbeddedBackend } from '../component/embedded-backend.ts';
import { resolveOptions, type ResolvedOptions } from '../component/component-options.ts';
import { ServerBackend } from '../component/server-backend.ts';
import { stderrLogger } from '../component/stderr-logger.ts';
import { storeOf } from '../component/store-of.ts';
import { EverstepError } from '../service/error-codes.ts';
import { keepProcessAlive, systemClock, systemRandom } from '../service/system-clock.ts';
import { reportOnFile } from '../store/sqlite/file-report.ts';
import { SqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { AsyncTask, type TaskConnection } from '../tasks/async-task.ts';
import { isDatabaseStore } from './database-store.ts';
import { exitCodes } from './problem.ts';
import { loadedOptions, type HomeFlags } from './home-options.ts';
import type { Terminal } from './terminal.ts';

export interface TaskHome {
  /** For people: `the embedded engine, SQLite file …`. */
  readonly description: string;
  readonly namespace: string;
  readonly connection: TaskConnection;
  /** Reads and steers any task, whatever its name. */
  readonly tasks: AsyncTask;
}

export interface HomeNeeds {
  /** Makes the store and the namespace where they are not there. */
  readonly create?: boolean;
}

/**
 * Does `work` there, and lets go of it. Told to stop, it waits no longer for `work`: the exit code says so.
 *
 * @throws EverstepError STORE_NOT_FOUND, NAMESPACE_NOT_FOUND, COMPONENT_OPTIONS_INVALID, SERVER_UNREACHABLE,
 * SERVER_REFUSED; StoreError.
 */
export async function atHome(
  flags: HomeFlags,
  terminal: Terminal,
  work: (home: TaskHome) => Promise<void>,
  needs: HomeNeeds = {},
): Promise<void> {
  const resolved = resolveOptions(await loadedOptions(flags), terminal.env);
  const { namespace, taskQueue, dataConverter } = resolved;
  const backend = await backendOf(resolved, needs.create === true);
  const attached = await backend.start({
    namespace,
    searchAttributes: {},
    dataConverter,
    logger: stderrLogger('error', (line) => terminal.err.write(line)),
    work: undefined,
  });
  const connection = {
    client: attached.client,
    taskQueue,
    clock: systemClock,
    random: systemRandom,
  };
  const tasks = anyTask('any', connection);
  try {
    await untilStopped(
      terminal,
      work({ description: backend.description, namespace, connection, tasks }),
    );
  } finally {
    await attached.stop(0, () => undefined);
  }
}

/** A handle on tasks of that name, which this process does not run. */
export function anyTask(name: string, connection: TaskConnection): AsyncTask {
  const task = new AsyncTask({ name, task: () => Promise.resolve(undefined) });
  task.connect(connection);
  return task;
}

async function backendOf(
  { home, namespace }: ResolvedOptions,
  create: boolean,
): Promise<EmbeddedBackend | ServerBackend> {
  if ('server' in home) return new ServerBackend(home.server);
  const store = storeOf(home.store);
  const namespaces = await namespacesIn(store);
  if (!create && namespaces === undefined) throw storeNotFound(store);
  if (!create && namespaces?.includes(namespace) === false) {
    throw new EverstepError(
      'NAMESPACE_NOT_FOUND',
      `The ${store.description} has no namespace "${namespace}"; it has ${namespaces.join(', ') || 'none'}. Give one of them with --namespace or TEMPORAL_NAMESPACE.`,
    );
  }
  return new EmbeddedBackend(store);
}

/** Undefined: there is no store yet. */
async function namespacesIn(store: Store): Promise<readonly string[] | undefined> {
  if (store instanceof SqliteStore) return (await reportOnFile(store.path))?.namespaces;
  if (isDatabaseStore(store)) return store.namespacesThere();
  throw new EverstepError(
    'COMPONENT_OPTIONS_INVALID',
    `--store is '${store.kind}', which no other process can see; give the store of the application, as sqlite:<path>, postgres://… or mysql://….`,
  );
}

function storeNotFound(store: Store): EverstepError {
  const message =
    store instanceof SqliteStore
      ? `There is no store at ${store.path}. Run the command in the folder of the application, or name its file with --store sqlite:<path>; a component makes the file when it starts.`
      : `There are no tables of Everstep in the ${store.description}. Name the database of the application, with its schema (--store 'postgres://…?schema=…') or its prefix (--store 'mysql://…?prefix=…'); a component makes the tables when it starts, and so does everstep migrate.`;
  return new EverstepError('STORE_NOT_FOUND', message);
}

/**
 * What `work` is waiting for is given up when its engine stops. Nothing of an engine holds the process, so this does:
 * Node would end it, in silence, in the middle of a wait.
 */
async function untilStopped(terminal: Terminal, work: Promise<void>): Promise<void> {
  const { stop } = terminal;
  let stopped: () => void = () => undefined;
  const toldToStop = new Promise<'stopped'>((resolve) => {
    stopped = () => resolve('stopped');
    if (stop.aborted) stopped();
    stop.addEventListener('abort', stopped, { once: true });
  });
  const letGo = keepProcessAlive();
  try {
    if ((await Promise.race([work, toldToStop])) !== 'stopped') return;
    work.catch(() => undefined);
    terminal.exitCode = exitCodes.interrupted;
  } finally {
    letGo();
    stop.removeEventListener('abort', stopped);
  }
}
