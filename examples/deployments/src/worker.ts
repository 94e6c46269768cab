/** A worker process. `SIGTERM` drains it: it takes no more work, and ends when its steps have. */
import { appendFileSync } from 'node:fs';
import { AsyncTaskComponent } from 'everstep';
import { homeOf } from './home.ts';
import { drainMs } from './settings.ts';
import { pictureTask } from './picture-task.ts';

const [home = '', name = '', ledger = ''] = process.argv.slice(2);
const component = new AsyncTaskComponent({ ...homeOf(home), concurrency: 10 });
component.register(pictureTask(name, (run) => appendFileSync(ledger, `${JSON.stringify(run)}\n`)));
await component.start();
process.once('SIGTERM', () => {
  void component.stop({ gracePeriod: drainMs }).then(() => process.disconnect());
});
process.send?.('ready');
