import { vi } from 'vitest';

/** What is written to stdout and stderr while the work is done: lines of JSON, as Lambda hands them to CloudWatch. */
export async function logOf(work: () => unknown): Promise<Record<string, unknown>[]> {
  let written = '';
  const keep = (chunk: unknown) => {
    written += String(chunk);
    return true;
  };
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(keep),
  );
  try {
    await work();
  } finally {
    for (const stream of streams) stream.mockRestore();
  }
  return written
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
