/** Makes a script that shows a difference smaller, as long as it shows the same one. */
import type { Action } from './action.ts';
import type { ComparisonResult } from './comparison.ts';
import type { Plain, Target } from './target.ts';

const triesMax = 80;

export type Compare<A> = (
  script: readonly A[],
  targets: readonly [Target, Target],
  prefix: string,
) => Promise<ComparisonResult>;

export async function shrunk<A extends object>(
  script: readonly A[],
  what: readonly string[],
  compare: (script: readonly A[], name: string) => Promise<ComparisonResult>,
): Promise<{ readonly script: readonly A[]; readonly what: readonly string[] }> {
  let best = { script, what };
  let tries = 0;
  const attempt = async (candidate: readonly A[]): Promise<boolean> => {
    if (tries >= triesMax) return false;
    tries += 1;
    const { difference } = await compare(candidate, String(tries));
    if (!difference || kindOf(difference.what) !== kindOf(what)) return false;
    best = { script: candidate.slice(0, difference.step + 1), what: difference.what };
    return true;
  };
  for (let size = Math.ceil(script.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = best.script.length - size; at >= 0; at -= size) {
      await attempt([...best.script.slice(0, at), ...best.script.slice(at + size)]);
    }
  }
  for (let at = best.script.length - 1; at >= 0; at -= 1) {
    for (const simpler of simplerActions(best.script[at])) {
      await attempt(best.script.with(at, simpler));
    }
  }
  return best;
}

/** What differs, without where in the history and without the values. */
function kindOf(what: readonly string[]): string {
  return (what[0] ?? '').replace(/: ours .*/, '').replace(/\d+/g, 'n');
}

function simplerActions<A extends object>(one: A | undefined): A[] {
  const action = one as
    | (Partial<Extract<Action, { do: 'completeTask' }>> & {
        readonly options?: Plain;
      })
    | undefined;
  if (action?.commands) {
    const { commands } = action;
    return commands.map((_, index) => ({ ...one, commands: commands.toSpliced(index, 1) }) as A);
  }
  const options = action?.options;
  if (!options) return [];
  return Object.keys(options).flatMap((key) => {
    const { [key]: dropped, ...rest } = options;
    const without = { ...one, options: rest } as A;
    // A spec is made smaller part by part, for a schedule has to have one.
    if (key !== 'spec') return [without];
    return Object.keys(dropped as Plain).map(
      (name) => ({ ...one, options: { ...rest, spec: withoutField(dropped as Plain, name) } }) as A,
    );
  });
}

function withoutField(record: Plain, name: string): Plain {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}
