import { configDefaults, defineConfig } from 'vitest/config';

/** `npm test`: everything that needs Node alone. Suites that need more have a config of their own beside them. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      'test/s3/**',
      'test/deploy/**',
      'test/package/**',
      'test/browser/**',
      'test/trino/**',
    ],
    globalSetup: ['test/isolation/environment.ts'],
    setupFiles: ['test/isolation/place.ts'],
    // Machines are shared: what takes a second alone may take ten beside others.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/count-reporter.ts'],
  },
});
