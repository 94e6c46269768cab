/** Runs a server until the process is told to stop. */
import { setLogger } from '@grpc/grpc-js';
import { EverstepServer, type EverstepServerOptions } from '../component/everstep-server.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

export async function runServer(options: EverstepServerOptions): Promise<void> {
  // What the transport says is of single callers, who must not be able to fill the log.
  const toDebug = (...said: readonly unknown[]): void => options.logger.debug(said.join(' '));
  setLogger({ error: toDebug, info: toDebug, debug: toDebug });
  const server = new EverstepServer(options);
  const told = new Promise<void>((resolve) => {
    // A second one ends the process at once, as it would without us.
    for (const signal of signals) process.once(signal, () => resolve());
  });
  const port = await server.start();
  process.stdout.write(
    `Everstep server: ${options.host}:${port} (${server.storeDescription}; namespaces ${options.namespaces.join(', ')})\n`,
  );
  await told;
  await server.stop();
}
