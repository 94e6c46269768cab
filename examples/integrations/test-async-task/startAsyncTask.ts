/** Runs this integration's workers until Ctrl-C, on the file .everstep/everstep.db, or with TEMPORAL_ADDRESS on that server. */
import { fileURLToPath } from 'node:url';
import { collectIntegrationWorkflows, WorkerManager } from 'everstep';

const integrations = fileURLToPath(new URL('..', import.meta.url));
const found = await collectIntegrationWorkflows(integrations, {
  blacklist: ['video-*', 'image-*'],
  strict: true,
});
for (const { integrationName, taskQueue, tasks } of found) {
  const names = tasks.map((task) => task.getName()).join(', ');
  console.log(`${integrationName}: official workflows on ${taskQueue}, tasks ${names}`);
}
const manager = new WorkerManager();
await manager.create(found);
await manager.runUntilSignal();
