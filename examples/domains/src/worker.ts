/** A worker process. The same file, and the same image, for each domain: ENABLE_DOMAINS says which it runs. */
import { loadDomains, WorkerManager } from 'everstep';
import { serveHealth } from './health.ts';

const { STORE_URL } = process.env;
const { domains } = await loadDomains(process.env['ENABLE_DOMAINS'], { strict: true });
// With TEMPORAL_ADDRESS set, and no STORE_URL, the same on a Temporal server.
const manager = new WorkerManager(STORE_URL === undefined ? {} : { store: STORE_URL });
await manager.create(domains);
const health = serveHealth({
  live: () =>
    manager.failure === undefined && manager.status().every(({ state }) => state !== 'failed'),
  ready: () => manager.status().every(({ state }) => state === 'running'),
});
await manager.runUntilSignal();
health?.close();
health?.closeAllConnections();
