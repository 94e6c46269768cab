/** The integration's object: the same as an async task, where no signals are needed. */
import { AsyncTask, remoteJob, type AsyncTaskProvider } from 'everstep';
import { readJob, submitJob, type VideoRequest } from './provider-client.ts';

export const videoTask = new AsyncTask({
  name: 'generate-video',
  task: async function* (request: VideoRequest) {
    return yield* remoteJob({
      key: 'render',
      submit: async ({ idempotencyKey }) => (await submitJob(request, idempotencyKey)).id,
      poll: async (id) => {
        const job = await readJob(id);
        return job.state === 'rendering' ? { done: false } : { done: true, value: job };
      },
      every: '20ms',
      timeout: '1 hour',
    });
  },
});

const integration: AsyncTaskProvider = { createAsyncTasks: () => [videoTask] };
export default integration;
