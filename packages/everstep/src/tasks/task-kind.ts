/**
 * Whether a task is one step or many shows in what its call returns. Where that is not known, the first step of a
 * run, `#kind`, calls it: a value is the run's result; a generator, of which nothing has run, answers with a marker.
 */
import type { Payload } from '@temporalio/common';

/** The step of a task that may turn out to be one step or many. */
export const kindKey = '#kind';
/** The step of a task that is known to be one step. */
export const singleKey = 'run';

const metadataKey = 'everstep-kind';

/** Decodes to undefined for those who do not know it. */
export function kindMarker(): Payload {
  return {
    metadata: { encoding: Buffer.from('binary/null'), [metadataKey]: Buffer.from('multi') },
    data: new Uint8Array(),
  };
}

export function isKindMarker(payload: Payload | undefined): boolean {
  return payload?.metadata?.[metadataKey] !== undefined;
}
