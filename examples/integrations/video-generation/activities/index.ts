/** What the workflow asks of the provider. */
import {
  hurryJob,
  readJob,
  stopJob,
  submitJob,
  type VideoJob,
  type VideoRequest,
} from '../provider-client.ts';

export async function startVideoJob(
  request: VideoRequest & { readonly key: string },
): Promise<string> {
  const { key, prompt, seconds } = request;
  return (await submitJob({ prompt, seconds }, key)).id;
}

export async function pollVideoJob(id: string): Promise<VideoJob> {
  return readJob(id);
}

export async function hurryVideoJob(id: string): Promise<void> {
  await hurryJob(id);
}

export async function stopVideoJob(id: string): Promise<VideoJob> {
  return stopJob(id);
}
