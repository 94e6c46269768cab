/** A process that submits a task in a transaction on a SQLite file, tells so, and never commits. */
import { AsyncTask, AsyncTaskComponent } from '../../src/index.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';

const [path = '', taskId = ''] = process.argv.slice(2);
const task = new AsyncTask({ name: 'confirm', task: async ({ n }: { n: number }) => n });
const component = new AsyncTaskComponent({ store: `sqlite:${path}`, worker: false });
component.register(task);
await component.start();
const handle = (await loadDriver(path)).open(path);
handle.exec('BEGIN IMMEDIATE');
await task.submit({ n: 1 }, { taskId, tx: handle });
process.send?.('submitted');
