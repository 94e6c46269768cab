/**
 * The two kinds of task. Web and worker process both register them: the web process submits and reads,
 * the worker process runs the steps.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { AsyncTask, all, remoteJob, step } from 'everstep';
import sharp from 'sharp';
import { pollJob, submitJob } from './provider-client.ts';
import { recorded } from './recorded.ts';
import { type ImageFacts, type Manifest, type StoredFile, thumbnailSizes } from './results.ts';
import { places } from './settings.ts';

/** `imageId` is the task's id too; the picture is fetched from `sourceUrl`. */
export interface ImageParams {
  readonly imageId: string;
  readonly sourceUrl: string;
}

/** Many steps: a generator. Each `yield*` keeps its step's result; a crash goes on behind the last one. */
export const processImage = new AsyncTask<ImageParams, Manifest>({
  name: 'process-image',
  retryPolicy: { maxRetries: 1000, initialDelay: 200, maxDelay: 2000 },
  timeouts: { startToClose: '30s' },
  task: async function* ({ imageId, sourceUrl }) {
    const name = (base: string, url: string): string => base + extname(new URL(url).pathname);

    const source = yield* step(
      'fetch',
      recorded(imageId, 'fetch', ({ signal }) =>
        download(sourceUrl, imageId, name('source', sourceUrl), signal),
      ),
    );

    const { resultUrl } = yield* remoteJob({
      key: 'enhance',
      submit: recorded(imageId, 'enhance', async ({ idempotencyKey, signal }) =>
        submitJob(await readFile(scratch(imageId, source)), idempotencyKey, signal),
      ),
      poll: (jobId: string, { signal }) => pollJob(jobId, signal),
      every: 250,
      timeout: '2 minutes',
    });

    const enhanced = yield* step(
      'download',
      recorded(imageId, 'download', ({ signal }) =>
        download(resultUrl, imageId, 'enhanced.jpg', signal),
      ),
    );

    const thumbnails = yield* all(
      thumbnailSizes.map((size) =>
        step(
          `thumbnail-${size}`,
          recorded(imageId, `thumbnail-${size}`, () => makeThumbnail(imageId, enhanced, size)),
        ),
      ),
    );

    return yield* step(
      'store',
      recorded(imageId, 'store', () => store(imageId, [source, enhanced, ...thumbnails])),
    );
  },
});

/** One step: a function. */
export const probeImage = new AsyncTask<ImageParams, ImageFacts>({
  name: 'probe-image',
  timeouts: { startToClose: '30s' },
  task: ({ imageId, sourceUrl }, activity) =>
    recorded(imageId, 'probe', async ({ signal }) => {
      const picture = await bytesOf(sourceUrl, signal);
      const { format, width, height } = await sharp(picture).metadata();
      const { dominant } = await sharp(picture).stats();
      const hex = [dominant.r, dominant.g, dominant.b].map((part) =>
        part.toString(16).padStart(2, '0'),
      );
      return { format, width, height, dominant: `#${hex.join('')}` };
    })(activity),
});

// Steps keep large data in files and hand on their names: what a step returns is stored with the task.

async function bytesOf(url: string, signal: AbortSignal): Promise<Buffer> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function download(
  url: string,
  imageId: string,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  return saveScratch(imageId, name, await bytesOf(url, signal));
}

async function makeThumbnail(imageId: string, from: string, size: number): Promise<string> {
  const picture = await sharp(scratch(imageId, from))
    .resize(size, size, { fit: 'cover', position: 'attention' })
    .png()
    .toBuffer();
  return saveScratch(imageId, `thumbnail-${size}.png`, picture);
}

/** Moves the finished set to the gallery at once: who looks there sees all of it or nothing. */
async function store(imageId: string, names: readonly string[]): Promise<Manifest> {
  const { gallery } = places();
  const unfinished = join(gallery, `.${imageId}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const files: StoredFile[] = [];
  for (const name of names) {
    const bytes = await readFile(scratch(imageId, name));
    const { width, height } = await sharp(bytes).metadata();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    files.push({ name, width, height, bytes: bytes.length, sha256 });
    await writeFile(join(unfinished, name), bytes);
  }
  const manifest = { imageId, files };
  await writeFile(join(unfinished, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(join(gallery, imageId), { recursive: true, force: true });
  await rename(unfinished, join(gallery, imageId));
  return manifest;
}

function scratch(imageId: string, name: string): string {
  return join(places().scratch, imageId, name);
}

/** A step that runs again after a crash writes the same file again. */
async function saveScratch(imageId: string, name: string, bytes: Buffer): Promise<string> {
  const file = scratch(imageId, name);
  await mkdir(join(places().scratch, imageId), { recursive: true });
  await writeFile(`${file}.part`, bytes);
  await rename(`${file}.part`, file);
  return name;
}
