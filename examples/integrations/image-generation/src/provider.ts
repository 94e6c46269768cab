/**
 * The provider that this example asks: a server of this machine. A picture takes its time; now and then there is enough
 * to do, which is 429 with Retry-After; and some prompts are refused for good.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface ProviderOptions {
  readonly port?: number;
  /** 2: of the requests for a new job, every second is answered with 429. */
  readonly refuseEvery: number;
  readonly jobMs: number;
  readonly retryAfterSeconds: number;
}

interface Job {
  readonly id: string;
  readonly key: string;
  readonly prompt: string;
  readonly doneAt: number;
  /** How often it was asked for. */
  submits: number;
}

export interface Provider {
  readonly url: string;
  readonly jobs: readonly Readonly<Job>[];
  /** How often it answered 429. */
  readonly refusals: number;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const jobs: Job[] = [];
  let asks = 0;
  let refusals = 0;

  function submit(key: string, prompt: string): Reply {
    let job = jobs.find((one) => one.key === key);
    if (job === undefined) {
      if (/forbidden/i.test(prompt)) {
        return { status: 400, body: 'this prompt is against the rules' };
      }
      asks += 1;
      if (asks % options.refuseEvery === 0) {
        refusals += 1;
        const headers = { 'retry-after': String(options.retryAfterSeconds) };
        return { status: 429, body: 'too many jobs at once', headers };
      }
      const id = `job-${jobs.length + 1}`;
      job = { id, key, prompt, doneAt: Date.now() + options.jobMs, submits: 0 };
      jobs.push(job);
    }
    job.submits += 1;
    return { status: 202, body: { id: job.id } };
  }

  async function reply(request: IncomingMessage): Promise<Reply> {
    const [, collection, id] = (request.url ?? '').split('/');
    if (request.method === 'POST' && collection === 'jobs') {
      const { prompt } = JSON.parse(await text(request)) as { prompt: string };
      return submit(String(request.headers['idempotency-key']), prompt);
    }
    const job = jobs.find((one) => one.id === id);
    if (job === undefined) return { status: 404, body: 'no such thing' };
    const isDone = job.doneAt <= Date.now();
    if (collection === 'jobs') {
      return { status: 200, body: { id, ...(isDone && { path: `/pictures/${id}` }) } };
    }
    return isDone ? { status: 200, body: drawn(job.prompt) } : { status: 404, body: 'not yet' };
  }

  const server = createServer((request, response) => {
    reply(request)
      .catch((error: unknown): Reply => ({ status: 500, body: String(error) }))
      .then(({ status, body, headers }) => {
        response.writeHead(status, headers);
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    jobs,
    get refusals() {
      return refusals;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function drawn(prompt: string): string {
  const title = prompt.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><title>${title}</title><circle cx="100" cy="50" r="40"/></svg>`;
}
