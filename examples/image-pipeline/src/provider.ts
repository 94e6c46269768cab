/**
 * The outside service, in a process of its own: it enhances a picture, and behaves as such services do.
 * A job is accepted with 202 and an id and takes its time; too many at once are answered with 429 and
 * Retry-After; now and then it answers 500, sometimes after it has accepted the job; the picture has to
 * be downloaded. The same Idempotency-Key is the same job.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { announce, isMain } from './child.ts';
import { type Listening, type Reply, listen, readBody } from './http-server.ts';
import { appendEntry } from './ledger.ts';
import { random } from './random.ts';
import { places, seed } from './settings.ts';

export interface ProviderOptions {
  /** The ledger's file. */
  readonly ledger: string;
  readonly seed: number;
  /** Jobs at once; one more is answered with 429. */
  readonly concurrency: number;
  /** How often a request for a job is answered with 500, from 0 to 1. */
  readonly failureChance: number;
  /** How long a job takes: at least and at most. */
  readonly jobMs: readonly [number, number];
  /** How long it takes to answer a request for a job: at least and at most. */
  readonly answerMs: readonly [number, number];
}

interface Job {
  readonly id: string;
  state: 'working' | 'done' | 'failed';
  picture?: Buffer;
}

const uploadBytesMax = 10 * 1024 * 1024;

export async function startProvider(options: ProviderOptions): Promise<Listening> {
  const next = random(options.seed);
  const jobs = new Map<string, Job>();
  const jobsByKey = new Map<string, Job>();
  let working = 0;
  const between = ([least, most]: readonly [number, number]): number =>
    least + next() * (most - least);

  const record = (
    event: 'accepted' | 'repeated' | 'refused' | 'broken',
    idempotencyKey: string,
    jobId?: string,
  ): void =>
    appendEntry(options.ledger, {
      event,
      idempotencyKey,
      ...(jobId === undefined ? {} : { jobId }),
      at: Date.now(),
    });

  async function work(job: Job, upload: Buffer): Promise<void> {
    working += 1;
    try {
      const [picture] = await Promise.all([enhance(upload), wait(between(options.jobMs))]);
      job.picture = picture;
      job.state = 'done';
    } catch {
      job.state = 'failed';
    } finally {
      working -= 1;
    }
  }

  function submit(upload: Buffer, idempotencyKey: string): Reply {
    const known = jobsByKey.get(idempotencyKey);
    if (known !== undefined) {
      record('repeated', idempotencyKey, known.id);
      return { status: 202, body: { id: known.id } };
    }
    if (working >= options.concurrency) {
      record('refused', idempotencyKey);
      const headers = { 'retry-after': '1' };
      return { status: 429, headers, body: { error: 'too many jobs at once' } };
    }
    const broken = next() < options.failureChance;
    const acceptedFirst = next() < 0.5;
    if (broken && !acceptedFirst) {
      record('broken', idempotencyKey);
      return { status: 500, body: { error: 'internal error' } };
    }
    const job: Job = { id: randomUUID(), state: 'working' };
    jobs.set(job.id, job);
    jobsByKey.set(idempotencyKey, job);
    record('accepted', idempotencyKey, job.id);
    void work(job, upload);
    if (broken) {
      record('broken', idempotencyKey, job.id);
      return { status: 500, body: { error: 'internal error' } };
    }
    return { status: 202, body: { id: job.id } };
  }

  const server = await listen(async (request, path) => {
    const [, collection, id = ''] = path.split('/');
    if (request.method === 'POST' && path === '/jobs') {
      const upload = await readBody(request, uploadBytesMax);
      if (upload === undefined) return { status: 413, body: { error: 'the upload is too large' } };
      if (!(await isPicture(upload))) {
        return { status: 415, body: { error: 'the upload is not a picture' } };
      }
      const key = request.headers['idempotency-key'];
      const reply = submit(upload, typeof key === 'string' ? key : randomUUID());
      await wait(between(options.answerMs));
      return reply;
    }
    const job = jobs.get(id);
    if (request.method !== 'GET' || job === undefined) {
      return { status: 404, body: { error: 'no such thing' } };
    }
    if (collection === 'jobs') {
      const done = job.state === 'done';
      const body = { id, status: job.state, ...(done ? { resultPath: `/results/${id}` } : {}) };
      return { status: 200, body };
    }
    if (collection === 'results' && job.picture !== undefined) {
      return { status: 200, headers: { 'content-type': 'image/jpeg' }, body: job.picture };
    }
    return { status: 404, body: { error: 'no such thing' } };
  });
  return server;
}

/** Twice the size, sharper, with livelier colours. */
async function enhance(upload: Buffer): Promise<Buffer> {
  const { width, height } = await sharp(upload).metadata();
  return sharp(upload)
    .resize(width * 2, height * 2, { kernel: 'lanczos3' })
    .sharpen({ sigma: 1.2 })
    .modulate({ saturation: 1.2 })
    .jpeg({ quality: 88 })
    .toBuffer();
}

async function isPicture(upload: Buffer): Promise<boolean> {
  try {
    return (await sharp(upload).metadata()).width > 0;
  } catch {
    return false;
  }
}

if (isMain(import.meta.url)) {
  const provider = await startProvider({
    ledger: places().providerLedger,
    seed: seed(),
    concurrency: 4,
    failureChance: 0.15,
    jobMs: [500, 3000],
    answerMs: [50, 250],
  });
  announce(provider.url, () => provider.close());
}
