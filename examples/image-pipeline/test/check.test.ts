import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { checkResult, findRepeats } from '../src/check.ts';
import type { ProviderEntry, WorkerEntry } from '../src/ledger.ts';
import { Observations, type Observed } from '../src/observations.ts';
import { type Manifest, type StoredFile, thumbnailSizes } from '../src/results.ts';

/** One task, whose steps a status showed as completed at the times given. */
function observed(completedAt: Readonly<Record<string, number>>): Observed[] {
  const seen = new Observations();
  seen.submitted('process-1', { kind: 'process', source: 'rings.png' });
  for (const [key, at] of Object.entries(completedAt)) {
    seen.note('process-1', { status: 'processing', completedSteps: [key] }, at);
  }
  return [...seen.tasks];
}

function line(
  event: WorkerEntry['event'],
  key: string,
  at: number,
  worker = 1,
  taskId = 'process-1',
): WorkerEntry {
  return { event, taskId, key, attempt: 1, idempotencyKey: `${taskId}/${key}`, worker, at };
}

function job(event: ProviderEntry['event'], at: number, idempotencyKey = 'process-1/enhance') {
  return { event, idempotencyKey, jobId: 'job', at };
}

describe('the ledgers', () => {
  it('are fine when each step ran once, or again after it had failed', () => {
    const worker = [
      line('started', 'fetch', 10),
      line('failed', 'fetch', 20),
      line('started', 'fetch', 30),
      line('finished', 'fetch', 40),
      line('started', 'enhance', 50),
      line('finished', 'enhance', 60),
    ];
    const provider = [job('broken', 52), job('accepted', 55)];
    expect(findRepeats(observed({ fetch: 45, enhance: 90 }), worker, provider)).toEqual({
      completedStepsRunAgain: 0,
      repeatedInFlight: 0,
      problems: [],
    });
  });

  it('count a step that was in flight at a kill, before and after its work was done', () => {
    const worker = [
      line('started', 'fetch', 10),
      line('started', 'fetch', 30, 2),
      line('finished', 'fetch', 40, 2),
      line('started', 'fetch', 60, 3),
      line('finished', 'fetch', 70, 3),
    ];
    expect(findRepeats(observed({ fetch: 80 }), worker, [])).toEqual({
      completedStepsRunAgain: 0,
      repeatedInFlight: 2,
      problems: [],
    });
  });

  it('betray a step that ran again after a status had shown it as completed', () => {
    const worker = [
      line('started', 'fetch', 10),
      line('finished', 'fetch', 20),
      line('started', 'fetch', 50, 2),
    ];
    const found = findRepeats(observed({ fetch: 30 }), worker, []);
    expect(found.completedStepsRunAgain).toBe(1);
    expect(found.problems).toEqual([
      'fetch of process-1 ran again after a status had shown it as completed',
    ]);
  });

  it('betray a step that ran again after the next one had started, seen or not', () => {
    const worker = [
      line('started', 'fetch', 10),
      line('finished', 'fetch', 20),
      line('started', 'enhance', 30),
      line('started', 'fetch', 50, 2),
    ];
    const found = findRepeats(observed({}), worker, []);
    expect(found.completedStepsRunAgain).toBe(1);
    expect(found.problems).toEqual(['fetch of process-1 ran again after a later step had started']);
  });

  it('betray a step that ran twice without a kill', () => {
    const worker = [line('started', 'fetch', 10), line('started', 'fetch', 11)];
    expect(findRepeats(observed({}), worker, []).problems).toEqual([
      'fetch of process-1 ran twice in one worker',
    ]);
  });

  it('betray a job that was done twice, asked for too late, or by nobody', () => {
    const worker = [
      line('started', 'enhance', 10),
      { ...line('started', 'enhance', 20, 2), idempotencyKey: 'another' },
    ];
    const provider = [
      job('accepted', 11),
      job('accepted', 21, 'another'),
      job('repeated', 40),
      job('accepted', 41, 'unknown'),
    ];
    expect(findRepeats(observed({ enhance: 30 }), worker, provider).problems).toEqual([
      'the provider did the job of process-1 twice',
      'the job of process-1 was asked for again after it was completed',
      "the provider got a request that is in no worker's ledger: unknown",
    ]);
  });

  it('betray a step of a task that nobody submitted', () => {
    const { problems } = findRepeats(observed({}), [line('started', 'fetch', 1, 1, 'other')], []);
    expect(problems).toEqual(['fetch of other ran, but is no step of a task that was submitted']);
  });

  it('take a completed task for one whose every step is completed', () => {
    const seen = new Observations();
    seen.submitted('process-1', { kind: 'process', source: 'rings.png' });
    seen.note('process-1', { status: 'completed' }, 100);
    const found = findRepeats([...seen.tasks], [line('started', 'store', 101)], []);
    expect(found.completedStepsRunAgain).toBe(1);
  });
});

