/**
 * The process that runs the tasks without a queue of several integrations on a server. Code that ends it while it is
 * loaded, or never lets it go on, is left out from then on: the tasks of the others run.
 */
import type { Logger } from '../service/logger.ts';
import type { HeldWorker } from './held-worker.ts';
import { launchProcess, type IntegrationProcessOptions } from './integration-process.ts';

export class SharedProcess {
  readonly #logger: Logger;
  readonly #leftOut = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @throws what launchProcess rejects with, once nothing is left that could be the cause. */
  async launch(options: IntegrationProcessOptions): Promise<HeldWorker> {
    const { setup, name } = options;
    for (;;) {
      let loading: string | undefined;
      const sources = setup.sources.filter((source) => !this.#leftOut.has(source.name));
      try {
        return await launchProcess({
          ...options,
          setup: { ...setup, sources },
          onLoading: (source) => {
            loading = source;
          },
        });
      } catch (error) {
        if (loading === undefined) throw error;
        this.#leftOut.add(loading);
        this.#logger.error(
          `The process of "${name}" ended while it loaded "${loading}", whose tasks without a queue of their own do not run now. Correct its code, and start("${loading}") loads it again.`,
          { integration: loading },
        );
      }
    }
  }

  /** Of an integration that is started anew. Whether the process lacks it. */
  admit(name: string): boolean {
    return this.#leftOut.delete(name);
  }
}
