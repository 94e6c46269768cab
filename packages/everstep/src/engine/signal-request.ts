/** What is wrong with a signal, before any run is looked at (section 14). */
import { checkIdLength } from '../core/id-length.ts';
import type { Limits } from '../core/limits.ts';
import { blobSizeMessage, payloadsBytes } from '../core/payload-size.ts';
import type { Payloads } from '../core/proto.ts';

export function signalProblem(
  request: {
    readonly signalName?: string | null;
    readonly requestId?: string | null;
    readonly identity?: string | null;
    readonly input?: Payloads | null;
  },
  limits: Limits,
): string | undefined {
  if (!request.signalName) return 'SignalName is not set on request.';
  return (
    checkIdLength('SignalName', request.signalName, limits) ??
    checkIdLength('RequestId', request.requestId ?? '', limits) ??
    checkIdLength('Identity', request.identity ?? '', limits) ??
    (payloadsBytes(request.input) > limits.payloadBytesMax ? blobSizeMessage : undefined)
  );
}
