/** The embedded engine on a memory store and the machine's clock, in this process. */
import { createEngine } from '../../../src/engine/engine.ts';
import { attributeTypes } from '../../../src/engine/search-attributes.ts';
import { inProcessConnection } from '../../../src/service/connection.ts';
import type { Logger } from '../../../src/service/logger.ts';
import { systemClock, systemRandom } from '../../../src/service/system-clock.ts';
import { MemoryData } from '../../../src/store/memory/memory-data.ts';
import { MemoryStore } from '../../../src/store/memory/memory-store.ts';
import type { Target } from './target.ts';

export async function embeddedTarget(): Promise<Target> {
  const store = new MemoryStore({ data: new MemoryData() });
  await store.open();
  const engine = createEngine({
    store,
    clock: systemClock,
    random: systemRandom,
    logger: complaints,
    hostId: 'conformance',
    pid: process.pid,
    isPidAlive: () => true,
    defaultNamespace: 'default',
    retentionMs: 86_400_000,
    acts: true,
    limits: { batchOperationsMax: 100 },
  });
  await engine.start();
  await engine.operator.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { CustomKeywordField: attributeTypes.Keyword },
  });
  return {
    name: 'everstep',
    connection: inProcessConnection(engine.service, systemClock),
    stop: async () => {
      await engine.stop();
      await store.close();
    },
  };
}

const ignore = (): void => undefined;
const complaints: Logger = {
  debug: ignore,
  info: ignore,
  warn: (message, fields) => console.warn('everstep warns:', message, fields),
  error: (message, fields) => console.error('everstep complains:', message, fields),
};
