/** A component on each store, with tasks, gone at the end of its test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { EverstepServer, type EverstepServerOptions } from '../../src/component/everstep-server.ts';
import {
  AsyncTaskComponent,
  type AsyncTaskComponentOptions,
  type Logger,
  type Registrable,
} from '../../src/index.ts';
import {
  allOnDatabases,
  databaseKinds,
  databaseUrl,
  type DatabaseKind,
} from '../databases/all-on-databases.ts';

export type StoreKind = 'memory' | 'sqlite' | DatabaseKind;
const onDatabases = allOnDatabases && databaseKinds.length > 0;
export const storeKinds: readonly StoreKind[] = onDatabases ? databaseKinds : ['memory', 'sqlite'];
export type Place = StoreKind | 'a server';
/** The embedded engine on each store, and a server over gRPC. */
export const places: readonly Place[] = onDatabases ? storeKinds : [...storeKinds, 'a server'];

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export async function storeUrl(kind: StoreKind): Promise<string> {
  if (kind === 'memory') return 'memory';
  if (kind !== 'sqlite') return databaseUrl(kind);
  const folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, 'tasks.db')}`;
}

/** The address of a server with the namespace `default`: the one under test, or one of this process. */
export async function serverAddress(options: Partial<EverstepServerOptions> = {}): Promise<string> {
  const underTest = process.env['EVERSTEP_TEST_SERVER'];
  if (underTest !== undefined) return underTest;
  const host = '127.0.0.1';
  const server = new EverstepServer({
    store: 'memory',
    host,
    port: 0,
    namespaces: ['default'],
    retentionMs: 86_400_000,
    logger: silent,
    ...options,
  });
  const port = await server.start();
  onTestFinished(() => server.stop());
  return `${host}:${port}`;
}

export async function running(
  place: Place,
  tasks: readonly Registrable[],
  options: AsyncTaskComponentOptions = {},
): Promise<AsyncTaskComponent> {
  const isTold = options.store !== undefined || options.temporalAddress !== undefined;
  const where = isTold
    ? {}
    : place === 'a server'
      ? { temporalAddress: await serverAddress() }
      : { store: await storeUrl(place) };
  const component = new AsyncTaskComponent({ ...where, logger: silent, ...options });
  component.registerAll(tasks);
  await component.start();
  onTestFinished(() => component.stop({ gracePeriod: 0 }));
  return component;
}

/** A promise and its handle. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** What a promise was rejected with. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { readonly code?: unknown; readonly taskId?: unknown }> {
  const nothing = Symbol('nothing');
  const outcome = await promise.then(
    () => nothing,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new TypeError(
    `Expected an Error, got ${outcome === nothing ? 'a value' : String(outcome)}`,
  );
}
