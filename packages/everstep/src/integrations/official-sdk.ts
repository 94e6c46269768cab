/** The official worker, an optional peer: loaded when a folder has official workflows. */
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { messageOf } from './load-module.ts';
import { packageVersionFrom } from './installed-package.ts';

export type OfficialSdk = typeof import('@temporalio/worker');

/** The line of the packages inside Everstep: a process with two lines of them cannot load the official worker. */
export const officialInstall =
  'npm install @temporalio/worker@~1.22 @temporalio/workflow@~1.22 @temporalio/activity@~1.22';

const packages = ['@temporalio/worker', '@temporalio/workflow', '@temporalio/activity'];

let loading: Promise<OfficialSdk> | undefined;

/** @throws EverstepError WORKER_NOT_INSTALLED */
export function officialSdk(logger: Logger): Promise<OfficialSdk> {
  loading ??= load(logger);
  return loading;
}

async function load(logger: Logger): Promise<OfficialSdk> {
  const version = (name: string): string | undefined => packageVersionFrom(name, import.meta.url);
  let sdk: OfficialSdk | undefined;
  let cause: unknown;
  try {
    sdk = await import('@temporalio/worker');
  } catch (error) {
    cause = error;
  }
  const problem = installProblem(version, cause);
  if (sdk === undefined || problem !== undefined) {
    loading = undefined;
    const message = `Official workflows need the packages of the official worker: ${problem}. Install them, all of one version: ${officialInstall}.`;
    throw new EverstepError('WORKER_NOT_INSTALLED', message, { cause });
  }
  installRuntime(sdk, logger);
  return sdk;
}

/** @param cause Why they could not be loaded. */
export function installProblem(
  versionOf: (name: string) => string | undefined,
  cause: unknown,
): string | undefined {
  const installed = packages.map((name) => [name, versionOf(name)] as const);
  const missing = installed.filter(([, version]) => version === undefined).map(([name]) => name);
  if (cause !== undefined && missing.length > 0) return `${missing.join(', ')} not installed`;
  const line = versionOf('@temporalio/client')?.split('.').slice(0, 2).join('.') ?? '';
  const others = installed.filter(([, version]) => version?.startsWith(`${line}.`) === false);
  if (others.length > 0) {
    const found = others.map(([name, version]) => `${name} ${version}`).join(', ');
    return `${found} installed, and Everstep is made for ${line}`;
  }
  return cause === undefined ? undefined : `they cannot be loaded: ${messageOf(cause)}`;
}

/** One a process. Signals are the manager's, which drains all its workers. */
function installRuntime({ Runtime }: OfficialSdk, logger: Logger): void {
  const at =
    (level: keyof Logger) =>
    (message: string, meta?: object): void =>
      logger[level](message, meta && { ...meta });
  const log = { debug: at('debug'), info: at('debug'), warn: at('warn'), error: at('error') };
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: {
        ...log,
        trace: log.debug,
        log: (level, message, meta) => {
          const name = level.toLowerCase() as keyof typeof log | 'trace';
          log[name === 'trace' ? 'debug' : name](message, meta);
        },
      },
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
    });
  } catch {
    // The application has one of its own, with a log of its own.
  }
}
