/** Those of Temporal's dynamic settings that this server has; the others change nothing here, and the log says so. */
import type { EverstepServerOptions } from '../component/everstep-server.ts';
import { parseDuration } from '../tasks/duration.ts';
import type { Logger } from '../service/logger.ts';

type CoreLimits = NonNullable<EverstepServerOptions['coreLimits']>;
type EngineLimits = NonNullable<EverstepServerOptions['limits']>;
type Rates = NonNullable<EverstepServerOptions['rates']>;

/** What a setting is of; names are compared without regard to case, as Temporal does. */
type Place =
  | { readonly of: 'core'; readonly limit: keyof CoreLimits }
  | { readonly of: 'engine'; readonly limit: keyof EngineLimits }
  | { readonly of: 'rates'; readonly limit: keyof Rates };

const core = (limit: keyof CoreLimits): Place => ({ of: 'core', limit });
const engine = (limit: keyof EngineLimits): Place => ({ of: 'engine', limit });

export const settings: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['limit.blobSize.error', core('payloadBytesMax')],
  ['limit.blobSize.warn', core('payloadBytesWarn')],
  ['limit.memoSize.error', core('memoBytesMax')],
  ['limit.historySize.error', core('historyBytesMax')],
  ['limit.historyCount.error', core('historyEventsMax')],
  ['limit.historySize.suggestContinueAsNew', core('suggestContinueAsNewBytes')],
  ['limit.historyCount.suggestContinueAsNew', core('suggestContinueAsNewEvents')],
  ['limit.numPendingActivities.error', core('pendingActivitiesMax')],
  ['limit.numPendingChildExecutions.error', core('pendingChildrenMax')],
  ['limit.numPendingSignals.error', core('pendingSignalsMax')],
  ['limit.numPendingCancelRequests.error', core('pendingCancelsMax')],
  ['limit.maxIDLength', core('idBytesMax')],
  ['frontend.searchAttributesNumberOfKeysLimit', core('searchAttributeKeysMax')],
  ['frontend.searchAttributesSizeOfValueLimit', core('searchAttributeValueBytesMax')],
  ['frontend.searchAttributesTotalSizeLimit', core('searchAttributesBytesMax')],
  ['history.maximumSignalsPerExecution', core('signalsMax')],
  ['history.maxInFlightUpdates', core('updatesInFlightMax')],
  ['history.maxTotalUpdates', core('updatesMax')],
  ['history.maximumBufferedEventsBatch', core('bufferedEventsMax')],
  ['history.maximumBufferedEventsSizeInBytes', core('bufferedBytesMax')],
  ['history.defaultWorkflowTaskTimeout', core('workflowTaskTimeoutMs')],
  ['history.workflowTaskHeartbeatTimeout', core('workflowTaskHeartbeatMaxMs')],
  ['history.historyMaxAutoResetPoints', core('resetPointsMax')],
  [
    'history.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute',
    core('workflowTaskProblemsReported'),
  ],
  ['history.longPollExpirationInterval', engine('historyLongPollMs')],
  ['history.MaxBufferedQueryCount', engine('waitingQueriesMax')],
  ['matching.longPollExpirationInterval', engine('longPollMs')],
  ['frontend.historyMaxPageSize', engine('historyPageEvents')],
  ['frontend.visibilityMaxPageSize', engine('listPageMax')],
  ['frontend.MaxConcurrentBatchOperationPerNamespace', engine('batchOperationsMax')],
  ['frontend.MaxExecutionCountBatchOperationPerNamespace', engine('batchExecutionsMax')],
  ['worker.batcherRPS', engine('batchOperationsPerSecond')],
  ['frontend.rps', { of: 'rates', limit: 'perSecond' }],
  ['frontend.namespaceRPS', { of: 'rates', limit: 'perNamespaceAndSecond' }],
]);

const places = new Map([...settings].map(([name, place]) => [name.toLowerCase(), place]));

export function limitsOf(
  given: Readonly<Record<string, unknown>>,
  logger: Logger,
): Pick<EverstepServerOptions, 'limits' | 'coreLimits' | 'rates'> {
  const coreLimits: Partial<Record<keyof CoreLimits, number>> = {};
  const limits: Partial<Record<keyof EngineLimits, number>> = {};
  const rates = { perSecond: 0, perNamespaceAndSecond: 0 };
  for (const [key, value] of Object.entries(given)) {
    const place = places.get(key.toLowerCase());
    if (place === undefined) {
      logger.info(`the setting ${key} means nothing to this server`);
      continue;
    }
    const number = numberOf(key, value);
    switch (place.of) {
      case 'core':
        coreLimits[place.limit] = number;
        break;
      case 'engine':
        limits[place.limit] = number;
        break;
      case 'rates':
        rates[place.limit] = number;
    }
  }
  return { limits, coreLimits, rates };
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
