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
    reporters: ['default', './test/count-reporter.ts'],
  },
});
