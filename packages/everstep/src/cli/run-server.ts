/** Runs a server until the process is told to stop. */
import type { EverstepServerOptions } from '../component/everstep-server.ts';
import { Listener } from '../gateway/listener.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

export async function runServer(options: EverstepServerOptions): Promise<void> {
  const listener = new Listener(options.host, options.port);
  const port = await listener.listen();
  try {
    await serve(options, listener, port);
  } finally {
    listener.close();
  }
}

async function serve(
  options: EverstepServerOptions,
  listener: Listener,
  port: number,
): Promise<void> {
  // Nearly all of a start is the loading of these. On a busy machine, clients that try for some seconds only would give
  // up before it is done: as the address is listened on by now, they are let in and wait.
  const { setLogger } = await import('@grpc/grpc-js');
  const { EverstepServer } = await import('../component/everstep-server.ts');
  // What the transport says is of single callers, who must not be able to fill the log.
  const toDebug = (...said: readonly unknown[]): void => options.logger.debug(said.join(' '));
  setLogger({ error: toDebug, info: toDebug, debug: toDebug });
  const server = new EverstepServer({ ...options, listener });
  const told = new Promise<void>((resolve) => {
    // A second one ends the process at once, as it would without us.
    for (const signal of signals) process.once(signal, () => resolve());
  });
  await server.start();
  process.stdout.write(
    `Everstep server: ${options.host}:${port} (${server.storeDescription}; namespaces ${options.namespaces.join(', ')})\n`,
  );
  await told;
  await server.stop();
}
