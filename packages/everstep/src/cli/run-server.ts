/** Runs a server until the process is told to stop. */
import { EverstepServer, type EverstepServerOptions } from '../component/everstep-server.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

export async function runServer(options: EverstepServerOptions): Promise<void> {
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
