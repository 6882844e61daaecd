import { defineConfig } from 'vitest/config';

/**
 * `npm run test:trino`: the questions of the history on Trino, the engine of Athena. Needs a JDK of 24 or newer, tar,
 * and Maven, which fetches Trino (820 MB, once).
 */
export default defineConfig({
  test: {
    include: ['test/trino/**/*.test.ts'],
    globalSetup: ['test/trino/setup.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 60_000,
  },
});
