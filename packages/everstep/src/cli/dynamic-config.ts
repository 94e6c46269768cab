/** Those of Temporal's dynamic settings that this server has; the others change nothing here, and the log says so. */
import type { EverstepServerOptions } from '../component/everstep-server.ts';
import { parseDuration } from '../tasks/duration.ts';
import type { Logger } from '../service/logger.ts';

type CoreLimits = NonNullable<EverstepServerOptions['coreLimits']>;
type EngineLimits = NonNullable<EverstepServerOptions['limits']>;

const coreSettings: Readonly<Record<string, keyof CoreLimits>> = {
  'limit.blobsize.error': 'payloadBytesMax',
  'limit.blobsize.warn': 'payloadBytesWarn',
  'limit.memosize.error': 'memoBytesMax',
  'limit.historysize.error': 'historyBytesMax',
  'limit.historycount.error': 'historyEventsMax',
  'limit.historysize.suggestcontinueasnew': 'suggestContinueAsNewBytes',
  'limit.historycount.suggestcontinueasnew': 'suggestContinueAsNewEvents',
  'limit.numpendingactivities.error': 'pendingActivitiesMax',
  'limit.numpendingchildexecutions.error': 'pendingChildrenMax',
  'limit.numpendingsignals.error': 'pendingSignalsMax',
  'limit.numpendingcancelrequests.error': 'pendingCancelsMax',
  'limit.maxidlength': 'idBytesMax',
  'history.maximumsignalsperexecution': 'signalsMax',
  'history.numconsecutiveworkflowtaskproblemstotriggersearchattribute':
    'workflowTaskProblemsReported',
};
const engineSettings: Readonly<Record<string, keyof EngineLimits>> = {
  'matching.longpollexpirationinterval': 'longPollMs',
  'history.longpollexpirationinterval': 'historyLongPollMs',
  'frontend.historymaxpagesize': 'historyPageEvents',
  'frontend.visibilitymaxpagesize': 'listPageMax',
  'frontend.maxconcurrentbatchoperationpernamespace': 'batchOperationsMax',
  'frontend.maxexecutioncountbatchoperationpernamespace': 'batchExecutionsMax',
  'worker.batcherrps': 'batchOperationsPerSecond',
};

export function limitsOf(
  settings: Readonly<Record<string, unknown>>,
  logger: Logger,
): Pick<EverstepServerOptions, 'limits' | 'coreLimits'> {
  const coreLimits: Partial<Record<keyof CoreLimits, number>> = {};
  const limits: Partial<Record<keyof EngineLimits, number>> = {};
  for (const [key, value] of Object.entries(settings)) {
    const core = coreSettings[key.toLowerCase()];
    const engine = engineSettings[key.toLowerCase()];
    if (core === undefined && engine === undefined) {
      logger.info(`the setting ${key} means nothing to this server`);
      continue;
    }
    const number = numberOf(key, value);
    if (core !== undefined) coreLimits[core] = number;
    if (engine !== undefined) limits[engine] = number;
  }
  return { limits, coreLimits };
}

/** A number, or a duration such as "5s". */
function numberOf(key: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  if (typeof value === 'string') {
    const duration = parseDuration(value, 0);
    if (duration.problem === undefined) return duration.ms;
  }
  throw new RangeError(
    `--dynamic-config-value ${key} is ${JSON.stringify(value)}; expected a number, or a duration such as "5s".`,
  );
}
