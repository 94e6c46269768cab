/** The provider that this example asks: a server of this machine. A job has one second more each time it is read. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { VideoJob, VideoRequest } from '../provider-client.ts';

interface Job extends VideoRequest {
  readonly id: string;
  readonly key: string;
  state: VideoJob['state'];
  rendered: number;
  perRead: number;
  reads: number;
  submits: number;
}

export interface Provider {
  readonly url: string;
  readonly jobs: readonly Readonly<Job>[];
  close(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const jobs: Job[] = [];
  const server = createServer((request, response) => {
    answer(jobs, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    jobs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(
  jobs: Job[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, , id, verb] = (request.url ?? '').split('/');
  const job =
    id === undefined
      ? submitted(jobs, String(request.headers['idempotency-key']), await text(request))
      : jobs.find((one) => one.id === id);
  if (job === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (verb === 'hurry') job.perRead = job.seconds;
  if (verb === 'stop' && job.state === 'rendering') job.state = 'stopped';
  if (request.method === 'GET') read(job);
  const { state, rendered: seconds } = job;
  const url = state === 'rendering' ? {} : { url: `/videos/${job.id}.mp4` };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ id: job.id, state, seconds, ...url } satisfies VideoJob));
}

function submitted(jobs: Job[], key: string, body: string): Job {
  let job = jobs.find((one) => one.key === key);
  if (job === undefined) {
    const id = `job-${jobs.length + 1}`;
    const { prompt, seconds } = JSON.parse(body) as VideoRequest;
    job = {
      prompt,
      seconds,
      id,
      key,
      state: 'rendering',
      rendered: 0,
      perRead: 1,
      reads: 0,
      submits: 0,
    };
    jobs.push(job);
  }
  job.submits += 1;
  return job;
}

function read(job: Job): void {
  job.reads += 1;
  if (job.state !== 'rendering') return;
  job.rendered = Math.min(job.seconds, job.rendered + job.perRead);
  if (job.rendered === job.seconds) job.state = 'done';
}
