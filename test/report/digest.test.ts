import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawBlocks } from '../../lambda/report/blocks.ts';
import { drawCard } from '../../lambda/report/card.ts';
import { digestDocument } from '../../lambda/report/digest.ts';
import { digestSubject } from '../../lambda/report/digest-sum.ts';
import { drawJson, reportSchema } from '../../lambda/report/json.ts';
import { renderMail } from '../../lambda/report/render.ts';
import type { DigestReport } from '../../lambda/report/digest-model.ts';
import { digestOf, digests } from './digests.ts';
import { HOSTILE, hostileText } from './hostile.ts';
import { harmsOf, readCsv, readHtml } from './reading.ts';

const DELIVERY = {
  id: '0123456789abcdef-digest-siem',
  kind: 'digest' as const,
  reportKey: 'reports/digest=daily/x.json',
};
const ALL = Object.entries<DigestReport>(digests);

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

describe.each(ALL)('a digest, %s', (_, digest) => {
  const mailOnce = once(() => renderMail(digest, 'digest'));

  test('is a harmless mail below the size at which Gmail clips, with short lines, and the same each time', async () => {
    const mail = await mailOnce();
    expect(harmsOf(mail.html)).toEqual([]);
    expect(Buffer.byteLength(mail.html)).toBeLessThan(102_000);
    expect(mail.problem).toBeNull();
    expect(mail.text.split('\n').filter((each) => each.length > 78 && !/\S{30}/.test(each))).toEqual([]);
    for (const part of [mail.html, mail.text])
      expect(part).not.toMatch(/undefined|NaN|\[object|>null|>false|Infinity/);
    expect(mail.subject.length).toBeLessThanOrEqual(150);
    expect(readHtml(mail.html).text).toContain('you are listed as a recipient of the digest');
    expect(await renderMail(digest, 'digest')).toEqual(mail);
  });

  test('has the lists: every tenant, every change', async () => {
    const { attachments } = await mailOnce();
    const [changes, tenants] = ['changes.csv', 'tenants.csv'].map((name) =>
      readCsv(Buffer.from(attachments.find((each) => each.name === name)!.content).toString()),
    ) as [string[][], string[][]];
    expect(tenants).toHaveLength(1 + digest.tenants.length);
    expect(changes).toHaveLength(1 + digest.tenants.reduce((sum, each) => sum + each.changes.length, 0));
    for (const row of tenants.slice(1)) {
      const [total, ...parts] = row.slice(6, 13).map(Number) as [number, ...number[]];
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(total, 5);
    }
  });

  test('is JSON of at most 240 kB, as the schema says', () => {
    const body = drawJson({ ...DELIVERY, report: digest });
    expect(reportSchema.parse(body)).toEqual(body);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(240_000);
    expect(body.type).toBe('secure-score.digest');
  });

  test('prints a sum that adds up', () => {
    const sum = digestDocument(digest).blocks.find((block) => block.type === 'sum')!;
    const number = (text: string | undefined) => Number(text?.replace('−', '-').replace('±', '') ?? 0);
    const signed = (pattern: RegExp, sign: (match: RegExpExecArray) => number) => {
      const found = pattern.exec(sum.sentence);
      return found ? sign(found) : 0;
    };
    const total = signed(
      /^(Down|Up) (\d+\.\d+)/,
      ([, way, amount]) => (way === 'Down' ? -1 : 1) * Number(amount),
    );
    const parts = [
      signed(/lost (\d+\.\d+)/, ([, amount]) => -Number(amount)),
      signed(/gained (\d+\.\d+)/, ([, amount]) => Number(amount)),
      signed(
        /changes (took|gave) (?:another )?(\d+\.\d+)/,
        ([, way, amount]) => (way === 'took' ? -1 : 1) * Number(amount),
      ),
      ...sum.lines.map(({ amount }) => (amount.startsWith('less') ? 0 : number(amount))),
    ];
    expect(parts.reduce((all, part) => all + part, 0)).toBeCloseTo(total, 9);
  });
});

test('a month of 1,000 tenants leaves what needs attention and what was lost', async () => {
  const { html } = await renderMail(digests.monstrous, 'digest');
  const { text } = readHtml(html);
  expect(text.indexOf('Needs attention')).toBeLessThan(text.indexOf('Tenants that lost points'));
  expect(text).toContain('600');
  expect(text).toMatch(/and \d+ more, in the attached changes\.csv/);
});

test('a problem that many have is one entry', () => {
  const document = digestDocument({
    ...digests.daily,
    attention: digests.daily.tenants.slice(0, 40).map(({ tenantId, name }) => ({
      kind: 'failing',
      tenantId,
      name,
      since: '2026-11-27T05:00:00Z',
      message: 'The certificate has expired.',
      advice: 'Renew it.',
      urgent: [],
      isKnown: false,
    })),
  });
  const block = document.blocks.find((each) => each.type === 'entries')!;
  expect(block.entries.map(({ title, figures }) => [title, figures])).toEqual([
    ['40 of 300 tenants', 'Runs are failing'],
  ]);
});

test('Microsoft’s advice keeps its links, of one tenant and of many', async () => {
  const { html, text } = await renderMail(
    digestOf({
      tenants: 40,
      every: 'day',
      days: 1,
      losing: 20,
      gaining: 0,
      failing: 0,
      added: [],
      spread: 3,
    }),
    'digest',
  );
  const link = /<a[^>]*href="https:\/\/entra\.microsoft\.com\/"[^>]*>Microsoft Entra admin center/g;
  expect([...html.matchAll(link)].length).toBeGreaterThan(1);
  expect(text).toContain('https://entra.microsoft.com/');
});

test('a change that raised some tenants and lowered others has its range', () => {
  const [[, digest]] = ALL as [(typeof ALL)[number]];
  const many = digest.many.find(({ kind, tenantIds }) => kind === 'new' && tenantIds.length > 2)!;
  const flip = many.tenantIds[0];
  const tenants = digest.tenants.map((tenant) => ({
    ...tenant,
    changes: tenant.changes.map((row) =>
      tenant.tenantId === flip && row.kind === many.kind && row.control === many.control
        ? { ...row, percentagePoints: 0.4 }
        : row,
    ),
  }));
  const notes = (of: DigestReport) =>
    digestDocument(of).blocks.flatMap((block) =>
      block.type === 'entries' ? block.entries.flatMap((entry) => entry.notes) : [],
    );
  expect(notes(digest).join(' ')).not.toContain('Between');
  expect(notes({ ...digest, tenants })).toContainEqual(
    expect.stringMatching(/^Between −0\.\d\d and \+0\.40\.$/),
  );
});

test('the subject says what there is: nothing to compare and no findings, or only tenants that came or went', () => {
  const [[, digest]] = ALL as [(typeof ALL)[number]];
  const fleet = { ...digest.fleet, before: null, after: null, account: null };
  const quiet = { ...digest, fleet, tenants: [], attention: [], many: [], removed: [] };
  expect(digestSubject(quiet)).toMatch(/tenants?$/);
  const removed = [{ tenantId: '', name: 'Former' }];
  expect(digestSubject({ ...quiet, removed })).toMatch(/tenants?: 1 removed$/);
  expect(digestDocument({ ...quiet, removed }).title).toBe('1 removed');
});

describe('foreign texts', () => {
  const small = digestOf({
    tenants: 4,
    every: 'month',
    days: 3,
    losing: 2,
    gaining: 1,
    failing: 1,
    added: [3],
    deciding: 0,
    adding: 0,
    removed: 1,
  });
  const spoilt = (text: string): DigestReport =>
    JSON.parse(
      JSON.stringify(small, (key, value: unknown) =>
        [
          'name',
          'title',
          'category',
          'message',
          'advice',
          'remediation',
          'actionUrl',
          'state',
          'implementationCost',
        ].includes(key) && typeof value === 'string'
          ? text
          : value,
      ),
    ) as DigestReport;

  const harms = async (text: string): Promise<string[]> => {
    const digest = spoilt(text);
    const mail = await renderMail(digest, 'digest');
    const body = drawJson({ ...DELIVERY, report: digest });
    const document = digestDocument(digest);
    const portal = 'https://security.microsoft.com/securescore';
    return [
      ...harmsOf(mail.html),
      ...(Buffer.byteLength(JSON.stringify(body)) > 240_000 ? ['too large'] : []),
      ...(/[\r\n]/.test(digestSubject(digest)) ? ['two lines'] : []),
      ...(Buffer.byteLength(JSON.stringify(drawCard(document, { portal }))) > 21_000
        ? ['card too large']
        : []),
      ...(drawBlocks(document, { portal }).blocks.length > 50 ? ['too many blocks'] : []),
    ];
  };

  test.each(HOSTILE.map((each) => [JSON.stringify(each).slice(0, 50), each]))('%s', async (_, text) => {
    expect(await harms(text)).toEqual([]);
  });

  test('whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, async (text) => {
        expect(await harms(text)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});
