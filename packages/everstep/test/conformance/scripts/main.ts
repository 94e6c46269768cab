/**
 * `npm run conformance -- [--about runs|schedules] [--scripts N] [--seed S] [--at-once N] [--only i,j]
 * [--shrink N] [--replay file] [--model]`: random scripts on the embedded engine and on Temporal's own server, or
 * beside the reference model, compared after every action.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { runBeside } from '../model/model-comparison.ts';
import { modelScript } from '../model/model-script.ts';
import { scheduleScript } from '../schedules/schedule-arbitrary.ts';
import { compareSchedules } from '../schedules/schedule-comparison.ts';
import { compareScript, type ComparisonResult } from './comparison.ts';
import { embeddedTarget } from './embedded-target.ts';
import { anyScript } from './script-arbitrary.ts';
import { shrunk, type Compare } from './shrinking.ts';
import { cliModule, temporalProgram, temporalTarget } from './temporal-server.ts';

const { values } = parseArgs({
  options: {
    scripts: { type: 'string', default: '50' },
    seed: { type: 'string' },
    'at-once': { type: 'string', default: '4' },
    only: { type: 'string' },
    about: { type: 'string', default: 'runs' },
    replay: { type: 'string' },
    shrink: { type: 'string', default: '3' },
    model: { type: 'boolean', default: false },
  },
});
/** How often a script that differs is run again. */
const againTimes = 3;
const count = wholeNumber('--scripts', values.scripts);
const atOnce = wholeNumber('--at-once', values['at-once']);
const shrinkMax = wholeNumber('--shrink', values.shrink);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('--seed', values.seed);

if (values.about !== 'runs' && values.about !== 'schedules') {
  console.error(`--about wants runs or schedules, not ${values.about}`);
  process.exit(2);
}

const program = values.model ? undefined : await temporalProgram();
if (values.model) {
  await compareWithModel();
} else if (program === undefined) {
  console.log(`skipped: there is neither a temporal program nor Go to build one (${cliModule})`);
} else if (values.about === 'schedules') {
  await compareAll(program, scheduleScript, compareSchedules);
} else {
  await compareAll(program, anyScript, compareScript);
}

/** Without a server: what `npm test` does for a few scripts, with other seeds and for longer. */
async function compareWithModel(): Promise<void> {
  const started = Date.now();
  const property = fc.asyncProperty(modelScript, async (script) => {
    const { engine, model } = await runBeside(script);
    assert.deepEqual(engine, model);
  });
  // The engine's timers do not keep this process alive.
  const alive = setInterval(() => undefined, 1_000);
  const result = await fc.check(property, { seed, numRuns: count, endOnFailure: shrinkMax === 0 });
  clearInterval(alive);
  if (result.failed) console.log(fc.defaultReportMessage(result));
  const seconds = ((Date.now() - started) / 1_000).toFixed(0);
  const differ = result.failed ? 'one differs' : 'none differs';
  console.log(`${result.numRuns} scripts beside the model: ${differ}; ${seconds} s, seed ${seed}`);
  process.exitCode = result.failed ? 1 : 0;
}

async function compareAll<A extends object>(
  temporal: string,
  anyOne: fc.Arbitrary<readonly A[]>,
  compare: Compare<A>,
): Promise<void> {
  const scripts = values.replay
    ? [JSON.parse(readFileSync(values.replay, 'utf8')) as readonly A[]]
    : fc.sample(anyOne, { seed, numRuns: count }).filter((_, index) => wanted(index));
  console.log(`conformance: ${scripts.length} scripts, seed ${seed}`);
  const targets = [await embeddedTarget(), await temporalTarget(temporal)] as const;
  const started = Date.now();
  const stamp = started.toString(36);
  const failed: {
    readonly index: number;
    readonly script: readonly A[];
    readonly what: readonly string[];
  }[] = [];
  let calls = 0;
  let events = 0;
  let next = 0;
  let passing = 0;
  /** On a busy machine a queue may be forgotten or a call come too late: such a difference does not come again. */
  const comesAgain = async (script: readonly A[], name: string): Promise<boolean> => {
    for (let time = 1; time <= againTimes; time += 1) {
      const { difference } = await compare(script, targets, `${name}-again-${time}`);
      if (difference) return true;
    }
    return false;
  };
  try {
    const work = async (): Promise<void> => {
      for (let index = next++; index < scripts.length; index = next++) {
        const script = scripts[index] ?? [];
        const result: ComparisonResult = await compare(script, targets, `${stamp}-${index}`);
        calls += result.calls;
        events += result.events;
        const { difference } = result;
        if (!difference) continue;
        const { step, what } = difference;
        const again = await comesAgain(script, `${stamp}-${index}`);
        const word = again ? 'FAIL' : 'only once, and not in the next runs:';
        console.log(`${word} script ${index}, step ${step}:\n  ${what.join('\n  ')}`);
        if (!again) {
          passing += 1;
          continue;
        }
        failed.push({ index, script: script.slice(0, step + 1), what });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    for (const { index, script, what } of failed.slice(0, shrinkMax)) {
      const small = await shrunk(script, what, (candidate, name) =>
        compare(candidate, targets, `${stamp}-${index}-${name}`),
      );
      console.log(
        `\nscript ${index}, made smaller:\n  ${small.what.join('\n  ')}\n${lines(small.script)}`,
      );
    }
  } finally {
    await Promise.all(targets.map((target) => target.stop()));
  }
  const seconds = ((Date.now() - started) / 1_000).toFixed(0);
  console.log(
    `\n${scripts.length} scripts, ${calls} calls, ${events} events at the end: ` +
      `${failed.length} differ, ${passing} did so once and not in ${againTimes} more runs; ` +
      `${seconds} s, seed ${seed}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function lines(script: readonly object[]): string {
  return `[\n${script.map((action) => `  ${JSON.stringify(action)}`).join(',\n')}\n]`;
}

function wanted(index: number): boolean {
  return values.only === undefined || values.only.split(',').includes(String(index));
}

function wholeNumber(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`${name} wants a whole number, not ${value}`);
  process.exit(2);
}
