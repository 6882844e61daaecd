import { expect, test } from 'vitest';
import { Rebuilders } from '../../cli/archive/rebuilders.ts';
import { MonitorError } from '../../lambda/errors.ts';

const log = { info: () => {}, warn: () => {}, error: () => {} };

test('an error in a thread arrives as it is, with its advice, and the thread takes the next tenant', async () => {
  const threads = new Rebuilders();
  const rebuild = (location: string) =>
    threads.rebuild(
      { location, tenantId: '00000000-0000-4000-8000-000000000001', everything: true },
      { log, onProgress: () => {} },
    );
  try {
    for (const location of ['ftp://elsewhere', 'nfs://elsewhere']) {
      const error = await rebuild(location).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MonitorError);
      expect(error).toMatchObject({ code: 'archive-location-invalid', retryable: false });
      expect((error as MonitorError).message).toContain(location);
      expect((error as MonitorError).advice).not.toBe('');
    }
  } finally {
    await threads.close();
  }
});
