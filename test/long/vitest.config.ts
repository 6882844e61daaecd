import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * `npm run test:long`: what lasts long because it tries everything, or plays many days: `*.long.test.ts` of every room,
 * each beside the shorter tests of what it is about.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.long.test.ts'],
    globalSetup: ['test/isolation/environment.ts'],
    setupFiles: ['test/isolation/place.ts', 'test/isolation/charts.ts'],
    maxWorkers: availableParallelism(),
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
