/** What web and worker process are told: by a JSON file, over which the environment is laid. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AsyncTaskComponentOptions } from 'everstep';

export interface Settings {
  /** Of the web process; 0 for any free one. */
  readonly port: number;
  /** Where tasks live, as the component takes it: on a Temporal server if there is an endpoint, else in a SQLite file. */
  readonly engine: Pick<
    AsyncTaskComponentOptions,
    'store' | 'temporalAddress' | 'namespace' | 'taskQueue'
  >;
  /** Where people look at a task; undefined on the embedded engine. */
  readonly webUiUrl: ((taskId: string) => string) | undefined;
  /** The application's data, its pictures, and the tasks of the embedded engine. */
  readonly dataFolder: string;
  readonly providerUrl: string;
  /** Where the worker process reports to. */
  readonly webUrl: string;
  /** What the worker process shows when it reports; without it, the web process takes any report. */
  readonly reportToken: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Given {
  /** The variable, or the file and the field in it. */
  readonly where: string;
  readonly value: unknown;
}

const ownFile = fileURLToPath(new URL('../app.config.json', import.meta.url));

/** @throws TypeError that names the file and the field, or the variable. */
export function readSettings(env: Environment = process.env): Settings {
  const path = env['CONFIG_FILE'] || ownFile;
  const file = parsed(path);
  const given = (field: string, variable: string): Given | undefined =>
    env[variable] ? { where: variable, value: env[variable] } : fieldOf(file, path, field);
  const temporal = 'middlewareDependencies.temporal';

  const endpoint = address(given(`${temporal}.endpoint`, 'TEMPORAL_ADDRESS'));
  const namespace = name(given(`${temporal}.config.namespace`, 'TEMPORAL_NAMESPACE'), 'default');
  const taskQueue = name(
    given(`${temporal}.config.taskQueue`, 'TEMPORAL_TASK_QUEUE'),
    'async-tasks',
  );
  const webUiPort = port(given(`${temporal}.config.webUIPort`, 'TEMPORAL_UI_PORT'), 8233, 1);
  const webPort = port(given('port', 'PORT'), 3000, 0);
  const dataFolder = resolve(env['DATA_FOLDER'] || '.everstep');
  return {
    port: webPort,
    engine: {
      ...(endpoint === undefined
        ? { store: `sqlite:${join(dataFolder, 'everstep.db')}` }
        : { temporalAddress: endpoint }),
      namespace,
      taskQueue,
    },
    webUiUrl:
      endpoint === undefined
        ? undefined
        : (taskId) =>
            `http://${endpoint.replace(/:\d+$/, '')}:${webUiPort}/namespaces/${namespace}/workflows/${taskId}`,
    dataFolder,
    providerUrl: url(env, 'IMAGE_PROVIDER_URL', 'http://127.0.0.1:3100'),
    webUrl: url(env, 'WEB_URL', `http://127.0.0.1:${webPort}`),
    reportToken: env['REPORT_TOKEN'] || undefined,
  };
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new TypeError(
      `the configuration file ${path} cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Of a dotted field; undefined where it is left out. */
function fieldOf(file: unknown, path: string, field: string): Given | undefined {
  let value = file;
  let where = '';
  for (const key of field.split('.')) {
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong({ where: `${path}: ${where || 'the file'}`, value }, 'an object');
    }
    where = where === '' ? key : `${where}.${key}`;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value === undefined ? undefined : { where: `${path}: ${where}`, value };
}

/** An empty one is none: who deploys fills it in. */
function address(given: Given | undefined): string | undefined {
  if (given === undefined || given.value === '') return undefined;
  const { value } = given;
  const plain = typeof value === 'string' ? value.replace(/^grpc:\/\//, '') : '';
  const [, digits] = /^[^\s/]+:(\d{1,5})$/.exec(plain) ?? [];
  if (digits === undefined || !isPort(Number(digits), 1)) {
    throw wrong(given, 'host:port, or "" for the embedded engine');
  }
  return plain;
}

function name(given: Given | undefined, otherwise: string): string {
  if (given === undefined) return otherwise;
  if (typeof given.value !== 'string' || !/^[^\s/]+$/.test(given.value)) {
    throw wrong(given, 'a name without spaces and slashes');
  }
  return given.value;
}

/** Variables are text; in the file it is a number. */
function port(given: Given | undefined, otherwise: number, least: 0 | 1): number {
  if (given === undefined) return otherwise;
  const { where, value } = given;
  const isText = typeof value === 'string' && !where.includes(':') && /^\d{1,5}$/.test(value);
  const number = isText ? Number(value) : value;
  if (!isPort(number, least)) throw wrong(given, `a whole number from ${least} to 65535`);
  return number;
}

function isPort(value: unknown, least: 0 | 1): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= 65_535;
}

function url(env: Environment, variable: string, otherwise: string): string {
  const value = env[variable] || otherwise;
  if (!/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : '')) {
    throw wrong({ where: variable, value }, 'a URL that begins with http:// or https://');
  }
  return value;
}

function wrong({ where, value }: Given, expected: string): TypeError {
  return new TypeError(`${where} is ${JSON.stringify(value)}; expected ${expected}`);
}
