import type { Reporter, TestModule } from 'vitest/node';

/** Closes a run with the plain line `N passed, N failed`, by which CI counts tests; listed last in the configs. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      // A file that cannot be loaded, or a hook that throws, holds no failed test and has failed all the same.
      const suites = [module, ...module.children.allSuites()];
      count.failed += suites.filter((suite) => suite.errors().length > 0).length;
      for (const test of module.children.allTests()) count[test.result().state] += 1;
    }
    // No file at all: none matched, or the global setup failed. Either way nothing was shown to work.
    if (modules.length === 0 && count.failed === 0) count.failed = 1;
    // A test that never came to its end (the run was interrupted, or its file broke) has not passed.
    const skipped = count.skipped + count.pending;
    console.log(`${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}
