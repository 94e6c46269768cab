/** The worker's side of the provider's HTTP interface. */
import { ApplicationFailure, retryAfterMs } from 'everstep';
import { providerUrl } from './settings.ts';

/** Asks for a job. The same idempotency key is the same job, so asking again is safe. @returns its id. */
export async function submitJob(
  picture: Buffer,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(`${providerUrl()}/jobs`, {
    method: 'POST',
    headers: { 'idempotency-key': idempotencyKey },
    body: new Uint8Array(picture),
    signal,
  });
  if (!response.ok) throw refusal(response);
  return ((await response.json()) as { id: string }).id;
}

/** Asks once whether the job is done, and where its picture is. */
export async function pollJob(
  jobId: string,
  signal: AbortSignal,
): Promise<{ done: false } | { done: true; value: { resultUrl: string } }> {
  const response = await fetch(`${providerUrl()}/jobs/${jobId}`, { signal });
  if (!response.ok) throw refusal(response);
  const { status, resultPath } = (await response.json()) as { status: string; resultPath?: string };
  if (status === 'failed') throw ApplicationFailure.nonRetryable(`Job ${jobId} failed`);
  if (resultPath === undefined) return { done: false };
  return { done: true, value: { resultUrl: providerUrl() + resultPath } };
}

/** 429 is tried again when the provider says, 500 as the policy says, and anything else never. */
function refusal(response: Response): Error {
  const message = `The provider answered ${response.status}`;
  if (response.status >= 500) return new Error(message);
  if (response.status !== 429) return ApplicationFailure.nonRetryable(message);
  const asked = retryAfterMs(response.headers.get('retry-after'), Date.now());
  return ApplicationFailure.create({ message, nextRetryDelay: asked ?? 1000 });
}
