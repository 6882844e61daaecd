import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALWAYS_FREE, monthly, table, USE } from '../../bench/cost.ts';
import { ofType, synthesize } from '../lib/deployment.ts';

/** The cells of a table, whatever the width that they are padded to. */
const cells = (markdown: string) =>
  markdown.split('\n').map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+:$/, '--:')));

it('the README has the table that is computed', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const written = /^\| *tenants .*(?:\n\|.*)+/m.exec(readme)?.[0] ?? '';
  expect(cells(written)).toEqual(cells(table()));
});

it('a metric that is sent once a day costs an hour of it, not the day', () => {
  // Secret, alarms; then $0.30 a metric and month, of which one hour a day.
  const { alarms, metricsOfDeployment } = USE;
  expect(monthly(1).fixed).toBeCloseTo(0.4 + alarms * 0.1 + (metricsOfDeployment * 0.3) / 24, 6);
});

it('stays below the aims', () => {
  const sum = (parts: Record<string, number>) => Object.values(parts).reduce((all, part) => all + part, 0);
  expect(sum(monthly(1, ALWAYS_FREE))).toBeLessThan(1);
  expect(sum(monthly(1))).toBeLessThan(3);
  expect((sum(monthly(1001)) - sum(monthly(1))) / 1000).toBeLessThan(0.02);
});

it('the fixed costs are of what is deployed', () => {
  const deployment = synthesize();
  expect(ofType(deployment, 'AWS::CloudWatch::Alarm')).toHaveLength(USE.alarms);
  expect(ofType({ resources: deployment.resources }, 'AWS::SecretsManager::Secret')).toHaveLength(1);
  for (const type of ['AWS::CloudWatch::Dashboard', 'AWS::KMS::Key']) {
    expect(() => ofType(deployment, type)).toThrow('have no');
  }
});
