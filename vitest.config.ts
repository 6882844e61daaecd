import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig, type TestProjectConfiguration } from 'vitest/config';

const PLACE = 'test/isolation/place.ts';

/** Rooms whose files play complete runs, in which no test looks at a drawn chart. */
const RUNS = ['test/{archive,bench,cli,digest,history,run,simulator}/**/*.test.ts', 'test/proxy.test.ts'];

/** Files that replace modules permanently: each has a process of its own. */
const ALONE = [
  'test/archive/folder-faults.test.ts',
  'test/report/chart-fails.test.ts',
  'test/rotation/rotate.test.ts',
];

/** `npm test`: what needs Node alone and does not take long. Suites that need more have a config of their own beside them. */
export default defineConfig({
  test: {
    exclude: [
      ...configDefaults.exclude,
      'test/**/*.long.test.ts',
      'test/s3/**',
      'test/deploy/**',
      'test/package/**',
      'test/browser/**',
      'test/trino/**',
    ],
    globalSetup: ['test/isolation/environment.ts'],
    // Workers take every core: vitest leaves one free, which on two cores doubles the wait.
    maxWorkers: availableParallelism(),
    // Files share their process and its modules, which take longer to load than most files to run; place.ts cleans up.
    isolate: false,
    // Machines are shared: what takes a second alone may take ten beside others.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/count-reporter.ts'],
    projects: [
      project('runs', { include: RUNS, exclude: ALONE, setupFiles: [PLACE, 'test/isolation/charts.ts'] }),
      project('alone', { include: ALONE, isolate: true }),
      project('rooms', { include: ['test/**/*.test.ts'], exclude: [...RUNS, ...ALONE] }),
    ],
  },
});

function project(name: string, test: object): TestProjectConfiguration {
  return { extends: true, test: { name, setupFiles: [PLACE], ...test } };
}
