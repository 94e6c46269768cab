/**
 * For connections of the official client, which tries calls again after a wait. One that is closed meanwhile throws
 * "Channel has been shut down" in a timer, where nobody can catch it: with this the call ends as a cancelled one does.
 */
import { InterceptingCall, Metadata, status, type Interceptor } from '@grpc/grpc-js';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

type Call = ConstructorParameters<typeof InterceptingCall>[0];

const endOnClosed: Interceptor = (options, nextCall) => {
  let call: Call;
  try {
    call = nextCall(options);
  } catch (error) {
    call = endedCall(error instanceof Error ? error.message : String(error));
  }
  return new InterceptingCall(call);
};

/** In the place of the official client's own, which are the first of them. */
export const interceptors: Interceptor[] = [
  makeGrpcRetryInterceptor(defaultGrpcRetryOptions()),
  endOnClosed,
];

function endedCall(details: string): Call {
  return {
    start: (_metadata, listener) => {
      queueMicrotask(() => {
        listener?.onReceiveMessage?.(null);
        listener?.onReceiveStatus?.({ code: status.CANCELLED, details, metadata: new Metadata() });
      });
    },
    sendMessage: () => undefined,
    sendMessageWithContext: () => undefined,
    startRead: () => undefined,
    halfClose: () => undefined,
    cancelWithStatus: () => undefined,
    getPeer: () => '',
    getAuthContext: () => null,
  };
}
