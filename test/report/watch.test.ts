import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import {
  renderWatchMail,
  type OverdueTenant,
  type WatchItem,
  type WatchReport,
} from '../../lambda/report/watch.ts';
import { harmsOf, readHtml } from './reading.ts';

function overdue(name: string, fields: Partial<OverdueTenant> = {}): OverdueTenant {
  return {
    tenant: '3f1b2c4d-0000-4000-8000-00000000c0de',
    name,
    lastRun: '2026-03-08T07:00:12.000Z',
    failing: null,
    damaged: false,
    ...fields,
  };
}

const FAILS = overdue('Fabrikam', {
  lastRun: null,
  failing: { since: '2026-03-07T07:00:00.000Z', codes: ['certificate-expired'] },
});
const STOPPED: WatchItem = { kind: 'overdue', tenants: [overdue('Contoso'), FAILS], already: [] };
const ENDS: WatchItem = {
  kind: 'certificate',
  until: '2026-04-09T12:00:00.000Z',
  daysLeft: 29,
  names: ['Contoso', 'Fabrikam'],
};

const DIGESTS: WatchItem = {
  kind: 'digests',
  digests: [{ name: 'daily', lastRun: '2026-03-07T07:00:12.000Z' }],
};

function report(...items: WatchItem[]): WatchReport {
  return { deployment: 'secure-score', toldAt: '2026-03-10T14:00:00.000Z', items };
}

/** Both parts as one line each: where they break does not matter. */
function parts(of: WatchReport): string[] {
  const { html, text } = renderWatchMail(of);
  return [readHtml(html).text, text.replace(/\s+/g, ' ')];
}

describe('the subject', () => {
  test.each<[expected: string, items: WatchItem[]]>([
    ['no successful run for Contoso and Fabrikam', [STOPPED]],
    ['the certificate of Contoso and Fabrikam expires in 29 days', [ENDS]],
    ['the certificate of Contoso and Fabrikam expires in 1 day', [{ ...ENDS, daysLeft: 1 }]],
    ['the certificate of Contoso and Fabrikam expires within a day', [{ ...ENDS, daysLeft: 0 }]],
    ['the certificate of Contoso and Fabrikam has expired', [{ ...ENDS, daysLeft: -1 }]],
    ['the digest “daily” is overdue', [DIGESTS]],
    ['no successful run for Contoso and Fabrikam (and 1 more)', [STOPPED, ENDS]],
  ])('says the essence: %s', (expected, items) => {
    expect(renderWatchMail(report(...items)).subject).toBe(`secure-score: ${expected}`);
  });
});

test('both parts report whom, since when, what is known and what to do', () => {
  for (const part of parts(report(STOPPED, ENDS))) {
    for (const fact of [
      '2 things need attention',
      'No successful run for Contoso and Fabrikam',
      'The last successful run was on 8 Mar 2026, 07:00 UTC. No run has reported an error.',
      'No run has ever succeeded. Runs have failed since 7 Mar 2026 (certificate-expired).',
      'secure-score doctor',
      'The certificate of Contoso and Fabrikam expires in 29 days',
      '9 Apr 2026',
      'secure-score certificate put',
      'listed under operations',
    ]) {
      expect(part).toContain(fact);
    }
    expect(part).not.toMatch(/undefined|NaN|\[object/);
  }
});

test('both parts list the digests, when each was made last and what to do', () => {
  for (const part of parts(report(DIGESTS))) {
    expect(part).toMatch(/daily:? It was last made on 7 Mar 2026, 07:00 UTC\./);
    expect(part).toContain('secure-score digest');
  }
});

test('separates those that were reported before from those that are new', () => {
  for (const part of parts(report({ kind: 'overdue', tenants: [FAILS], already: [overdue('Contoso')] }))) {
    expect(part).toMatch(/Reported before, and still overdue:? Contoso/);
  }
});

test('whatever the names, it is harmless, bounded and one line of subject', () => {
  const name = fc.string({ unit: anyCharacter, maxLength: 300 });
  fc.assert(
    fc.property(name, fc.array(name, { minLength: 1, maxLength: 120 }), (deployment, names) => {
      const tenants = names.map((each) => overdue(each, { failing: { since: '2026-03-07', codes: [each] } }));
      const mail = renderWatchMail({
        ...report({ kind: 'overdue', tenants, already: tenants }, { ...ENDS, names }),
        deployment,
      });
      expect(harmsOf(mail.html)).toEqual([]);
      expect(mail.subject.length).toBeLessThanOrEqual(150);
      expect(mail.subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
    { numRuns: 50 },
  );
});
