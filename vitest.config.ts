import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig, type TestProjectConfiguration } from 'vitest/config';

const PLACE = 'test/isolation/place.ts';

/** Rooms whose files play whole runs, of which no test looks at a drawn chart. */
const RUNS = ['test/run/**/*.test.ts'];

/** Fails the drawing of charts for good, in its whole process. */
const CHART_FAILS = 'test/report/chart-fails.test.ts';

/** Rooms of pure functions: nothing that one file leaves behind can reach another, so that they share their modules. */
const PURE = ['test/score/**/*.test.ts', 'test/report/**/*.test.ts'];

/** `npm test`: everything that needs Node alone. Suites that need more have a config of their own beside them. */
export default defineConfig({
  test: {
    exclude: [
      ...configDefaults.exclude,
      'test/s3/**',
      'test/deploy/**',
      'test/package/**',
      'test/browser/**',
      'test/trino/**',
    ],
    // Workers take every core: vitest leaves one free, which on two cores doubles the wait.
    maxWorkers: availableParallelism(),
    globalSetup: ['test/isolation/environment.ts'],
    // Machines are shared: what takes a second alone may take ten beside others.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/count-reporter.ts'],
    projects: [
      project('runs', { include: RUNS, setupFiles: [PLACE, 'test/isolation/charts.ts'] }),
      project('pure', { include: PURE, exclude: [CHART_FAILS], isolate: false }),
      project('others', {
        include: ['test/**/*.test.ts'],
        exclude: [...RUNS, 'test/score/**', 'test/report/!(chart-fails).test.ts'],
      }),
    ],
  },
});

function project(name: string, test: object): TestProjectConfiguration {
  return { extends: true, test: { name, setupFiles: [PLACE], ...test } };
}
