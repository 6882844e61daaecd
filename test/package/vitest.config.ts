import { defineConfig } from 'vitest/config';

/** `npm run test:package`: packs, and installs what was packed. Needs the registry, or npm's cache of it. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
