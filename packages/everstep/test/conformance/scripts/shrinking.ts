/** Makes a script that shows a difference smaller, as long as it shows the same one. */
import type { Action, Script } from './action.ts';
import { compareScript } from './comparison.ts';
import type { Target } from './target.ts';

const triesMax = 80;

export async function shrunk(
  script: Script,
  what: readonly string[],
  targets: readonly [Target, Target],
  prefix: string,
): Promise<{ readonly script: Script; readonly what: readonly string[] }> {
  let best = { script, what };
  let tries = 0;
  const attempt = async (candidate: Script): Promise<boolean> => {
    if (tries >= triesMax) return false;
    tries += 1;
    const { difference } = await compareScript(candidate, targets, `${prefix}-${tries}`);
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

function simplerActions(action: Action | undefined): Action[] {
  if (action?.do === 'completeTask') {
    return action.commands.map((_, index) => ({
      ...action,
      commands: action.commands.toSpliced(index, 1),
    }));
  }
  if (action?.do === 'start' || action?.do === 'signalWithStart') {
    return Object.keys(action.options).map((key) => ({
      ...action,
      options: Object.fromEntries(Object.entries(action.options).filter(([name]) => name !== key)),
    }));
  }
  return [];
}
