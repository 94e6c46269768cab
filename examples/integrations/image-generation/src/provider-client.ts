/** The worker's side of the image provider's HTTP interface. */
import { ApplicationFailure, retryAfterMs } from 'everstep';

/** Asks for a picture. The same key is the same job, so asking again is safe. @returns the job's id. */
export async function submitJob(
  providerUrl: string,
  prompt: string,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(new URL('/jobs', providerUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    body: JSON.stringify({ prompt }),
    signal,
  });
  if (!response.ok) throw await refusal(response);
  return ((await response.json()) as { id: string }).id;
}

/** Asks once whether the picture is there. */
export async function pollJob(
  providerUrl: string,
  jobId: string,
  signal: AbortSignal,
): Promise<{ done: false } | { done: true; value: string }> {
  const response = await fetch(new URL(`/jobs/${jobId}`, providerUrl), { signal });
  if (!response.ok) throw await refusal(response);
  const { path } = (await response.json()) as { path?: string };
  return path === undefined
    ? { done: false }
    : { done: true, value: new URL(path, providerUrl).href };
}

export async function download(url: string, signal: AbortSignal): Promise<Buffer> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw await refusal(response);
  return Buffer.from(await response.arrayBuffer());
}

/** 429 is tried again when the provider says, 500 as the policy says, and anything else never. */
async function refusal(response: Response): Promise<Error> {
  const message = `the provider answered ${response.status}: ${await response.text()}`;
  if (response.status >= 500) return new Error(message);
  if (response.status !== 429) return ApplicationFailure.nonRetryable(message);
  const nextRetryDelay = retryAfterMs(response.headers.get('retry-after'), Date.now());
  return ApplicationFailure.create({ message, ...(nextRetryDelay && { nextRetryDelay }) });
}
