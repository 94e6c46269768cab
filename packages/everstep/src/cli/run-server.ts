/** Runs a server until the process is told to stop. */
import type { EverstepServerOptions } from '../component/everstep-server.ts';
import { Listener } from '../gateway/listener.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Logger } from '../service/logger.ts';
import type { Address } from './option-values.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

export async function runServer(
  options: Omit<EverstepServerOptions, 'metrics' | 'listener'>,
  metricsAddress: Address | undefined,
): Promise<void> {
  const listener = new Listener(options.host, options.port);
  const port = await listener.listen();
  let stopMetrics: (() => void) | undefined;
  try {
    const metrics = metricsAddress && (await startMetrics(metricsAddress, options.logger));
    stopMetrics = metrics?.stop;
    await serve({ ...options, listener, ...(metrics && { metrics: metrics.of }) }, port, metrics);
  } finally {
    stopMetrics?.();
    listener.close();
  }
}

interface Measured {
  readonly of: Metrics;
  readonly url: string;
  readonly stop: () => void;
}

async function startMetrics({ host, port }: Address, logger: Logger): Promise<Measured> {
  const { Metrics } = await import('../observability/metrics.ts');
  const { MetricsEndpoint } = await import('../observability/metrics-endpoint.ts');
  const metrics = new Metrics();
  const endpoint = new MetricsEndpoint(metrics, logger);
  const url = `http://${host}:${await endpoint.listen(host, port)}/metrics`;
  return { of: metrics, url, stop: () => endpoint.close() };
}

async function serve(
  options: EverstepServerOptions,
  port: number,
  metrics: Measured | undefined,
): Promise<void> {
  // Nearly all of a start is the loading of these. On a busy machine, clients that try for some seconds only would give
  // up before it is done: as the address is listened on by now, they are let in and wait.
  const { setLogger } = await import('@grpc/grpc-js');
  const { EverstepServer } = await import('../component/everstep-server.ts');
  // What the transport says is of single callers, who must not be able to fill the log.
  const toDebug = (...said: readonly unknown[]): void => options.logger.debug(said.join(' '));
  setLogger({ error: toDebug, info: toDebug, debug: toDebug });
  const server = new EverstepServer(options);
  const told = new Promise<void>((resolve) => {
    // A second one ends the process at once, as it would without us.
    for (const signal of signals) process.once(signal, () => resolve());
  });
  await server.start();
  process.stdout.write(
    `Everstep server: ${options.host}:${port} (${server.storeDescription}; namespaces ${options.namespaces.join(', ')})\n`,
  );
  if (metrics) process.stdout.write(`Metrics: ${metrics.url}\n`);
  await told;
  await server.stop();
}
