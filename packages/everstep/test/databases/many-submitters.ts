/** A process that submits the same ids as others do, in an order of its own, and tells which it got. */
import { AsyncTask, AsyncTaskComponent } from '../../src/index.ts';

const [store = '', count = '0', seed = '1'] = process.argv.slice(2);
const task = new AsyncTask({ name: 'once', task: async ({ n }: { n: number }) => n });
const component = new AsyncTaskComponent({ store, worker: false });
component.register(task);
await component.start();
process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));

// A walk through all ids by a step of its own, prime to their number.
const step = [1, 3, 7, 9, 11, 13, 17, 19, 21, 23][Number(seed) % 10] as number;
const ids = Array.from(
  { length: Number(count) },
  (_, n) => (n * step + Number(seed) * 101) % Number(count),
);
const runs = await Promise.all(
  ids.map(async (n) => {
    await task.submit({ n }, { taskId: `same-${n}` });
    const handle = component.getClient().workflow.getHandle(`same-${n}`);
    return [n, (await handle.describe()).runId] as const;
  }),
);
process.send?.(runs);
await component.stop();
process.disconnect?.();
