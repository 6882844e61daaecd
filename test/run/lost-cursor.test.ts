import { describe, expect, it } from 'vitest';
import { monitor } from '../../lambda/monitor.ts';
import { fillDays, TENANT_ID, world } from './fakes.ts';

const points = (alpha: number) => ({ controls: { alpha }, maximum: 10 });

/** Started on 1 March; on 2 March alpha fell from 9 to 7, which was reported. */
async function reported() {
  const w = world('2026-03-01T07:00:00Z');
  fillDays(w.graph, '2026-02-20', 10, points(9));
  await monitor(w.runOf());
  w.graph.days.set('2026-03-02', points(7));
  w.clock.set('2026-03-02T07:00:00Z');
  await monitor(w.runOf());
  w.mailer.sent.length = 0;
  const keyOf = (date: string) =>
    [...w.store.objects.keys()].find((key) => key.startsWith(`snapshots/tenant=${TENANT_ID}/date=${date}/`))!;
  const next = (date: string, alpha: number) => {
    w.graph.days.set(date, points(alpha));
    w.clock.set(`${date}T07:00:00Z`);
    return monitor(w.runOf());
  };
  const moves = (result: Awaited<ReturnType<typeof monitor>>) =>
    result.changes.filter(({ control }) => control !== null).map(({ kind, date }) => `${kind} ${date}`);
  return { ...w, keyOf, next, moves };
}

const LOSSES = [
  ['lost', (objects: Map<string, Uint8Array>, key: string) => void objects.delete(key)],
  ['damaged', (objects: Map<string, Uint8Array>, key: string) => void objects.set(key, Buffer.from('x'))],
] as const;

describe.each(LOSSES)('a snapshot last reported that is %s', (_, lose) => {
  it('is fetched again, and nothing is reported twice', async () => {
    const w = await reported();
    lose(w.store.objects, w.keyOf('2026-03-02'));
    const result = await w.next('2026-03-03', 6);
    expect(w.moves(result)).toEqual(['lost 2026-03-03']);
    expect(w.mailer.sent[0]!.text).toMatch(/Another\s+version\s+of\s+that\s+day/);
    expect(w.moves(await w.next('2026-03-04', 5))).toEqual(['lost 2026-03-04']);
    expect(w.mailer.sent[1]!.text).not.toMatch(/Another\s+version/);
  });

  it('is fetched again after an outage of weeks', async () => {
    const w = await reported();
    lose(w.store.objects, w.keyOf('2026-03-02'));
    expect(w.moves(await w.next('2026-03-20', 6))).toEqual(['lost 2026-03-20']);
  });

  it('and that Graph no longer has: the run goes on from the day before, and says that it may repeat', async () => {
    const w = await reported();
    lose(w.store.objects, w.keyOf('2026-03-02'));
    w.graph.days.delete('2026-03-02');
    const result = await w.next('2026-03-03', 6);
    expect(w.moves(result)).toEqual(['lost 2026-03-03']);
    expect(result.explanation).toMatchObject({ before: 90, after: 60 });
    expect(w.mailer.sent[0]!.text).toMatch(/may\s+repeat\s+changes/);
    expect(w.moves(await w.next('2026-03-04', 5))).toEqual(['lost 2026-03-04']);
  });
});
