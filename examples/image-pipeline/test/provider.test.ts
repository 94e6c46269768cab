import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Listening } from '../src/http-server.ts';
import { type ProviderEntry, readLedger } from '../src/ledger.ts';
import { type ProviderOptions, startProvider } from '../src/provider.ts';

const picture = readFileSync(new URL('../images/mosaic.png', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'everstep-provider-'));
const ledger = join(folder, 'ledger.jsonl');
let provider: Listening | undefined;

beforeEach(() => rmSync(ledger, { force: true }));
afterEach(async () => {
  await provider?.close();
  rmSync(ledger, { force: true });
});

async function start(options: Partial<ProviderOptions>): Promise<string> {
  provider = await startProvider({
    ledger,
    seed: 1,
    concurrency: 4,
    failureChance: 0,
    jobMs: [1, 5],
    answerMs: [0, 1],
    ...options,
  });
  return provider.url;
}

function post(
  url: string,
  key: string,
  body: Blob | string = new Blob([picture]),
): Promise<Response> {
  return fetch(`${url}/jobs`, { method: 'POST', headers: { 'idempotency-key': key }, body });
}

async function idOf(response: Response): Promise<string> {
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

function events(): string[] {
  return readLedger<ProviderEntry>(ledger).map(({ event }) => event);
}

async function resultPath(url: string, id: string): Promise<string> {
  for (;;) {
    const job = (await (await fetch(`${url}/jobs/${id}`)).json()) as {
      status: string;
      resultPath?: string;
    };
    if (job.resultPath !== undefined) return job.resultPath;
    expect(job.status).toBe('working');
    await wait(5);
  }
}

it('accepts a picture, works on it, and offers one of twice the size', async () => {
  const url = await start({});
  const id = await idOf(await post(url, 'a'));
  const result = await fetch(url + (await resultPath(url, id)));
  expect(result.headers.get('content-type')).toBe('image/jpeg');
  const { format, width, height } = await sharp(await result.arrayBuffer()).metadata();
  expect({ format, width, height }).toEqual({ format: 'jpeg', width: 800, height: 480 });
});

it('takes one idempotency key for one job', async () => {
  const url = await start({});
  const first = await idOf(await post(url, 'a'));
  expect(await idOf(await post(url, 'a'))).toBe(first);
  expect(await idOf(await post(url, 'b'))).not.toBe(first);
  expect(events()).toEqual(['accepted', 'repeated', 'accepted']);
});

it('answers 429 with Retry-After when it has enough to do', async () => {
  const url = await start({ concurrency: 1, jobMs: [200, 200] });
  const id = await idOf(await post(url, 'a'));
  const refused = await post(url, 'b');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('1');
  await resultPath(url, id);
  await idOf(await post(url, 'b'));
  expect(events()).toEqual(['accepted', 'refused', 'accepted']);
});

it('answers 500 now and then, and a repeated request gets its job all the same', async () => {
  const url = await start({ concurrency: 100, failureChance: 0.5 });
  for (let index = 0; index < 20; index += 1) {
    let response = await post(url, `key-${index}`);
    while (response.status === 500) response = await post(url, `key-${index}`);
    await idOf(response);
  }
  expect(events().filter((event) => event === 'accepted')).toHaveLength(20);
  expect(events()).toContain('broken');
  // Accepted, but the answer was lost: the same key finds the job.
  expect(events()).toContain('repeated');
});

it('refuses what is no picture, and knows no job that it did not accept', async () => {
  const url = await start({});
  expect((await post(url, 'a', 'no picture')).status).toBe(415);
  expect((await fetch(`${url}/jobs/unknown`)).status).toBe(404);
  expect((await fetch(`${url}/results/unknown`)).status).toBe(404);
  expect(events()).toEqual([]);
});
