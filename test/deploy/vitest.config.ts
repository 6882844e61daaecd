import { defineConfig } from 'vitest/config';

/** `npm run test:deploy`: the real app, deployed into an emulated AWS, where its schedules fire. Needs Python. */
export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    // Each test goes on from where the one before it left the deployment.
    sequence: { shuffle: false },
    bail: 1,
    // Each file has an emulator of its own, and schedules that wait for a minute.
    fileParallelism: false,
    // A schedule fires at a full minute, and the emulator looks every ten seconds.
    testTimeout: 150_000,
    hookTimeout: 240_000,
  },
});
