import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { monthly, table, USE } from '../../bench/cost.ts';
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
  // Secret, key, dashboard, alarms; then $0.30 a metric and month, of which one hour a day.
  const { alarms, metricsOfDeployment } = USE;
  expect(monthly(1).fixed).toBeCloseTo(0.4 + 1 + 3 + alarms * 0.1 + (metricsOfDeployment * 0.3) / 24, 6);
});

it('the fixed costs are of what is deployed', () => {
  const deployment = synthesize();
  expect(ofType(deployment, 'AWS::CloudWatch::Alarm')).toHaveLength(USE.alarms);
  for (const type of ['AWS::CloudWatch::Dashboard', 'AWS::KMS::Key', 'AWS::SecretsManager::Secret']) {
    expect(ofType(deployment, type)).toHaveLength(1);
  }
});
