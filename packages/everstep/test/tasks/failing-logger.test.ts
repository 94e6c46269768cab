/** A logger that throws loses its lines, and nothing else. */
import { expect, it, vi } from 'vitest';
import { AsyncTask, step, type Logger } from '../../src/index.ts';
import { TestEnvironment } from '../../src/testing/index.ts';
import { running, storeKinds } from './running-component.ts';

const throws = (): never => {
  throw new Error('the log is full');
};
const failing: Logger = { debug: throws, info: throws, warn: throws, error: throws };

const logging = new AsyncTask<undefined, string>({
  name: 'logging',
  task: async function* () {
    return yield* step('one', (context) => {
      context.log.info('from the step');
      context.progress(1n);
      return 'done';
    });
  },
});

function stderrText(): () => string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return () => write.mock.calls.map(([text]) => String(text)).join('');
}

it.each(storeKinds)(
  'start, steps and stop go on, and it is told once, on the %s store',
  async (kind) => {
    const told = stderrText();
    const component = await running(kind, [logging], { logger: failing });
    expect(component.isStarted()).toBe(true);
    expect(await logging.result(await logging.submit(undefined))).toBe('done');
    await component.stop();
    expect(told().match(/the log is full/g)).toHaveLength(1);
    vi.restoreAllMocks();
  },
);

it('a test environment goes on as well', async () => {
  stderrText();
  const environment = await TestEnvironment.start([logging], { logger: failing });
  const task = environment.get(logging);
  expect(await task.result(await task.submit(undefined))).toBe('done');
  await environment.stop();
  vi.restoreAllMocks();
});
