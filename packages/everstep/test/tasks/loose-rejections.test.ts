/** What a rejection that nobody handles does to the process: in processes of their own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const source = new URL('../../src/index.ts', import.meta.url).href;

/** Runs that code over a workflow that is cancelled while a helper of its own waits; resolves with how it ended. */
async function ended(after: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-loose-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'main.mts');
  writeFileSync(
    file,
    `import { AsyncTaskComponent, workflow } from ${JSON.stringify(source)};
    const flow = workflow({ name: 'flow' }, async (ctx) => {
      const helper = async () => {
        try {
          await ctx.step('long', ({ signal }) => new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason))));
        } catch (cause) {
          throw new TypeError('the helper gave up', { cause });
        }
      };
      const helping = helper();
      await ctx.awaitSignal('never');
      await helping;
    });
    const component = new AsyncTaskComponent({ store: 'memory' });
    component.register(flow);
    await component.start();
    const handle = await flow.start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await handle.cancel();
    await handle.result().catch((error) => console.log(error.cause.name));
    await new Promise((resolve) => setTimeout(resolve, 100));
    ${after}
    console.log('alive');
    await component.stop();`,
  );
  const tsx = import.meta.resolve('tsx');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', tsx, file],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}

it('a helper that nobody awaits does not end the process when the workflow is cancelled', async () => {
  const { code, stdout, stderr } = await ended('');
  expect(stderr).not.toContain('gave up');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'CancelledFailure\nalive\n' });
}, 30_000);

it('any other rejection ends it as before', async () => {
  const { code, stdout, stderr } = await ended(
    `void Promise.reject(new RangeError('none of ours')); await new Promise((resolve) => setTimeout(resolve, 100));`,
  );
  expect(stdout).toBe('CancelledFailure\n');
  expect(stderr).toContain('RangeError: none of ours');
  expect(code).not.toBe(0);
}, 30_000);
