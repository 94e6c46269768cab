/** What a component is told, checked at the first place that can know: its constructor. */
import type { ConnectionOptions } from '@temporalio/client';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { attributeTypes } from '../engine/search-attributes.ts';
import type { AttributeType } from '../engine/search-attributes.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { guardedLogger } from './guarded-logger.ts';
import type { StoreOption } from './store-of.ts';
import { isFields } from '../tasks/known-fields.ts';

export interface ConcurrencyOptions {
  /** Steps this process runs at once; 100 by default. */
  readonly steps?: number;
  /** Workflow tasks it drives at once; 1,000 by default. */
  readonly workflowTasks?: number;
  /** Polls kept open per queue, where the engine is a server. */
  readonly pollers?: number;
  /**
   * Fewer steps at once than `steps` while more is used than this, and at least one: shares above 0 and up to 1. Of the
   * task runtime: of one core, and of the memory this process may have. Of official workers: of the machine.
   */
  readonly target?: { readonly cpu?: number; readonly memory?: number };
}

export interface AsyncTaskComponentOptions {
  /**
   * Where tasks are kept: `'memory'`, `'sqlite:<path>'`, `'postgres://…'`, `'mysql://…'`, `{ postgres: pool }`,
   * `{ mysql: pool }`, or a store object. By default a SQLite file under `.everstep/` in the working directory. Not together with `temporalAddress`.
   */
  readonly store?: StoreOption;
  /** A Temporal server, `host:port`, in the place of the embedded engine. By default TEMPORAL_ADDRESS. */
  readonly temporalAddress?: string;
  /** `'default'`, unless TEMPORAL_NAMESPACE says otherwise. */
  readonly namespace?: string;
  /** For tasks that name no queue: `'async-tasks'`, unless TEMPORAL_TASK_QUEUE says otherwise. */
  readonly taskQueue?: string;
  /**
   * For a Temporal server only: true, or certificates and the server's name as the official `Connection` takes them.
   * By default what TEMPORAL_TLS and the variables TEMPORAL_TLS_… say; on where there is an API key.
   */
  readonly tls?: NonNullable<ConnectionOptions['tls']>;
  /** For a Temporal server only. By default TEMPORAL_API_KEY. */
  readonly apiKey?: string;
  /** False: this process submits and reads, and runs nothing. True by default. */
  readonly worker?: boolean;
  /** A number of steps, or more exactly. */
  readonly concurrency?: number | ConcurrencyOptions;
  /**
   * Of the code that this process runs, such as a commit: stands in the history of what it worked on, so that a
   * deployment can be told apart. By default TEMPORAL_WORKER_BUILD_ID.
   */
  readonly buildId?: string;
  /**
   * Search attributes that tasks and workflows may set, by name: `{ Customer: 'Keyword' }`. Registered at start; a start
   * that sets one which nobody has registered is refused.
   */
  readonly searchAttributes?: Readonly<Record<string, AttributeType>>;
  /** As the official client and worker take it: payload converter, failure converter, codecs. */
  readonly dataConverter?: DataConverter;
  /** By default warnings and errors on standard error, and one line at start. */
  readonly logger?: Logger;
}

/** How to reach a server, as the official client takes it. */
export type ServerOptions = Pick<ConnectionOptions, 'tls' | 'apiKey' | 'metadata'> & {
  /** host:port */
  readonly address: string;
};

export interface ResolvedOptions {
  /** Where tasks live. */
  readonly home: { readonly store: StoreOption } | { readonly server: ServerOptions };
  readonly namespace: string;
  readonly taskQueue: string;
  readonly worker: boolean;
  readonly concurrency: ConcurrencyOptions;
  readonly buildId: string | undefined;
  readonly searchAttributes: Readonly<Record<string, AttributeType>>;
  readonly dataConverter: DataConverter | undefined;
  readonly logger: Logger | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

export type Environment = Readonly<Record<string, string | undefined>>;

const defaultStoreUrl = 'sqlite:.everstep/everstep.db';
const known = new Set([
  'store',
  'temporalAddress',
  'namespace',
  'taskQueue',
  'tls',
  'apiKey',
  'worker',
  'concurrency',
  'buildId',
  'searchAttributes',
  'dataConverter',
  'logger',
]);

/** @throws EverstepError COMPONENT_OPTIONS_INVALID. */
export function resolveOptions(
  options: AsyncTaskComponentOptions,
  env: Environment,
): ResolvedOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`the options are ${shown(options)}; expected an object`);
  }
  for (const name of Object.keys(options)) {
    if (!known.has(name)) {
      throw invalid(`there is no option ${name}; the options are ${[...known].join(', ')}`);
    }
  }
  const home = checkedHome(options, env);
  const { worker = true } = options;
  if (typeof worker !== 'boolean') throw invalid(`worker is ${shown(worker)}; expected a boolean`);
  return {
    home,
    namespace: name('namespace', options.namespace ?? (env['TEMPORAL_NAMESPACE'] || 'default')),
    taskQueue: name(
      'taskQueue',
      options.taskQueue ?? (env['TEMPORAL_TASK_QUEUE'] || 'async-tasks'),
    ),
    worker,
    concurrency: checkedConcurrency(options.concurrency),
    buildId: checkedBuildId(options.buildId ?? (env['TEMPORAL_WORKER_BUILD_ID'] || undefined)),
    searchAttributes: checkedAttributes(options.searchAttributes),
    dataConverter: checkedConverter(options.dataConverter),
    logger: checkedLogger(options.logger),
  };
}

