/**
 * The web process: interaqt's controller behind HTTP. It submits tasks and reads them, and runs no step.
 *
 *   POST /api/interaction/RequestImage { payload: { prompt } }   202 { id, submitted } at once
 *   POST /api/custom/image-generation/status { id }              the record and its task
 *   POST /api/custom/image-generation/report { … }               for the worker process
 *   GET  /images/<id>.svg                                        the picture
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AsyncTaskComponent, type Logger } from 'everstep';
import { Controller, InteractionGuardError, isPostCommitPhaseComplete, MonoSystem } from 'interaqt';
import createImageGeneration, { type Api } from '../index.ts';
import { SqliteDatabase } from './database.ts';
import { ImageGenerationEvent, ImageRequest, RequestImage } from './model.ts';
import type { Settings } from './settings.ts';

export interface WebServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const bodyBytesMax = 10_000;
const recoverEveryMs = 10_000;
const notFound: Reply = { status: 404, body: { error: 'no such thing' } };

export async function startWebServer(settings: Settings, logger?: Logger): Promise<WebServer> {
  const integration = createImageGeneration(settings);
  const component = new AsyncTaskComponent({
    ...settings.engine,
    worker: false,
    ...(logger && { logger }),
  });
  component.registerAll(integration.createAsyncTasks());
  await component.start();

  const system = new MonoSystem(new SqliteDatabase(join(settings.dataFolder, 'application.db')));
  const controller = new Controller({
    system,
    entities: [ImageRequest, ImageGenerationEvent],
    relations: [],
    eventSources: [RequestImage],
    recordMutationSideEffects: integration.createSideEffects(),
  });
  // The framework's first setup makes the tables; a later one finds them, and checks that they fit.
  await controller.setup((await system.readMigrationManifest()) === undefined);
  await integration.recover(controller);
  const recovering = setInterval(() => {
    integration.recover(controller).catch(console.error);
  }, recoverEveryMs);

  const apis = new Map<string, Api>(
    integration
      .createAPIs()
      .map((api) => [`/api/custom/${integration.namespace}/${api.name}`, api] as const),
  );

  async function interact(name: string, payload: unknown): Promise<Reply> {
    const interaction = controller.findEventSourceByName(name);
    if (interaction === undefined) return notFound;
    // Who asks is the application's business: interaqt takes users as they are signed in.
    const user = { id: 'anonymous' };
    const result = await controller.dispatch(interaction, { user, payload });
    if (result.error instanceof InteractionGuardError) {
      // A condition says in its details what was expected; the framework's own checks in the message.
      const { details, message } = result.error;
      return { status: 400, body: { error: typeof details === 'string' ? details : message } };
    }
    if (result.error !== undefined) {
      throw new Error(`${name} failed: ${messageOf(result.error)}`, { cause: result.error });
    }
    const created = result.effects?.find(
      ({ type, recordName }) => type === 'create' && recordName === ImageRequest.name,
    );
    // Not submitted is no loss: the record is there, and is submitted later.
    const submitted = isPostCommitPhaseComplete(result);
    return { status: 202, body: { id: created?.record?.id, submitted } };
  }

  async function reply(request: IncomingMessage): Promise<Reply> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (request.method === 'GET') return picture(settings.dataFolder, path);
    if (request.method !== 'POST') return notFound;
    const body = await bodyOf(request);
    const [, interaction] = /^\/api\/interaction\/(\w+)$/.exec(path) ?? [];
    if (interaction !== undefined) return interact(interaction, body['payload']);
    const api = apis.get(path);
    if (api === undefined) return notFound;
    const { reportToken } = settings;
    if (
      api.internal &&
      reportToken !== undefined &&
      request.headers.authorization !== `Bearer ${reportToken}`
    ) {
      return { status: 401, body: { error: 'authorization: expected the token of REPORT_TOKEN' } };
    }
    const answer = await api.answer(controller, body);
    return answer === undefined ? notFound : { status: 200, body: answer };
  }

  const server = createServer((request, response) => {
    reply(request)
      .catch((error: unknown): Reply => {
        if (error instanceof TypeError) return { status: 400, body: { error: error.message } };
        console.error(error);
        return { status: 500, body: { error: messageOf(error) } };
      })
      .then(({ status, body }) => {
        const type = Buffer.isBuffer(body) ? 'image/svg+xml' : 'application/json';
        response.writeHead(status, { 'content-type': type });
        response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      clearInterval(recovering);
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      controller.teardown();
      await component.stop();
      await system.storage.destroy();
    },
  };
}

async function picture(dataFolder: string, path: string): Promise<Reply> {
  const [, name] = /^\/images\/([\w-]+\.svg)$/.exec(path) ?? [];
  const body = name && (await readFile(join(dataFolder, 'images', name)).catch(() => undefined));
  return body ? { status: 200, body } : notFound;
}

/** @throws TypeError if it is no object in JSON. */
async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new TypeError(`the body has more than ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    // Refused below, as anything else that is no object.
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new TypeError('the body is not what was expected: an object in JSON');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
