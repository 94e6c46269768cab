import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('./packages/everstep/src/', import.meta.url));

/** Tests that leave nothing behind in their process: these read the contract's large modules once and not each again. */
const together = [
  'packages/everstep/src/{component,core,gateway,observability,security,service,store,tasks,testing}/**/*.test.ts',
  'packages/everstep/test/{tasks,types}/**/*.test.ts',
];

/** Rounds with real processes that take half a minute each: `npm run test:long`. */
const long = [
  'packages/everstep/test/crash/{damaged-runs,full-disk,online-copy,wire-crash}.test.ts',
  'packages/everstep/src/integrations/integration-process.test.ts',
];

export default defineConfig({
  resolve: {
    // Tests read the source; what is built is checked from the packed tarball.
    alias: [
      { find: /^everstep$/, replacement: `${source}index.ts` },
      { find: /^everstep\/([a-z-]+)$/, replacement: `${source}$1/index.ts` },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'together', include: together, exclude: long, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'apart',
          include: [
            'packages/everstep/src/**/*.test.ts',
            'packages/everstep/test/**/*.test.ts',
            'examples/*/test/**/*.test.ts',
            'examples/integrations/*/test/**/*.test.ts',
            'bench/test/**/*.test.ts',
          ],
          exclude: [...together, ...long],
        },
      },
      { extends: true, test: { name: 'long', include: long } },
    ],
    globalSetup: './packages/everstep/test/databases/global-setup.ts',
    pool: 'forks',
    // Many tests wait for other processes: one more than there are cores keeps these at work meanwhile.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    reporters: ['default', './scripts/closing-line.ts'],
  },
});
