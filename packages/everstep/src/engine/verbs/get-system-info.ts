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
      supportsSchedules: false,
      encodedFailureAttributes: true,
      buildIdBasedVersioning: false,
      upsertMemo: true,
      eagerWorkflowStart: false,
      sdkMetadata: true,
      countGroupByExecutionStatus: true,
      nexus: false,
    },
  });
