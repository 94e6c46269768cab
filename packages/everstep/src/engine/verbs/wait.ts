/** Deadlines of calls: how long a long poll may last, and a signal that ends it. */
import type { EngineContext } from '../context.ts';
import type { CallContext } from '../../service/workflow-service.ts';

export interface Wait {
  readonly signal: AbortSignal;
  /** The caller gave up; nobody reads the answer. */
  readonly cancelled: () => boolean;
  end(): void;
}

/** A little earlier than the caller's own deadline, so that an empty answer still reaches it. */
const answerMs = 1_000;

export function waitFor(
  context: EngineContext,
  call: CallContext | undefined,
  msMax: number,
): Wait {
  const controller = new AbortController();
  const untilDeadline =
    call?.deadline === undefined
      ? Infinity
      : Math.max(call.deadline - context.clock.now() - answerMs, 0);
  const timer = context.clock.setTimer(Math.min(msMax, untilDeadline), () => {
    controller.abort();
  });
  const outer = call?.signal;
  const onOuter = (): void => {
    controller.abort();
  };
  if (outer?.aborted) controller.abort();
  else outer?.addEventListener('abort', onOuter);
  context.waiters.hold(controller);
  return {
    signal: controller.signal,
    cancelled: () => outer?.aborted === true,
    end: () => {
      timer.cancel();
      context.waiters.forget(controller);
      outer?.removeEventListener('abort', onOuter);
    },
  };
}
