import { styleText } from 'node:util';
import { loadConfig } from '../shared/load-config.ts';
import { count } from '../../lambda/report/format.ts';
import type { Finding } from '../doctor/checks/examination.ts';
import { examine } from '../doctor/doctor.ts';
import { describeFinding, isUnused, MARKS } from '../doctor/present.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { plainTable } from '../shared/plain-table.ts';
import { progressLine } from '../shared/progress-line.ts';

/** How many tenants at the same time. */
const AT_ONCE = 8;

interface CheckFlags {
  config: string;
  certificate?: string;
  archive?: string;
  stack?: string;
  problems?: boolean;
  json: boolean;
}

/** `secure-score tenant check`: the doctor over all tenants, as one table. */
export const check: Command<CheckFlags> = {
  flags: (yargs) =>
    yargs
      .option('config', OPTIONS.config)
      .option('certificate', OPTIONS.certificate)
      .option('archive', OPTIONS.deployedArchive)
      .option('stack', OPTIONS.stack)
      .option('problems', { type: 'boolean', describe: 'Show only tenants that fail or need attention' })
      .option('json', OPTIONS.json)
      .epilogue(`${AT_ONCE} tenants are checked at the same time. Exit code 1 if any fails.`),
  examples: [['tenant check --problems', '']],
  act,
};

interface Checked {
  tenant: string;
  name: string;
  ok: boolean;
  checks: Finding[];
}

async function act(flags: CheckFlags): Promise<number> {
  const { config: path, certificate, archive, stack, json } = flags;
  const config = await loadConfig(path);
  const found = new Map<string, Finding[]>(config.tenants.map(({ name }) => [name, []]));
  const setup: Finding[] = [];
  const all: Finding[] = [];
  const line = progressLine();
  await examine({ config: path, certificate, archive, stack, parallel: AT_ONCE, json }, all, (finding) => {
    all.push(finding);
    if (isUnused(finding)) return;
    (finding.tenant === null ? setup : found.get(finding.tenant))?.push(finding);
    const done = [...found.values()].filter((checks) => checks.length > 0).length;
    line.show(`${done} of ${found.size} tenants`);
  });
  line.clear();

  const checked = config.tenants.map(({ tenantId, name }): Checked => {
    const checks = found.get(name) ?? [];
    return { tenant: tenantId, name, ok: checks.every(({ status }) => status !== 'failed'), checks };
  });
  const shown = flags.problems ? checked.filter(({ checks }) => checks.some(needsLook)) : checked;
  const ok = checked.every((each) => each.ok) && setup.every(({ status }) => status !== 'failed');
  if (json) console.log(JSON.stringify({ ok, setup, tenants: shown }, null, 2));
  else {
    // What all tenants need comes first: it may have caused the rest.
    let before: Finding | undefined;
    for (const each of setup.filter(needsLook)) {
      console.log(describeFinding(each, before));
      before = each;
    }
    if (before) console.log('');
    if (shown.length > 0) console.log(tableOf(shown));
    const problems = problemsOf(shown);
    if (problems !== '') console.log(`\n${problems}`);
    console.log(summary(checked));
  }
  return ok ? EXIT.done : EXIT.failed;
}

function tableOf(tenants: readonly Checked[]): string {
  const names = [...new Set(tenants.flatMap(({ checks }) => checks.map(({ check: name }) => name)))];
  const rows = tenants.map(({ name, checks }) => [
    name,
    ...names.map((each) => {
      const status = checks.find(({ check: one }) => one === each)?.status;
      return status === undefined ? '' : styleText(MARKS[status].colour, MARKS[status].mark);
    }),
  ]);
  return plainTable(rows, { headings: ['tenant', ...names] });
}

/** How many tenants are named before the rest is counted. */
const NAMED = 5;

/** What many tenants have in common is described once, with how many and whom it concerns; failures come first. */
function problemsOf(tenants: readonly Checked[]): string {
  const all = tenants.flatMap(({ checks }) => checks.filter(needsLook));
  // Ids, names and times differ between tenants that have the same problem.
  const kindOf = ({ check: name, status, code, found }: Finding) =>
    [name, status, code ?? found.replaceAll(/[\da-f-]*\d[\da-f-]*/gi, '#')].join('\n');
  const groups = [...Map.groupBy(all, kindOf).values()].toSorted(
    ([a], [b]) => Number(b!.status === 'failed') - Number(a!.status === 'failed'),
  );
  return groups
    .map((group) => {
      const names = group.flatMap(({ tenant }) => tenant ?? []);
      const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
      const whom = `${count(group.length, 'tenant')}: ${names.slice(0, NAMED).join(', ')}${rest}`;
      return `${styleText('bold', whom)}\n${describeFinding(group[0]!, group[0])}`;
    })
    .join('\n\n');
}

const needsLook = ({ status }: Finding): boolean => status === 'failed' || status === 'warning';

function summary(checked: readonly Checked[]): string {
  const failed = checked.filter(({ ok }) => !ok).length;
  const attention = checked.filter(
    ({ ok, checks }) => ok && checks.some(({ status }) => status === 'warning'),
  ).length;
  const rest = attention > 0 ? `, ${attention} to look at` : '';
  return failed > 0
    ? styleText(['bold', 'red'], `\n✗ ${failed} of ${count(checked.length, 'tenant')} failed${rest}`)
    : styleText(['bold', 'green'], `\n✓ ${count(checked.length, 'tenant')} can be read${rest}`);
}
