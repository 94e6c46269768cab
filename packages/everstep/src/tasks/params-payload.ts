/**
 * Parameters to a payload, refusing at submit what would be lost or would hurt the run, and naming the place.
 * JSON drops functions and symbols without a word: a parameter that vanishes on the way is a bug found late.
 */
import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { EverstepError } from '../service/error-codes.ts';
import { payloadBytes } from './payload-bytes.ts';
import { serializationProblem } from './serialization-problem.ts';
import { placePart } from './standard-schema.ts';

const payloadBytesMax = 2 * 1024 * 1024;

/**
 * One payload for `params`.
 *
 * @throws EverstepError TASK_PARAMS_NOT_SERIALIZABLE (`params.user.callback is a function`), TASK_PARAMS_TOO_LARGE.
 */
export function paramsPayload(
  taskName: string,
  params: unknown,
  converter: PayloadConverter,
): Payload {
  // A converter of the user's own may well know how to write a Map or a function; ours is JSON.
  const problem =
    converter === defaultPayloadConverter
      ? serializationProblem(params, 'params', 'refused')
      : undefined;
  if (problem !== undefined) throw notSerializable(taskName, problem);
  let payload: Payload;
  try {
    payload = converter.toPayload(params);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw notSerializable(taskName, `the payload converter refused them: ${message}`, cause);
  }
  const bytes = payloadBytes(payload);
  if (bytes > payloadBytesMax) {
    throw new EverstepError(
      'TASK_PARAMS_TOO_LARGE',
      `The parameters of task "${taskName}" are ${bytes} bytes when serialised; the limit is ${payloadBytesMax} bytes (2 MiB).${largestPart(params)} Keep large data in a file or an object store and pass its address.`,
    );
  }
  return payload;
}

function notSerializable(taskName: string, problem: string, cause?: unknown): EverstepError {
  return new EverstepError(
    'TASK_PARAMS_NOT_SERIALIZABLE',
    `The parameters of task "${taskName}" cannot be serialised: ${problem}. Expected what JSON can hold.`,
    { cause },
  );
}

/** Which top-level part is to blame, when one is more than half of it. */
function largestPart(params: unknown): string {
  if (typeof params !== 'object' || params === null || params instanceof Uint8Array) return '';
  let name = '';
  let size = 0;
  for (const [key, item] of Object.entries(params)) {
    const length = item === undefined ? 0 : (JSON.stringify(item)?.length ?? 0);
    if (length > size) [name, size] = [key, length];
  }
  return size > payloadBytesMax / 2 ? ` The largest part is params${placePart(name)}.` : '';
}
