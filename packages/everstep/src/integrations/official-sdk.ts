/** The official worker, an optional peer: loaded when a folder has official workflows. */
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';

export type OfficialSdk = typeof import('@temporalio/worker');

/** The line of the packages inside Everstep: a process with two lines of them cannot load the official worker. */
export const officialInstall =
  'npm install @temporalio/worker@~1.22 @temporalio/workflow@~1.22 @temporalio/activity@~1.22';

let loading: Promise<OfficialSdk> | undefined;

/** @throws EverstepError WORKER_NOT_INSTALLED */
export function officialSdk(logger: Logger): Promise<OfficialSdk> {
  loading ??= load(logger);
  return loading;
}

async function load(logger: Logger): Promise<OfficialSdk> {
  let sdk: OfficialSdk;
  try {
    sdk = await import('@temporalio/worker');
  } catch (cause) {
    loading = undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EverstepError(
      'WORKER_NOT_INSTALLED',
      `Official workflows need the packages of the official worker, which cannot be loaded: ${reason}. Install them, all of one version: ${officialInstall}.`,
      { cause },
    );
  }
  installRuntime(sdk, logger);
  return sdk;
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
