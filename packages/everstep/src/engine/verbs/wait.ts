/** Deadlines of calls: how long a long poll may last, and a signal that ends it. */
import type { EngineContext } from '../context.ts';
import type { CallContext } from '../../service/workflow-service.ts';

export interface Wait {
  readonly signal: AbortSignal;
  /** The caller gave up; nobody reads the answer. */
  readonly cancelled: () => boolean;
  /** It was the caller's deadline that ended it. */
  readonly late: () => boolean;
  end(): void;
}

/** How much earlier than the caller's own deadline a long poll ends, so that an empty answer still reaches it. */
const emptyAnswerMs = 1_000;

/** Ends after `msMax`, or `answerMs` before the caller's deadline. */
export function waitFor(
  context: EngineContext,
  call: CallContext | undefined,
  msMax: number,
  answerMs: number = emptyAnswerMs,
): Wait {
  const controller = new AbortController();
  const deadline = call?.deadline ?? Infinity;
  const untilDeadline = Math.max(deadline - context.clock.now() - answerMs, 0);
  let late = false;
  const timer = context.clock.setTimer(Math.min(msMax, untilDeadline), () => {
    late = untilDeadline <= msMax;
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
    late: () => late,
    end: () => {
      timer.cancel();
      context.waiters.forget(controller);
      outer?.removeEventListener('abort', onOuter);
    },
  };
}