function checkedHome(
  { store, temporalAddress, tls, apiKey }: AsyncTaskComponentOptions,
  env: Environment,
): ResolvedOptions['home'] {
  if (store !== undefined && temporalAddress !== undefined) {
    throw invalid(
      'both store and temporalAddress are given; tasks live in one place: give a store for the embedded engine, or the address of a Temporal server',
    );
  }
  const address = temporalAddress ?? (env['TEMPORAL_ADDRESS'] || undefined);
  if (address !== undefined) {
    if (store !== undefined) {
      throw invalid(
        `both the option store and the environment variable TEMPORAL_ADDRESS are set; remove one: a process with TEMPORAL_ADDRESS works on that server`,
      );
    }
    const source = temporalAddress === undefined ? 'TEMPORAL_ADDRESS' : 'temporalAddress';
    return { server: { ...serverFrom(env), ...checkedServer(source, address, tls, apiKey) } };
  }
  for (const [field, value] of Object.entries({ tls, apiKey })) {
    if (value !== undefined) {
      throw invalid(
        `${field} is given without temporalAddress, and the embedded engine has no use for it`,
      );
    }
  }
  return { store: store ?? defaultStoreUrl };
}

function checkedServer(
  source: string,
  address: unknown,
  tls: unknown,
  apiKey: unknown,
): ServerOptions {
  const [, port] = (typeof address === 'string' && /^[^\s/]+:(\d+)$/.exec(address)) || [];
  if (typeof address !== 'string' || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw invalid(`${source} is ${shown(address)}; expected host:port`);
  }
  if (tls !== undefined && typeof tls !== 'boolean') checkCertificates(tls);
  if (apiKey !== undefined && (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey))) {
    throw invalid('apiKey is not usable; expected a string of printable characters without spaces');
  }
  return {
    address,
    ...(tls !== undefined && { tls: tls as NonNullable<ServerOptions['tls']> }),
    ...(apiKey !== undefined && { apiKey }),
  };
}

/** Of the fields that the official client takes, those that hold certificates and keys: PEM, as bytes. */
function checkCertificates(tls: unknown): void {
  if (!isFields(tls)) {
    throw invalid(`tls is ${shown(tls)}; expected a boolean, or certificates as an object`);
  }
  const { serverRootCACertificate, clientCertPair, serverNameOverride } = tls as Fields;
  const pair = clientCertPair ?? undefined;
  if (pair !== undefined && !isFields(pair)) {
    throw invalid(`tls.clientCertPair is ${shown(pair)}; expected { crt, key }`);
  }
  const files = {
    ...(pair && {
      'clientCertPair.crt': (pair as Fields)['crt'],
      'clientCertPair.key': (pair as Fields)['key'],
    }),
    ...(serverRootCACertificate !== undefined && { serverRootCACertificate }),
  };
  for (const [field, bytes] of Object.entries(files)) {
    if (!(bytes instanceof Uint8Array)) {
      throw invalid(`tls.${field} is ${shown(bytes)}; expected the bytes of a PEM file, a Buffer`);
    }
  }
  if (serverNameOverride !== undefined && typeof serverNameOverride !== 'string') {
    throw invalid(`tls.serverNameOverride is ${shown(serverNameOverride)}; expected a host name`);
  }
}

/** What Temporal's own tools read from the environment: API key, TLS, metadata of the calls. */
function serverFrom(env: Environment): Omit<ServerOptions, 'address'> {
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  try {
    const { connectionOptions } = loadClientConnectConfig({
      disableFile: true,
      overrideEnvVars: Object.fromEntries(set),
    });
    const { apiKey, tls, metadata } = connectionOptions;
    const given = Object.entries({ apiKey, tls, metadata }).filter(
      ([, value]) => value !== undefined && value !== null,
    );
    return Object.fromEntries(given) as Omit<ServerOptions, 'address'>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EverstepError(
      'COMPONENT_OPTIONS_INVALID',
      `The variables TEMPORAL_… of the environment cannot be used: ${reason}. Correct them, or give tls and apiKey as options.`,
      { cause },
    );
  }
}