describe('the files', () => {
  const images = fileURLToPath(new URL('../images/', import.meta.url));
  const gallery = mkdtempSync(join(tmpdir(), 'everstep-gallery-'));
  afterAll(() => rmSync(gallery, { recursive: true, force: true }));
  const original = readFileSync(join(images, 'rings.png'));
  const [task] = observed({}) as [Observed];
  const folder = join(gallery, task.id);
  const check = (result: unknown): Promise<string[]> =>
    checkResult(task, result, { images, gallery });

  /** A right delivery, with the changes given. */
  async function deliver(changes: Readonly<Record<string, Buffer>> = {}): Promise<Manifest> {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const pictures: Record<string, Buffer> = {
      'source.png': original,
      'enhanced.jpg': await sharp(original).resize(600, 800).jpeg().toBuffer(),
    };
    for (const size of thumbnailSizes) {
      pictures[`thumbnail-${size}.png`] = await sharp(original).resize(size, size).toBuffer();
    }
    const files: StoredFile[] = [];
    for (const [name, bytes] of Object.entries({ ...pictures, ...changes })) {
      writeFileSync(join(folder, name), bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      files.push({ name, width: 0, height: 0, bytes: bytes.length, sha256 });
    }
    const manifest = { imageId: task.id, files };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    return manifest;
  }

  it('are fine when they are what the manifest and the source say', async () => {
    expect(await check(await deliver())).toEqual([]);
  });

  it('are missed', async () => {
    const manifest = await deliver();
    rmSync(join(folder, 'thumbnail-64.png'));
    expect(await check(manifest)).toEqual(['process-1: not on disk: thumbnail-64.png']);
    rmSync(folder, { recursive: true });
    expect((await check(manifest))[0]).toContain('not on disk: source.png, enhanced.jpg');
  });

  it('are decoded and measured', async () => {
    const broken = await deliver({ 'thumbnail-64.png': Buffer.from('no picture') });
    expect(await check(broken)).toEqual(['process-1: thumbnail-64.png is no picture of 64 × 64']);
    const small = await sharp(original).jpeg().toBuffer();
    expect(await check(await deliver({ 'enhanced.jpg': small }))).toEqual([
      'process-1: enhanced.jpg is no picture of 600 × 800',
    ]);
  });

  it('are held against their checksums, and the manifest against the result', async () => {
    const manifest = await deliver();
    writeFileSync(join(folder, 'source.png'), await sharp(original).png().toBuffer());
    expect(await check({ ...manifest, imageId: 'other' })).toEqual([
      "process-1: the manifest on disk is not the task's result",
      'process-1: source.png does not have the SHA-256 that its manifest names',
      'process-1: its source is not the picture that was sent',
    ]);
  });

  it('of a probed picture are its facts', async () => {
    const probe: Observed = { ...task, id: 'probe-1', kind: 'probe' };
    const facts = { format: 'png', width: 300, height: 400, dominant: '#10222e' };
    const folders = { images, gallery };
    expect(await checkResult(probe, facts, folders)).toEqual([]);
    expect(await checkResult(probe, { ...facts, width: 1 }, folders)).toHaveLength(1);
  });
});
