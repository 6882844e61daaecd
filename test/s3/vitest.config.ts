import { defineConfig } from 'vitest/config';

/** `npm run test:s3`: what the archive promises, on S3 as an emulator answers. Needs Python. */
export default defineConfig({
  test: {
    include: ['test/s3/**/*.test.ts'],
    globalSetup: ['test/s3/setup.ts'],
    setupFiles: ['test/isolation/place.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 30_000,
  },
});