function name(field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= 1000) return value;
  throw invalid(`${field} is ${shown(value)}; expected a string of 1 to 1000 bytes`);
}

export function checkedConcurrency(value: unknown): ConcurrencyOptions {
  if (value === undefined) return {};
  if (typeof value === 'number') return { steps: count('concurrency', value) };
  if (!isFields(value)) {
    throw invalid(
      `concurrency is ${shown(value)}; expected a number of steps or { steps, workflowTasks, pollers }`,
    );
  }
  const checked: Record<string, number> = {};
  const { target, ...numbers } = value as ConcurrencyOptions;
  for (const [field, number] of Object.entries(numbers)) {
    if (!['steps', 'workflowTasks', 'pollers'].includes(field)) {
      throw invalid(
        `there is no concurrency.${field}; expected steps, workflowTasks, pollers, target`,
      );
    }
    if (number !== undefined) checked[field] = count(`concurrency.${field}`, number);
  }
  return { ...checked, ...(target !== undefined && { target: checkedTarget(target) }) };
}

function checkedTarget(target: unknown): NonNullable<ConcurrencyOptions['target']> {
  const shares = isFields(target) ? Object.entries(target) : [];
  if (shares.length === 0) {
    throw invalid(
      `concurrency.target is ${shown(target)}; expected { cpu, memory }, or one of them`,
    );
  }
  for (const [field, share] of shares) {
    if (field !== 'cpu' && field !== 'memory') {
      throw invalid(`there is no concurrency.target.${field}; expected cpu, memory`);
    }
    if (typeof share === 'number' && share > 0 && share <= 1) continue;
    throw invalid(
      `concurrency.target.${field} is ${shown(share)}; expected a share above 0 and up to 1, such as 0.8`,
    );
  }
  return target as NonNullable<ConcurrencyOptions['target']>;
}

function count(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 100_000) {
    return value;
  }
  throw invalid(`${field} is ${shown(value)}; expected a whole number from 1 to 100000`);
}

function checkedBuildId(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return name('buildId', value);
}

export function checkedAttributes(value: unknown): Readonly<Record<string, AttributeType>> {
  if (value === undefined) return {};
  if (!isFields(value)) {
    throw invalid(`searchAttributes is ${shown(value)}; expected { name: type }`);
  }
  for (const [attribute, type] of Object.entries(value)) {
    if (typeof type !== 'string' || !Object.hasOwn(attributeTypes, type)) {
      const types = Object.keys(attributeTypes).join(', ');
      throw invalid(`searchAttributes.${attribute} is ${shown(type)}; expected one of ${types}`);
    }
  }
  return value as Readonly<Record<string, AttributeType>>;
}

export function checkedConverter(value: unknown): DataConverter | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isFields(value)) {
    throw invalid(
      `dataConverter is ${shown(value)}; expected { payloadConverterPath, failureConverterPath, payloadCodecs }`,
    );
  }
  const converter = value as Readonly<Partial<Record<keyof DataConverter, unknown>>>;
  for (const field of ['payloadConverterPath', 'failureConverterPath'] as const) {
    const path = converter[field];
    if (path === undefined || (typeof path === 'string' && path !== '')) continue;
    throw invalid(`dataConverter.${field} is ${shown(path)}; expected the path of a module`);
  }
  const { payloadCodecs } = converter;
  if (payloadCodecs === undefined) return value;
  if (!Array.isArray(payloadCodecs)) {
    throw invalid(`dataConverter.payloadCodecs is ${shown(payloadCodecs)}; expected a list`);
  }
  const odd = payloadCodecs.findIndex((codec: Partial<PayloadCodec> | null) =>
    [codec?.encode, codec?.decode].some((method) => typeof method !== 'function'),
  );
  if (odd === -1) return value;
  throw invalid(
    `dataConverter.payloadCodecs[${odd}] has no methods encode and decode; expected a PayloadCodec`,
  );
}

export function checkedLogger(value: unknown): Logger | undefined {
  if (value === undefined) return undefined;
  for (const method of ['debug', 'info', 'warn', 'error']) {
    if (typeof (value as Record<string, unknown> | null)?.[method] !== 'function') {
      throw invalid(`logger has no method ${method}; expected debug, info, warn and error`);
    }
  }
  return guardedLogger(value as Logger);
}

export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function invalid(problem: string): EverstepError {
  return new EverstepError('COMPONENT_OPTIONS_INVALID', `AsyncTaskComponent: ${problem}.`);
}
