/** The calls of the video provider, over HTTP. Its address is in VIDEO_PROVIDER_URL. */

export interface VideoJob {
  readonly id: string;
  readonly state: 'rendering' | 'done' | 'stopped';
  /** Of the video's seconds, those that are rendered. */
  readonly seconds: number;
  readonly url?: string;
}

export interface VideoRequest {
  readonly prompt: string;
  readonly seconds: number;
}

/** The same key is the same job, however often it is submitted. */
export function submitJob(request: VideoRequest, idempotencyKey: string): Promise<VideoJob> {
  return call('POST', 'jobs', { 'idempotency-key': idempotencyKey }, request);
}

export function readJob(id: string): Promise<VideoJob> {
  return call('GET', `jobs/${id}`);
}

/** Renders faster from now on. */
export function hurryJob(id: string): Promise<VideoJob> {
  return call('POST', `jobs/${id}/hurry`);
}

/** Ends it with what is rendered. */
export function stopJob(id: string): Promise<VideoJob> {
  return call('POST', `jobs/${id}/stop`);
}

async function call(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<VideoJob> {
  const base = process.env['VIDEO_PROVIDER_URL'];
  if (base === undefined) throw new TypeError('VIDEO_PROVIDER_URL is not set');
  const response = await fetch(new URL(path, base), {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok)
    throw new Error(`the provider answered ${response.status} to ${method} ${path}`);
  return (await response.json()) as VideoJob;
}
