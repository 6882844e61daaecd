import { describe, expect, it } from 'vitest';
import {
  archived,
  filesIn,
  FLAGS,
  mails,
  run,
  runHere,
  simulateForEach,
  simulator,
  start,
} from './run-support.ts';

/** As run.test.ts, where processes die or meet. */

simulateForEach();

describe('secure-score run', () => {
  it('ends in one archive and one of each mail if two run at once', async () => {
    await runHere();
    simulator.advance(4);
    const both = await Promise.all([run(), run()]);
    const errors = both.flatMap(({ code, result }) => (code === 0 ? [] : [result.error.code]));
    expect(new Set(errors).difference(new Set(['claimed-by-another-run']))).toEqual(new Set());
    const sent = both.flatMap(({ result }) => result.mails ?? []);
    expect(new Set(sent.map(({ id }: { id: string }) => id)).size).toBe(sent.length);
    expect((await mails()).length).toBe(1 + sent.length);
    const reference = new Set((await archived()).map((file) => /date=[\d-]+/.exec(file)?.[0]));
    expect(reference.size).toBeGreaterThan(85);
  }, 30_000);

  it.each([
    ['the first day was archived', () => filesIn('archive/snapshots') >= 1],
    ['half of the days were archived', () => filesIn('archive/snapshots') >= 44],
    ['the mail was claimed', () => filesIn('archive/state') >= 1],
    ['the mail was sent', () => filesIn('mails') >= 1],
    ['the report was archived', () => filesIn('archive/reports') >= 1],
  ])(
    'killed when %s, leaves an archive that the next run completes',
    async (_, reached) => {
      const { child, finished } = start(...FLAGS, '--config', 'config.json');
      const watching = setInterval(() => reached() && child.kill('SIGKILL'), 1);
      await finished;
      clearInterval(watching);

      const next = await runHere();
      // Killed while it held its claim, it is waited for; what it had to report is in the claim.
      expect(next.code === 0 ? null : next.result.error.code).toBeOneOf([null, 'claimed-by-another-run']);
      const subjects = [...(next.result.pending ?? []), ...(await mails())].map(({ subject }) => subject);
      expect(new Set(subjects).size).toBe(1);
      expect(filesIn('archive/snapshots')).toBe(90);
    },
    30_000,
  );
});
