/** A web process: `POST /<name>` submits, `GET /<id>` reads. It runs no step, unless it is told that it is all there is. */
import { appendFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { AsyncTaskComponent } from 'everstep';
import { homeOf } from './home.ts';
import { pictureTask } from './picture-task.ts';
import { drainMs } from './settings.ts';
import { webServer } from './web-server.ts';

const [home = '', name = '', ledger = '', role = ''] = process.argv.slice(2);
const component = new AsyncTaskComponent({ ...homeOf(home), worker: role === 'all' });
const picture = pictureTask(name, (run) => appendFileSync(ledger, `${JSON.stringify(run)}\n`));
component.register(picture);
await component.start();
const server = webServer(picture);
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => {
  server.close(
    () => void component.stop({ gracePeriod: drainMs }).then(() => process.disconnect()),
  );
  server.closeIdleConnections();
});
