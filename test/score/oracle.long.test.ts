import { describe, expect, it } from 'vitest';
import { readProfiles, snapshotOf } from '../../lambda/graph/schema.ts';
import { diff } from '../../lambda/score/diff.ts';
import { EPSILON } from '../../lambda/score/snapshot.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import type { WireSecureScore } from '../../simulator/wire.ts';

/**
 * What the original PowerShell script mails: the sets of names compared, and the scores of the names in both, on two
 * consecutive entries. No identity but the name, no epsilon, no causes.
 */
function original(before: WireSecureScore, after: WireSecureScore) {
  const scores = ({ controlScores }: WireSecureScore) =>
    new Map(controlScores.map(({ controlName, score }) => [controlName, score]));
  const [earlier, later] = [scores(before), scores(after)];
  return {
    new: [...later.keys()].filter((name) => !earlier.has(name)),
    removed: [...earlier.keys()].filter((name) => !later.has(name)),
    moved: [...later]
      .filter(([name, score]) => earlier.has(name) && earlier.get(name) !== score)
      .map(([name, score]) => ({ name, by: score - earlier.get(name)! })),
  };
}

const HISTORIES = 1000;
const DAYS = 3;

describe('the original script as an oracle', () => {
  it(`finds nothing on ${HISTORIES} generated histories that ours does not, with the same sign and size`, () => {
    const allowed = { renamed: 0, epsilon: 0 };
    const found = { new: 0, removed: 0, moved: 0 };

    for (let seed = 0; seed < HISTORIES; seed += 1) {
      const tenant = generatedTenant(`oracle-${seed}`, {
        today: '2026-03-01',
        day: 20 + (seed % 70),
        controls: 60,
      });
      const { dates, ...reading } = tenant.read();
      const profiles = readProfiles(reading.profiles()).profiles;
      // Newest first.
      const days = dates.slice(0, DAYS).map((date, index) => reading.secureScore(date, index === 0));
      // What generated tenants do not do: an instance prefix, and a wobble below epsilon.
      const [first, second] = days[0]!.controlScores;
      if (seed % 10 === 0) first!.controlName = `11770.${first!.controlName}`;
      if (seed % 7 === 0) second!.score = second!.score + 0.004;

      for (let index = 0; index + 1 < days.length; index += 1) {
        const [after, before] = [days[index]!, days[index + 1]!];
        const theirs = original(before, after);
        const ours = diff(snapshotOf(before, false), snapshotOf(after, index === 0), {
          before: profiles,
          after: profiles,
        });
        const rows = ours.map(({ change }) => change);
        const renames = new Map(
          ours
            .filter(({ change }) => change.kind === 'renamed')
            .map((one) => [one.after!.name, one.before!.name]),
        );

        const row = (name: string, kinds: string[]) =>
          rows.find(({ kind, control }) => kinds.includes(kind) && control === name);
        const missed: string[] = [];
        for (const name of theirs.new) {
          if (renames.has(name)) allowed.renamed += 1;
          else if (!row(name, ['new'])) missed.push(`new ${name}`);
        }
        const formerNames = new Set(renames.values());
        for (const name of theirs.removed) {
          if (!formerNames.has(name) && !row(name, ['removed'])) missed.push(`removed ${name}`);
        }
        for (const { name, by } of theirs.moved) {
          const points = row(name, ['lost', 'gained', 'drift'])?.points;
          if (!points && Math.abs(by) <= EPSILON + 1e-9) allowed.epsilon += 1;
          else if ((points?.after ?? 0) - (points?.before ?? 0) !== by) missed.push(`moved ${name} by ${by}`);
        }
        expect(missed).toEqual([]);
        found.new += theirs.new.length;
        found.removed += theirs.removed.length;
        found.moved += theirs.moved.length;

        // And nothing more than it: ours invents no change either.
        const named = new Set([...theirs.new, ...theirs.removed, ...theirs.moved.map(({ name }) => name)]);
        const invented = rows.filter(
          ({ kind, control }) =>
            ['new', 'removed', 'lost', 'gained', 'drift'].includes(kind) &&
            !named.has(control ?? '') &&
            !renames.has(control ?? ''),
        );
        expect(invented).toEqual([]);
      }
    }
    expect(found.moved).toBeGreaterThan(1000);
    expect(found.new).toBeGreaterThan(10);
    expect(found.removed).toBeGreaterThan(10);
    // The differences that the design allows, each counted.
    expect(allowed).toEqual({ renamed: 100, epsilon: expect.any(Number) });
    expect(allowed.epsilon).toBeGreaterThan(100);
  }, 60_000);
});
