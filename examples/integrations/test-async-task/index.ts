/** The integration's object: its async tasks. */
import { AsyncTask, step, type AsyncTaskProvider } from 'everstep';

export const testAsyncTask = new AsyncTask({
  name: 'test-async-task',
  task: async function* ({ data }: { data: string }) {
    const upper = yield* step('upper', () => data.toUpperCase());
    return yield* step('twice', () => `${upper} ${upper}`);
  },
});

const integration: AsyncTaskProvider = { createAsyncTasks: () => [testAsyncTask] };
export default integration;
