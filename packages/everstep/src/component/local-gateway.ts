/** The gateway of a process for its own official workers: on a free port of the loopback, opened when first asked for. */
import type { Engine } from '../engine/engine.ts';
import { Gateway } from '../gateway/gateway.ts';
import { Listener } from '../gateway/listener.ts';
import type { Logger } from '../service/logger.ts';
import { Once } from '../service/once.ts';

const host = '127.0.0.1';
/** For calls that write; those that wait are answered at once when the engine stops. */
const graceMs = 2_000;

export class LocalGateway {
  readonly #engine: Engine;
  readonly #logger: Logger;
  #gateway: Gateway | undefined;
  readonly #address = new Once(() => this.#open());

  constructor(engine: Engine, logger: Logger) {
    this.#engine = engine;
    this.#logger = logger;
  }

  /** @throws EverstepError GATEWAY_ADDRESS when no port is to be had. */
  address(): Promise<string> {
    return this.#address.get();
  }

  async stop(): Promise<void> {
    await this.#address.begun();
    await this.#gateway?.stop(graceMs);
  }

  async #open(): Promise<string> {
    const { service, operator } = this.#engine;
    const listener = new Listener(host, 0);
    this.#gateway = new Gateway({ service, operator, logger: this.#logger, listener });
    return `${host}:${await this.#gateway.start()}`;
  }
}
