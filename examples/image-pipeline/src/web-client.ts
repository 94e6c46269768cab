/** The demo as a user of the web process: it submits pictures, asks for statuses, and fetches results. */

/** What the web process tells of a task. */
export interface Status {
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  readonly currentStep?: string;
  readonly completedSteps?: readonly string[];
  readonly error?: string;
}

export interface Submission {
  readonly kind: 'process' | 'probe';
  /** The name of a picture in `images/`. */
  readonly source: string;
}

export async function submitImage(webUrl: string, submission: Submission): Promise<string> {
  const response = await fetch(`${webUrl}/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(submission),
  });
  const { id } = (await answer(response)) as { id: string };
  return id;
}

export async function imageStatus(webUrl: string, id: string): Promise<Status> {
  return (await answer(await fetch(`${webUrl}/images/${id}`))) as Status;
}

export async function imageResult(webUrl: string, id: string): Promise<unknown> {
  return answer(await fetch(`${webUrl}/images/${id}/result`));
}

async function answer(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
