import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a run with one plain line, `N passed, N failed`. A file that could not be loaded and an error
 * outside every test count as failed: neither is seen in the number of tests.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    const reasons = new Set<string>();
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failed += 1;
        else skipped += 1;
        if (result.state === 'skipped' && result.note !== undefined) reasons.add(result.note);
      }
    }
    // After the summary of the default reporter, which is written when the process is about to end.
    process.once('exit', () => {
      const why = reasons.size === 0 ? '' : `: ${[...reasons].join('; ')}`;
      if (skipped > 0) process.stdout.write(`${skipped} skipped${why}\n`);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
    });
  }
}
