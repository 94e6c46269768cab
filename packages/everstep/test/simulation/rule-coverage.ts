/** How often each rule of execution-core.md was at work. */
import type { HistoryEvent } from '../../src/core/proto.ts';
import type { RefusalCode } from '../../src/core/refusal.ts';
import type { RunState } from '../../src/core/state.ts';
import type { TransitionFunction } from '../../src/core/transition.ts';
import { isServiceError } from '../../src/service/service-error.ts';
import { observe } from './rules.ts';

/** Every rule that is built. */
const builtRules: readonly string[] = [
  ...ids('MS', [1, 2, 3, 4, 5, 6]),
  ...ids('EV', [1, 2]),
  ...ids('WT', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]),
  ...ids('WT', [24, 25, 26, 28, 29, 31, 32, 33, 34, 35, 36, 37, 38, 39]),
  ...ids('AC', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
  ...ids('TM', [1, 2, 3]),
  ...ids('SG', [1, 2, 3, 4, 5]),
  ...ids('QY', [1, 2, 3, 4, 5]),
  ...ids('UP', [1, 2, 3, 4, 5, 6, 7, 8]),
  ...ids('CH', [1, 2, 3, 4]),
  ...ids('CN', [1, 2, 3, 4]),
  ...ids('ID', [1, 2, 3]),
  'PZ-1',
  ...ids('RS', [1, 2, 3]),
  'TR-1',
  'DL-1',
  ...ids('SC', [1, 2, 3, 4, 5, 6, 7]),
  ...ids('VS', [1, 2, 3]),
];

/** A rule that a long run has met less often proves nothing. */
export const hitsMin = 100;

function ids(family: string, numbers: readonly number[]): string[] {
  return numbers.map((number) => `${family}-${number}`);
}

/** What a refusal's words tell. */
const byMessage: readonly (readonly [code: RefusalCode, pattern: RegExp, rule: string])[] = [
  ['NOT_FOUND', /already completed/, 'SG-2'],
  ['PERMISSION_DENIED', /ADMITTED/, 'UP-4'],
  ['FAILED_PRECONDITION', /perform workflow execution update/, 'UP-5'],
  ['RESOURCE_EXHAUSTED', /in-flight updates/, 'UP-3'],
  ['ALREADY_EXISTS', /./, 'ID-2'],
  ['FAILED_PRECONDITION', /query|not scheduled yet|failing/i, 'QY-2'],
  ['INVALID_ARGUMENT', /Can only reset workflow|finish ID/, 'RS-1'],
  ['INVALID_ARGUMENT', /exceeds (?:the )?limit/i, 'SG-2'],
  ['RESOURCE_EXHAUSTED', /quer/i, 'QY-4'],
];

export class RuleCoverage {
  readonly counts = new Map<string, number>();

  hit = (rule: string): void => {
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
  };

  /** The core with each of its transitions looked at; a commit may hold several. */
  around(
    core: TransitionFunction,
    check: (before: RunState | undefined, after: RunState, events: readonly HistoryEvent[]) => void,
  ): TransitionFunction {
    const watched = (
      state: Parameters<TransitionFunction>[0],
      input: never,
      env: Parameters<TransitionFunction>[2],
    ): ReturnType<TransitionFunction> => {
      const result = core(state, input, env);
      observe({ before: state, input, result, now: env.now }, this.hit);
      if (result.changed) check(state, result.state, result.events);
      return result;
    };
    return watched as TransitionFunction;
  }

  refused(rule: string, error: unknown, code: RefusalCode = 'NOT_FOUND'): void {
    if (isServiceError(error, code)) this.hit(rule);
  }

  answered(error: unknown): void {
    if (!isServiceError(error)) return;
    for (const [code, pattern, rule] of byMessage) {
      if (error.code === code && pattern.test(error.message)) this.hit(rule);
    }
  }
}

/** Rules with their counts, those that were met least often first. */
export function ruleTable(
  counts: Readonly<Record<string, number>>,
): readonly { readonly rule: string; readonly hits: number }[] {
  return builtRules
    .map((rule) => ({ rule, hits: counts[rule] ?? 0 }))
    .sort((a, b) => a.hits - b.hits);
}
