/** A web process: it orders and asks, and runs nothing itself. */
import { AsyncTaskComponent } from 'everstep';
import { pizzaWorkflow } from '../domains/pizza/workflow.ts';
import { serveHealth } from './health.ts';
import { webServer } from './web-server.ts';

const { STORE_URL, PORT = '3000', HOST = '127.0.0.1' } = process.env;
const component = new AsyncTaskComponent({
  ...(STORE_URL !== undefined && { store: STORE_URL }),
  worker: false,
});
component.register(pizzaWorkflow);
await component.start();
const server = webServer(component).listen(Number(PORT), HOST);
const isUp = (): boolean => component.isStarted();
const health = serveHealth({ live: isUp, ready: isUp });

process.once('SIGTERM', () => {
  health?.close();
  server.close(() => void component.stop());
  server.closeIdleConnections();
});
