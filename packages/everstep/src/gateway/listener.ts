/**
 * The address that a gateway listens on, apart from the gateway: so that a process can listen before it has loaded
 * what serves. Connections that come meanwhile wait, where they would have been refused.
 */
import { lookup } from 'node:dns/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { EverstepError } from '../service/error-codes.ts';

/** Of addresses that a host name has and this machine has not. */
const notOfThisMachine: ReadonlySet<string | undefined> = new Set([
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
]);

export class Listener {
  readonly #host: string;
  readonly #port: number;
  readonly #servers: Server[] = [];
  readonly #waiting = new Set<Socket>();
  #serve: ((connection: Socket) => void) | undefined;
  #listening: Promise<number> | undefined;

  /** Such as 127.0.0.1, [::1] or localhost; port 0 takes a free one. */
  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /**
   * Resolves with the port, the same whenever it is asked.
   *
   * @throws EverstepError GATEWAY_ADDRESS when the address cannot be had.
   */
  listen(): Promise<number> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  /** Hands over those that wait, and from now on each as it comes. */
  serve(take: (connection: Socket) => void): void {
    this.#serve = take;
    for (const connection of this.#waiting) {
      if (!connection.destroyed) take(connection);
    }
    this.#waiting.clear();
  }

  /** Takes no more connections, and ends those that still wait. */
  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
    for (const connection of this.#waiting) connection.destroy();
  }

  async #listen(): Promise<number> {
    try {
      // A name may have several addresses: clients may try any of them.
      const addresses = await lookup(this.#host.replace(/^\[(.*)\]$/, '$1'), { all: true });
      let port = this.#port;
      let missing: unknown;
      for (const { address } of addresses) {
        try {
          port = await this.#listenAt(address, port);
        } catch (error) {
          if (!notOfThisMachine.has((error as NodeJS.ErrnoException).code)) throw error;
          missing = error;
        }
      }
      if (this.#servers.length === 0) throw missing;
      return port;
    } catch (cause) {
      this.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `The gateway cannot listen on ${this.#host}:${this.#port}: ${reason}. Choose another port, or stop what listens there.`;
      throw new EverstepError('GATEWAY_ADDRESS', message, { cause });
    }
  }

  #listenAt(address: string, port: number): Promise<number> {
    const server = createServer((connection) => this.#accept(connection));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, () => {
        server.off('error', reject);
        this.#servers.push(server);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  #accept(connection: Socket): void {
    if (this.#serve) {
      this.#serve(connection);
      return;
    }
    this.#waiting.add(connection);
    connection.on('error', ignored);
    connection.once('close', () => this.#waiting.delete(connection));
  }
}

/** Whoever waited has gone: nobody is left to be told. */
function ignored(): void {}
