import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { CLIENT_ID, practise, secureScore, type Practice } from './support.ts';

const TODAY = new Date().toISOString().slice(0, 10);

let practice: Practice;
let archive: string;
let mails: string;
beforeEach(async () => {
  practice = await practise(generatedTenant('digests', { today: TODAY, controls: 24 }));
  archive = join(practice.folder, 'archive');
  mails = join(practice.folder, 'mails');
  const { authorityHost, graphEndpoint } = practice.simulator;
  await practice.writeConfig({
    tenants: [
      {
        name: 'Contoso',
        tenantId: practice.tenantId,
        clientId: CLIENT_ID,
        cloud: { authorityHost, graphEndpoint },
        recipients: ['secops@contoso.com'],
        report: 'digest',
      },
    ],
    digests: [
      { name: 'daily', every: 'day', to: ['soc@msp.example'] },
      { name: 'monthly', every: 'month', to: ['boss@msp.example'] },
    ],
  });
});
afterEach(() => practice.end());

const place = () => ['--config', practice.config, '--archive', archive];
const digest = (...more: string[]) => secureScore('digest', ...more, ...place(), '--outbox', mails);

async function subjects(): Promise<string[]> {
  const files = (await readdir(mails, { recursive: true }).catch(() => [])).filter((file) =>
    file.endsWith('.eml'),
  );
  const texts = await Promise.all(files.map((file) => readFile(join(mails, file), 'utf8')));
  return texts.map((text) => /^Subject: (.*)$/m.exec(text)?.[1] ?? '').toSorted();
}

describe('secure-score digest', () => {
  it('makes the digests of the config, once a period; a run of a tenant in digests sends nothing', async () => {
    await secureScore('run', ...place(), '--certificate', practice.pem, '--outbox', mails);
    expect(await subjects()).toEqual([]);
    const { code, json } = await digest('monthly', '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      digest: 'monthly',
      kind: 'digest',
      every: 'month',
      fleet: { tenants: 1, compared: 1 },
      notes: [expect.stringContaining('Monitoring of 1 tenant began within this period')],
      tenants: [{ name: 'Contoso', account: { change: expect.any(Number) } }],
      mails: [{ kind: 'digest', to: ['boss@msp.example'] }],
      report: expect.stringMatching(/^reports\/digest=monthly\//),
    });
    expect(await subjects()).toHaveLength(1);
    const again = await digest('monthly');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing new, or sent already') });
    expect(await subjects()).toHaveLength(1);
  });

  it('makes a digest of any period, and does not affect the regular ones', async () => {
    await secureScore('run', ...place(), '--certificate', practice.pem, '--outbox', mails);
    const before = await readdir(archive, { recursive: true });
    const days = ['--from', addDays(TODAY, -20), '--to', addDays(TODAY, -10)];
    const { code, json } = await digest('daily', ...days, '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      from: addDays(TODAY, -21),
      to: addDays(TODAY, -10),
      report: null,
      mails: [{ to: ['soc@msp.example'] }],
    });
    expect(await readdir(archive, { recursive: true })).toEqual(before);
  });

  it.each([
    [['weekly'], 1, 'It has: daily, monthly.'],
    [['daily', '--from', 'yesterday'], 2, '--from must be a day like 2026-01-31, not "yesterday"'],
    [['daily', '--from', '2026-02-30'], 2, 'not "2026-02-30"'],
    [['daily', '--from', '2026-13-01'], 2, 'not "2026-13-01"'],
    [['daily', '--from', '2026-02-10', '--to', '2026-02-01'], 2, '--to (2026-02-01) is before --from'],
    [['daily', '--to', '2026-02-01'], 2, '--to goes with --from only'],
  ])('%j is refused', async (args, code, message) => {
    expect(await digest(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });

  it.each([
    ['before the first snapshot', ['--from', '2020-01', '--to', '2020']],
    ['in the future', ['--from', addDays(TODAY, 30)]],
  ])('a period %s is refused, and nothing is sent', async (_, days) => {
    await secureScore('run', ...place(), '--certificate', practice.pem, '--outbox', mails);
    expect(await digest('daily', ...days)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`a reported snapshot from ${days[1]!.slice(0, 4)}`),
    });
    expect(await subjects()).toEqual([]);
  });

  it('says what to add to a config without any', async () => {
    await practice.writeConfig({});
    expect(await digest()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("digests: [{ name: 'daily'"),
    });
  });
});
