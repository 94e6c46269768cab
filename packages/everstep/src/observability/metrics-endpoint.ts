/** Where Prometheus reads: `GET /metrics`, unencrypted and for everybody who reaches the address. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import type { Metrics } from './metrics.ts';

export class MetricsEndpoint {
  readonly #metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly #logger: Logger;
  readonly #server: Server;

  constructor(metrics: Pick<Metrics, 'text' | 'contentType'>, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#server = createServer((request, response) => {
      this.#answer(request, response);
    });
  }

  /**
   * Resolves with the port; 0 takes a free one.
   *
   * @throws EverstepError METRICS_ADDRESS when the address cannot be had.
   */
  async listen(host: string, port: number): Promise<number> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), resolve);
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `The metrics cannot be served at ${host}:${port}: ${reason}. Choose another port, or stop what listens there.`;
      throw new EverstepError('METRICS_ADDRESS', message, { cause });
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts off who is reading. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    if (url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end('There is only /metrics.\n');
      return;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    this.#metrics.text().then(
      (text) => {
        response.writeHead(200, { 'content-type': this.#metrics.contentType });
        response.end(method === 'HEAD' ? undefined : text);
      },
      (error: unknown) => {
        this.#logger.error('The metrics cannot be told', { error });
        response.writeHead(500).end();
      },
    );
  }
}
