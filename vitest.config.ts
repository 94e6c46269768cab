import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('./packages/everstep/src/', import.meta.url));

export default defineConfig({
  resolve: {
    // Tests read the source; what is built is checked from the packed tarball.
    alias: [
      { find: /^everstep$/, replacement: `${source}index.ts` },
      { find: /^everstep\/([a-z-]+)$/, replacement: `${source}$1/index.ts` },
    ],
  },
  test: {
    include: [
      'packages/everstep/src/**/*.test.ts',
      'packages/everstep/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'bench/test/**/*.test.ts',
    ],
    globalSetup: './packages/everstep/test/databases/global-setup.ts',
    pool: 'forks',
    // Many tests wait for other processes, so that a core to each file is not too much.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    reporters: ['default', './scripts/closing-line.ts'],
  },
});
