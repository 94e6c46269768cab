/** A web process: `POST /<name>` submits, `GET /<id>` reads. It runs no step. */
import type { AddressInfo } from 'node:net';
import { AsyncTaskComponent } from 'everstep';
import { pictureTask } from './picture-task.ts';
import { webServer } from './web-server.ts';

const [store = '', name = ''] = process.argv.slice(2);
const component = new AsyncTaskComponent({ store, worker: false });
const picture = pictureTask(name, () => undefined);
component.register(picture);
await component.start();
const server = webServer(picture);
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => {
  server.close(() => void component.stop().then(() => process.disconnect()));
  server.closeIdleConnections();
});
