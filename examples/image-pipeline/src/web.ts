/**
 * The web process: it submits tasks and reads them, and runs no step (`worker: false`). It keeps no state:
 * an id says which task it belongs to, the rest is in the store that it shares with the worker process.
 *
 *   POST /images { kind, source }   202 { id } at once
 *   GET  /images/:id                the status
 *   GET  /images/:id/result         the result, once there is one
 *   GET  /sources/:name             a picture, for the first step to fetch
 */
import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AsyncTaskComponent } from 'everstep';
import { announce } from './child.ts';
import { type Handler, type Reply, listen, readBody } from './http-server.ts';
import { imagesFolder, places } from './settings.ts';
import { type ImageParams, probeImage, processImage } from './tasks.ts';

const tasks = { process: processImage, probe: probeImage };
const sources = await readdir(imagesFolder);
const notFound: Reply = { status: 404, body: { error: 'no such thing' } };

const component = new AsyncTaskComponent({ store: places().store, worker: false });
component.registerAll([processImage, probeImage]);
await component.start();

const handle: Handler = async (request, path) => {
  const [, collection, name = '', part] = path.split('/');
  if (request.method === 'POST' && path === '/images') {
    const body = await readBody(request, 10_000);
    return submit(body?.toString() ?? '', `http://${request.headers.host}`);
  }
  if (request.method !== 'GET') return notFound;
  if (collection === 'sources' && sources.includes(name)) {
    const headers = { 'content-type': name.endsWith('.png') ? 'image/png' : 'image/jpeg' };
    return { status: 200, headers, body: await readFile(join(imagesFolder, name)) };
  }
  const task = name.startsWith('probe-') ? probeImage : processImage;
  if (collection !== 'images' || name === '') return notFound;
  const status = await task.getStatus(name);
  if (status.status === 'not_found') return notFound;
  if (part === undefined) return { status: 200, body: status };
  if (part !== 'result') return notFound;
  if (status.status === 'pending' || status.status === 'processing') {
    return { status: 409, body: { error: `the task is ${status.status}` } };
  }
  return { status: 200, body: await task.result(name) };
};

async function submit(text: string, here: string): Promise<Reply> {
  const { kind, source } = parse(text);
  if (kind !== 'process' && kind !== 'probe') {
    return { status: 400, body: { error: 'kind: expected "process" or "probe"' } };
  }
  if (typeof source !== 'string' || !sources.includes(source)) {
    return { status: 400, body: { error: `source: expected one of ${sources.join(', ')}` } };
  }
  const imageId = `${kind}-${randomUUID()}`;
  const params: ImageParams = { imageId, sourceUrl: `${here}/sources/${source}` };
  await tasks[kind].submit(params, { taskId: imageId });
  return { status: 202, body: { id: imageId } };
}

function parse(text: string): { kind?: unknown; source?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}

const server = await listen(handle);
announce(server.url, async () => {
  await server.close();
  await component.stop();
});
