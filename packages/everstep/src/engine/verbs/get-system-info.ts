import type { Verb } from '../verb.ts';
import { serverVersion } from '../version.ts';

/** Only what is there: SDKs switch behaviour on these. */
export const getSystemInfo: Verb<'getSystemInfo'> = () =>
  Promise.resolve({
    serverVersion,
    capabilities: {
      signalAndQueryHeader: true,
      internalErrorDifferentiation: true,
      activityFailureIncludeHeartbeat: true,
      supportsSchedules: true,
      encodedFailureAttributes: true,
      buildIdBasedVersioning: true,
      upsertMemo: true,
      eagerWorkflowStart: true,
      sdkMetadata: true,
      countGroupByExecutionStatus: true,
      nexus: false,
    },
  });
