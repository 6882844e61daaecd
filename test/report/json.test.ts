import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ACTING } from '../../lambda/characters.ts';
import { documentOf } from '../../lambda/report/document-of.ts';
import { drawJson, reportSchema, type ReportBody } from '../../lambda/report/json.ts';
import { HOSTILE, hostileReport, hostileText } from './hostile.ts';
import { NO_ACCOUNT, reports } from './reports.ts';
import type { MailKind } from '../../lambda/ports.ts';
import type { Report, ReportKind } from '../../lambda/report/model.ts';

const PUBLISHED = join(import.meta.dirname, '../../docs/report.schema.json');
const DELIVERY = { id: '0123456789abcdef-scores-siem', reportKey: 'reports/tenant=x/date=2026-01-09/a.json' };
const KINDS: ReportKind[] = ['scores', 'controls', 'start', 'operations'];
const ALL = KINDS.flatMap((kind) =>
  Object.entries<Report>(reports[kind]).map(([size, report]): [string, MailKind, Report] => [
    `${kind}, ${size}`,
    kind,
    report,
  ]),
);

function bodyOf(report: Report, kind: MailKind): ReportBody {
  return drawJson({ ...DELIVERY, kind, report });
}

/** By the published schema, read by another's reader. */
const validate = (() => {
  let compiled: ReturnType<Ajv2020['compile']> | undefined;
  return (body: unknown): string[] => {
    compiled ??= new Ajv2020({ allErrors: true, validateFormats: false }).compile(
      JSON.parse(readFileSync(PUBLISHED, 'utf8')) as object,
    );
    return compiled(body)
      ? []
      : (compiled.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
})();

function harmsOf(report: Report, kind: MailKind): string[] {
  const body = bodyOf(report, kind);
  const size = Buffer.byteLength(JSON.stringify(body));
  const acting: string[] = [];
  JSON.stringify(body, (name, value: unknown) => {
    if (typeof value === 'string' && value.replaceAll('\n', '').match(ACTING))
      acting.push(`${name}: ${value}`);
    if (name === 'actionUrl' && typeof value === 'string' && !/^https:\/\/[!-~]+$/.test(value))
      acting.push(value);
    return value;
  });
  return [...validate(body), ...acting, ...(size <= 240_000 ? [] : [`${size} bytes`])];
}

test('the published schema is that of the code: after a change, npx vitest run test/report/json.test.ts -u', async () => {
  const schema = z.toJSONSchema(reportSchema, { io: 'input' });
  const text = await format(JSON.stringify(schema), { ...(await resolveConfig(PUBLISHED)), parser: 'json' });
  await expect(text).toMatchFileSnapshot(PUBLISHED);
});

describe.each(ALL)('%s', (_, kind, report) => {
  test('matches the schema, and has no other field', () => {
    expect(harmsOf(report, kind)).toEqual([]);
    expect(reportSchema.parse(bodyOf(report, kind))).toEqual(bodyOf(report, kind));
  });

  test('has the figures of the report, unrounded', () => {
    const { data, type, timestamp } = bodyOf(report, kind);
    expect({ type, timestamp }).toEqual({ type: `secure-score.${kind}`, timestamp: report.toldAt });
    expect(data.score).toEqual({ before: report.before, after: report.after });
    expect(data.title).toBe(documentOf(report, kind).title);
  });
});

test('the parts of the explanation add up to the change', () => {
  const explained = ALL.filter(([, , report]) => report.account !== null);
  expect(explained.length).toBeGreaterThan(4);
  for (const [, kind, report] of explained) {
    const { explanation, score } = bodyOf(report, kind).data;
    const parts = Object.values(explanation!).map((part) =>
      typeof part === 'number' ? part : part.percentagePoints,
    );
    const sum = parts.reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(score.after!.percentage! - score.before!.percentage!, 9);
  }
});

test('no part of an account is left out', () => {
  const known = Object.keys(NO_ACCOUNT).map((name) => (name === 'waiting' ? 'pending' : name));
  const { explanation } = bodyOf({ ...reports.scores.tiny, account: NO_ACCOUNT }, 'scores').data;
  expect(Object.keys(explanation!).toSorted()).toEqual(known.toSorted());
  const { data } = reportSchema.def.options[0].shape;
  expect(Object.keys(data.shape.explanation.def.innerType.shape).toSorted()).toEqual(known.toSorted());
});

test('a kind has its own changes, with confirmed drops among the losses', () => {
  const kinds = (report: Report, kind: MailKind) =>
    bodyOf(report, kind).data.changes.map((each) => each.kind);
  expect(kinds(reports.scores.typical, 'scores')).toEqual(['lost', 'lost', 'gained']);
  expect(kinds(reports.scores.typical, 'controls')).toEqual(['new', 'new', 'new', 'new', 'new']);
  expect(kinds(reports.scores.typical, 'operations')).toEqual([]);
  const confirmed = bodyOf(reports.scores.settled, 'scores').data.changes.filter((each) => each.isConfirmed);
  expect(confirmed.map(({ control }) => control)).toEqual(
    reports.scores.settled.confirmed.map(({ control }) => control),
  );
});

test('too many changes are reduced to the largest, with the number of the others', () => {
  const { changes, moreChanges } = bodyOf(reports.controls.monstrous, 'controls').data;
  expect(changes.length).toBeGreaterThan(20);
  expect(changes.length + moreChanges).toBe(90 * 4 * 5);
});

test('urgent reports say why', () => {
  const { isUrgent, urgent } = bodyOf(reports.scores.urgent, 'scores').data;
  expect({ isUrgent, urgent: urgent.length }).toEqual({ isUrgent: true, urgent: 2 });
  expect(bodyOf(reports.scores.typical, 'scores').data).toMatchObject({ isUrgent: false, urgent: [] });
});

describe('hostile texts', () => {
  test.each(HOSTILE.map((each) => [JSON.stringify(each).slice(0, 50), each]))('%s', (_, hostile) => {
    for (const kind of KINDS) expect(harmsOf(hostileReport(hostile, hostile), kind)).toEqual([]);
  });

  test('and any other', () => {
    fc.assert(
      fc.property(hostileText, hostileText, fc.constantFrom(...KINDS), (one, other, kind) => {
        expect(harmsOf(hostileReport(one, other), kind)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
