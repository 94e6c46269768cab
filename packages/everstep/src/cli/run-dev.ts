/** The embedded server, the worker's process, and the watch over the files, until the terminal says stop. */
import { once } from 'node:events';
import { resolveOptions } from '../component/component-options.ts';
import { EverstepServer } from '../component/everstep-server.ts';
import { stderrLogger } from '../component/stderr-logger.ts';
import { componentOptions } from './home-options.ts';
import { SourceWatch, watchedFolders } from './source-watch.ts';
import { paint, type Terminal } from './terminal.ts';
import { graceMs, type DevFlags } from './worker-options.ts';
import { WorkerProcess } from './worker-process.ts';

const host = '127.0.0.1';
const retentionMs = 30 * 86_400_000;

/** @throws RangeError for a --grace that is none; what the server's start throws: STORE_…, GATEWAY_ADDRESS. */
export async function runDev(
  paths: readonly string[],
  flags: DevFlags,
  terminal: Terminal,
): Promise<void> {
  const { stop } = terminal;
  const { home, namespace } = resolveOptions(componentOptions(flags), terminal.env);
  const note = (text: string): void =>
    terminal.out.write(`${paint(terminal, terminal.out, 'cyan', 'dev')}  ${text}\n`);
  const grace = graceMs(flags);
  const folders = watchedFolders([...paths, ...(flags.watch ?? [])]);
  let server: EverstepServer | undefined;
  if ('store' in home && flags.server) {
    server = new EverstepServer({
      store: home.store,
      host,
      port: flags.port,
      namespaces: [namespace],
      retentionMs,
      logger: stderrLogger('warn', (line) => terminal.err.write(line)),
    });
    const port = await server.start();
    note(`server on ${host}:${port}, ${server.storeDescription}, namespace ${namespace}`);
  }
  const worker = new WorkerProcess(workerArguments(paths, flags), grace, terminal, note);
  let watch: SourceWatch | undefined;
  try {
    watch = new SourceWatch(folders, {
      onChange: (file) => {
        note(`${file} has changed; the worker begins anew`);
        worker.restart();
      },
      onError: (error) => note(`some changes will not be seen: ${error.message}`),
    });
    note(`watching ${watch.folders.join(', ')}`);
    worker.restart();
    if (!stop.aborted) await once(stop, 'abort');
  } finally {
    watch?.close();
    await worker.stop();
    await server?.stop();
  }
}

/** The command line of the worker, with what this one was given. */
function workerArguments(paths: readonly string[], flags: DevFlags): string[] {
  const values: Readonly<Record<string, string | undefined>> = {
    '--store': flags.store,
    '--address': flags.address,
    '--namespace': flags.namespace,
    '--api-key': flags.apiKey,
    '--tls-cert': flags.tlsCert,
    '--tls-key': flags.tlsKey,
    '--tls-ca': flags.tlsCa,
    '--tls-server-name': flags.tlsServerName,
    '--data-converter': flags.dataConverter,
    '--task-queue': flags.taskQueue,
    '--concurrency': flags.concurrency?.toString(),
    '--isolation': flags.isolation,
    '--grace': flags.grace,
  };
  return [
    'worker',
    ...Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    ),
    ...(flags.tls ? ['--tls'] : []),
    ...(flags.strict ? ['--strict'] : []),
    '--',
    ...paths,
  ];
}
