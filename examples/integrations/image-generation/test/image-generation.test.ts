import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsyncTaskComponent, collectIntegrationWorkflows } from 'everstep';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Controller, MonoSystem } from 'interaqt';
import createImageGeneration from '../index.ts';
import { SqliteDatabase } from '../src/database.ts';
import { ImageGenerationEvent, ImageRequest, RequestImage } from '../src/model.ts';
import { startProvider, type Provider } from '../src/provider.ts';
import { readSettings, type Settings } from '../src/settings.ts';
import { WebClient } from '../src/web-client.ts';
import { startWebServer } from '../src/web-server.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let folder: string;
let provider: Provider;
const open: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-image-generation-'));
  provider = await startProvider({ refuseEvery: 2, jobMs: 20, retryAfterSeconds: 0 });
});

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

function settings(env: Readonly<Record<string, string>> = {}): Settings {
  return readSettings({
    PORT: '0',
    DATA_FOLDER: folder,
    IMAGE_PROVIDER_URL: provider.url,
    REPORT_TOKEN: 'secret',
    ...env,
  });
}

async function webServer(): Promise<{ readonly url: string; readonly client: WebClient }> {
  const web = await startWebServer(settings(), quiet);
  open.push(() => web.close());
  return { url: web.url, client: new WebClient(web.url) };
}

async function worker(webUrl: string): Promise<void> {
  const own = settings({ WEB_URL: webUrl });
  const component = new AsyncTaskComponent({ ...own.engine, logger: quiet });
  component.registerAll(createImageGeneration(own).createAsyncTasks());
  await component.start();
  open.push(() => component.stop());
}

it('a request becomes a record, its side effect a task, and the task tells the record how it ended', async () => {
  const { client, url } = await webServer();
  const ids = await Promise.all(
    ['a cat', 'a dog', 'a forbidden fish'].map((prompt) => client.requestImage(prompt)),
  );
  expect(await client.status(ids[0] ?? '')).toMatchObject({
    prompt: 'a cat',
    status: 'submitted',
    imageUrl: null,
    task: { taskId: `image-${ids[0]}`, status: 'pending' },
  });

  await worker(url);
  const [cat, dog, fish] = await Promise.all(ids.map((id) => client.ended(id)));
  for (const [prompt, done] of [
    ['a cat', cat],
    ['a dog', dog],
  ] as const) {
    expect(done).toMatchObject({
      status: 'done',
      error: null,
      task: { status: 'completed', completedSteps: expect.arrayContaining(['download', 'report']) },
    });
    expect(await client.picture(done?.imageUrl ?? '')).toContain(`<title>${prompt}</title>`);
  }
  expect(fish).toMatchObject({
    status: 'failed',
    imageUrl: null,
    error: 'the provider answered 400: this prompt is against the rules',
    task: { status: 'failed' },
  });
  expect(provider.refusals).toBe(1);
  expect(provider.jobs.map(({ submits }) => submits)).toEqual([1, 1]);
});

it('what is in the database and was not submitted is submitted when the process starts, and once', async () => {
  // As if the process had ended before its side effect had its turn.
  const system = new MonoSystem(new SqliteDatabase(join(folder, 'application.db')));
  const controller = new Controller({
    system,
    entities: [ImageRequest, ImageGenerationEvent],
    relations: [],
    eventSources: [RequestImage],
  });
  await controller.setup(true);
  const requested = async (prompt: string): Promise<string> => {
    const { effects } = await controller.dispatch(RequestImage, {
      user: { id: 'anonymous' },
      payload: { prompt },
    });
    return effects?.find(({ recordName }) => recordName === ImageRequest.name)?.record?.id ?? '';
  };
  const ids = [await requested('a cat'), await requested('a dog')];
  controller.teardown();
  await system.storage.destroy();
  // The second was submitted, and the process ended before it could say so.
  const own = settings();
  const component = new AsyncTaskComponent({ ...own.engine, worker: false, logger: quiet });
  const [task] = createImageGeneration(own).createAsyncTasks();
  component.register(task as NonNullable<typeof task>);
  await component.start();
  await task?.submit({ requestId: ids[1] ?? '', prompt: 'a dog' }, { taskId: `image-${ids[1]}` });
  await component.stop();

  const { client, url } = await webServer();
  for (const id of ids) {
    expect(await client.status(id)).toMatchObject({
      status: 'submitted',
      task: { status: 'pending' },
    });
  }
  await worker(url);
  for (const id of ids) expect(await client.ended(id)).toMatchObject({ status: 'done' });
  expect(provider.jobs.map(({ submits }) => submits)).toEqual([1, 1]);
});

it('is found by the folder it is in', async () => {
  const integrations = fileURLToPath(new URL('../..', import.meta.url));
  const found = await collectIntegrationWorkflows(integrations, {
    blacklist: ['test-*', 'video-*'],
    strict: true,
    logger: quiet,
  });
  expect(
    found.map(({ integrationName, tasks }) => [
      integrationName,
      tasks.map((task) => task.getName()),
    ]),
  ).toEqual([['image-generation', ['generate-image']]]);
});

it('requests and reports that are not as they should be are refused', async () => {
  const { client } = await webServer();
  const refused = async (path: string, body: unknown, headers = {}): Promise<string> => {
    const reply = await client.post(path, body, headers);
    return `${reply.status} ${((await reply.json()) as { error: string }).error}`;
  };
  const ask = '/api/interaction/RequestImage';
  const unfit = (given: string) => `400 payload.prompt ${given}; expected 1 to 1000 characters`;
  expect(await refused(ask, { payload: { prompt: '  ' } })).toBe(unfit('has 0 characters'));
  expect(await refused(ask, { payload: { prompt: 'x'.repeat(1001) } })).toBe(
    unfit('has 1001 characters'),
  );
  for (const body of [{ payload: { prompt: 3 } }, { payload: {} }, { payload: 'x' }, {}]) {
    expect(await refused(ask, body)).toBe(unfit('is no text'));
  }
  expect(await refused(ask, 'x')).toContain('400 the body is not what was expected');
  expect(await refused('/api/interaction/Other', {})).toContain('404');

  const status = '/api/custom/image-generation/status';
  expect(await refused(status, { id: 3 })).toBe('400 id is 3; expected text');
  expect(await refused(status, { id: 'nobody' })).toContain('404');

  const report = '/api/custom/image-generation/report';
  const done = { requestId: 'nobody', status: 'done', imageUrl: '/images/x.svg' };
  expect(await refused(report, done)).toContain('401');
  const token = { authorization: 'Bearer secret' };
  expect(await refused(report, done, token)).toContain('404');
  expect(await refused(report, { ...done, status: 'new' }, token)).toContain(
    '400 status is "new"; expected "done" or "failed"',
  );
});
