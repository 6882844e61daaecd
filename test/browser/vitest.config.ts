import { defineConfig } from 'vitest/config';

/** `npm run test:browser`: the history page in Chromium. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/isolation/environment.ts', 'test/browser/setup.ts'],
    setupFiles: ['test/isolation/place.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
