import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Archive } from '../../lambda/archive/archive.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { EMPTY_STATE, type State } from '../../lambda/archive/state.ts';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { CLIENT_ID, OBJECT_ID, practise, secureScore, holdsSecrets, type Practice } from './support.ts';

/** On one machine, without any AWS; Microsoft is simulated. */

const TODAY = dateOf(new Date());

let practice: Practice;
let archive: string;
beforeEach(async () => {
  practice = await practise(TODAY);
  archive = join(practice.folder, 'archive');
});
afterEach(() => practice.end());

interface Check {
  check: string;
  tenant: string | null;
  status: string;
  found: string;
  advice: string | null;
  code: string | null;
}

const mailFolder = () => join(practice.folder, 'mails');
const flags = () => [
  '--config',
  practice.config,
  '--certificate',
  practice.pem,
  '--archive',
  archive,
  '--outbox',
  mailFolder(),
];
/** Each flag once: what a test gives comes instead of what all have. */
const flagsWith = (more: string[]) => {
  const mine = more.indexOf('--outbox') < 0 ? flags() : flags().slice(0, -2);
  return [...mine, ...more];
};

async function doctor(...more: string[]) {
  const { code, json, stderr } = await secureScore('doctor', ...flagsWith(['--json', ...more]));
  const { ok, checks } = json() as { ok: boolean; checks: Check[] };
  expect(stderr).toBe('');
  expect(ok).toBe(code === 0);
  expect(holdsSecrets(JSON.stringify(checks), practice.privateKey)).toBe(false);
  const having = (status: string) =>
    checks.filter((check) => check.status === status).map(({ check }) => check);
  const find = (name: string) => checks.find(({ check }) => check === name);
  return { code, checks, having, find };
}

async function writeState(state: Partial<State>) {
  await new Archive(folderStore(archive), practice.tenantId).swapState({ ...EMPTY_STATE, ...state }, null);
}
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const lastRun = (hours: number) => ({ at: ago(hours), newest: TODAY, certificateUntil: ago(-5000) });

describe('secure-score doctor', () => {
  it('finds that all is well, in the order of a run, without AWS', async () => {
    await writeState({ lastRun: lastRun(2) });
    const { code, checks, having } = await doctor();
    expect(code).toBe(0);
    expect(having('ok')).toEqual([
      'config',
      'archive',
      'outbox',
      'certificate',
      'sign-in',
      'renewal',
      'permission',
      'Graph',
      'newest snapshot',
      'last run',
    ]);
    expect([...having('failed'), ...having('warning')]).toEqual([]);
    const skipped = checks.filter(({ status }) => status === 'skipped');
    expect(skipped.every(({ found }) => found.startsWith('not used: '))).toBe(true);
    expect(Object.keys(checks[0] ?? {})).toEqual(['check', 'tenant', 'status', 'found', 'advice', 'code']);
    expect(checks[0]).toMatchObject({ check: 'config', tenant: null });
    expect(checks.at(-1)).toMatchObject({ check: 'last run', tenant: 'Contoso' });
  });

  it('shows a table to people, which fits 80 columns', async () => {
    const { columns } = process.stdout;
    process.stdout.columns = 80;
    const { code, stdout } = await secureScore('doctor', ...flags());
    process.stdout.columns = columns;
    expect(code).toBe(0);
    // But for the command, which can be copied in one piece.
    for (const line of stdout.split('\n').filter((each) => !each.includes('./secure-score'))) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
    expect(stdout).toMatch(/^Setup\n {2}✓ config {13}\S/);
    expect(stdout).toMatch(/\nContoso\n {2}✓ certificate/);
    expect(stdout).not.toContain('not used');
    expect(stdout).toMatch(
      / {2}! last run {11}no run yet\n {23}→ Run it now:\n {25}\.\/secure-score run --config .*\n/,
    );
    expect(stdout).toMatch(/\n\n✓ A run has everything it needs, 1 thing to look at\.\n$/);
  });

  it('shows only problems if there are many tenants', async () => {
    const { stdout } = await secureScore('doctor', ...flags(), '--problems');
    expect(stdout).toMatch(/^Contoso\n {2}! last run/);
    expect(stdout).not.toContain('✓ config');
    const { checks } = await doctor('--problems');
    expect(checks.map(({ check }) => check)).toEqual(['last run']);
  });

  it('recommends the run that it was asked about', async () => {
    const { find } = await doctor();
    const words = `--certificate ${practice.pem} --archive ${archive} --outbox ${mailFolder()}`;
    expect(find('last run')?.advice).toBe(
      `Run it now:\n./secure-score run --config ${practice.config} ${words}`,
    );
  });

  it('says that runs fail if days are archived and none has succeeded', async () => {
    const key = layout.snapshot(practice.tenantId, TODAY, 'a'.repeat(64));
    await folderStore(archive).create(key, Buffer.from('{}'));
    const { code, find } = await doctor();
    expect(code).toBe(1);
    expect(find('last run')).toMatchObject({
      status: 'failed',
      code: 'runs-fail',
      found: expect.stringContaining('archived 1 day, and none has succeeded'),
    });
  });

  it('warns of mails that it does not check, because nothing says what sends them', async () => {
    const { code, json } = await secureScore('doctor', ...flags().slice(0, -2), '--json');
    expect(code).toBe(0);
    const { checks } = json() as { checks: Check[] };
    expect(checks.find(({ check }) => check === 'mails')).toMatchObject({ status: 'warning' });
  });

  it.each([
    [0, /, just now$/],
    [0.6, /, 36 minutes ago$/],
    [1.2, /, 1 hour ago$/],
    [49, /, 2 days ago$/],
  ])('says how long ago the last run was: %d h', async (hours, found) => {
    await writeState({ lastRun: lastRun(hours) });
    expect((await doctor()).find('last run')?.found).toMatch(found);
  });

  it('goes on after a failure with all checks that do not depend on it', async () => {
    const expired = await createCertificate({
      commonName: 'expired',
      days: 3,
      notBefore: new Date(Date.now() - 10 * 86_400_000),
    });
    await writeFile(practice.pem, expired.certificate + expired.privateKey);
    const { code, having, find } = await doctor();
    expect(code).toBe(1);
    expect(having('failed')).toEqual(['certificate']);
    expect(find('certificate')).toMatchObject({
      code: 'certificate-expired',
      found: expect.stringMatching(/expired on/),
      advice: expect.stringContaining('Create a new certificate'),
    });
    for (const name of ['sign-in', 'renewal', 'permission', 'Graph', 'newest snapshot']) {
      expect(find(name)).toMatchObject({
        status: 'skipped',
        found: 'skipped, because certificate failed',
        advice: null,
      });
    }
    expect(find('archive')?.status).toBe('ok');
    expect(find('last run')?.status).toBe('warning');
  });

  it('warns of a certificate that ends within 30 days and does not renew itself', async () => {
    const soon = await createCertificate({ commonName: 'soon', days: 20 });
    practice.app.certificates.push(soon.certificate);
    await writeFile(practice.pem, soon.certificate + soon.privateKey);
    // At half of its life it will.
    expect((await doctor()).find('certificate')?.status).toBe('ok');
    await practice.writeConfig({}, { rotate: false });
    const { code, find } = await doctor();
    expect(code).toBe(0);
    expect(find('certificate')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('19 days left'),
      advice: expect.stringContaining('certificate create'),
    });
  });

  it('warns of a certificate that should have renewed itself', async () => {
    const begun = new Date(Date.now() - 300 * 86_400_000);
    const late = await createCertificate({ commonName: 'late', days: 340, notBefore: begun });
    practice.app.certificates.push(late.certificate);
    await writeFile(practice.pem, late.certificate + late.privateKey);
    const { code, find } = await doctor();
    expect(code).toBe(0);
    expect(find('certificate')).toMatchObject({
      status: 'warning',
      advice: expect.stringContaining(`certificate rotate --dry-run --certificate ${practice.pem}`),
    });
    expect(find('renewal')).toMatchObject({ status: 'ok', found: expect.stringMatching(/^due since/) });
  });

  it.each<[what: string, arrange: (its: Practice) => unknown, check: string, code: string, advice: RegExp]>([
    [
      'the object id is that of another app',
      (its) => its.writeConfig({}, { objectId: '0f0f0f0f-1111-4222-8333-444444444444' }),
      'renewal',
      'renewal-forbidden',
      /Compare objectId/,
    ],
    [
      'the app is registered in another tenant',
      (its) => (its.app.registration.homeTenantId = '0f0f0f0f-1111-4222-8333-444444444444'),
      'renewal',
      'renewal-app-missing',
      /rolled in its home tenant/,
    ],
    [
      'the app lacks the permission',
      ({ app }) => (app.roles = ['User.Read.All']),
      'permission',
      'permission-missing',
      /Grant admin consent/,
    ],
    [
      'the app does not know the certificate',
      ({ app }) => (app.certificates = []),
      'sign-in',
      'certificate-unknown',
      /Upload/,
    ],
    ['the app is disabled', ({ app }) => (app.enabled = false), 'sign-in', 'app-disabled', /Enable it/],
    [
      'the tenant is another',
      (its) => its.writeConfig({}, { tenantId: '0f0f0f0f-1111-4222-8333-444444444444' }),
      'sign-in',
      'tenant-not-found',
      /overview page/,
    ],
    ['there is no config', (its) => (its.config = 'none.json'), 'config', 'config-missing', /Copy monitor/],
    [
      'the config is wrong',
      (its) => its.writeConfig({ operations: [] }),
      'config',
      'config-invalid',
      /Correct the fields/,
    ],
    [
      'there is no certificate',
      (its) => (its.pem = 'none.pem'),
      'certificate',
      'certificate-not-found',
      /create/,
    ],
    [
      'Graph answers nonsense',
      ({ simulator }) =>
        simulator.fault({
          at: 'secureScores',
          times: Infinity,
          with: () => ({ status: 200, headers: {}, body: { value: [] } }),
        }),
      'Graph',
      'no-score-yet',
      /first licence/,
    ],
    [
      'the archive is a file',
      async ({ folder }) => writeFile(join(folder, 'archive'), ''),
      'archive',
      'archive-unwritable',
      /--archive/,
    ],
    [
      'runs fail',
      () =>
        writeState({
          lastRun: lastRun(20),
          said: { ...EMPTY_STATE.said, failing: { since: ago(9), told: ['outage'] } },
        }),
      'last run',
      'runs-fail',
      /Fix what is marked above/,
    ],
  ])('fails if %s', async (_, arrange, check, code, advice) => {
    await arrange(practice);
    const { code: exit, find, having } = await doctor();
    expect(exit).toBe(1);
    expect(having('failed')).toEqual([check]);
    expect(find(check)).toMatchObject({ code, advice: expect.stringMatching(advice) });
  });

  it('proves that the certificate will renew itself without changing anything, and says what it cannot know', async () => {
    const { find } = await doctor();
    expect(find('renewal')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^from .* on: the app has proved .* nothing was changed\. .* policy/),
    });
    const { simulator, app } = practice;
    expect(simulator.requests.filter(({ path }) => path.endsWith('/removeKey'))).toHaveLength(1);
    expect(simulator.requests.filter(({ path }) => path.endsWith('/addKey'))).toEqual([]);
    expect([app.certificates.length, app.registration.keys.length]).toEqual([1, 0]);
  });

  it.each([
    ['says where it is switched off', { rotate: false }, 'ok', /switched off.*by hand$/, /^$/],
    [
      'warns where the config lacks the object id',
      { objectId: undefined },
      'warning',
      /object id/,
      /objectId/,
    ],
  ])('of the renewal: %s', async (_, fields, status, found, advice) => {
    await practice.writeConfig({}, fields);
    const { code, find } = await doctor();
    expect(code).toBe(0);
    expect(find('renewal')).toMatchObject({ status, found: expect.stringMatching(found) });
    expect(find('renewal')?.advice ?? '').toMatch(advice);
  });

  it('says who holds a renewal back: a tenant with the same certificate', async () => {
    const { tenants } = JSON.parse(await readFile(practice.config, 'utf8')) as { tenants: object[] };
    const other = { name: 'Fabrikam', tenantId: CLIENT_ID, clientId: OBJECT_ID, objectId: undefined };
    await practice.writeConfig({ tenants: [...tenants, { ...tenants[0], ...other }] });
    const { find } = await doctor('--tenant', 'Contoso');
    expect(find('renewal')).toMatchObject({ status: 'warning', found: expect.stringContaining(OBJECT_ID) });
  });

  it('fails if the newest snapshot is stale', async () => {
    await practice.end();
    practice = await practise(addDays(TODAY, -5));
    const { code, find, having } = await doctor();
    expect([code, having('failed')]).toEqual([1, ['newest snapshot']]);
    expect(find('newest snapshot')).toMatchObject({
      code: 'stale',
      found: expect.stringContaining('5 days old'),
    });
  });

  it('says when the last run was, and that one may be due', async () => {
    await writeState({ lastRun: lastRun(50) });
    const { code, find } = await doctor();
    expect(code).toBe(0);
    expect(find('last run')).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(/2 days ago$/),
    });
  });

  it.skipIf(process.getuid?.() === 0)('fails if the archive cannot be written', async () => {
    await mkdir(archive);
    await chmod(archive, 0o500);
    expect((await doctor()).find('archive')).toMatchObject({ status: 'failed', code: 'archive-unwritable' });
    await chmod(archive, 0o700);
  });

  it('sends a test mail with its findings as an attachment', async () => {
    const outbox = join(practice.folder, 'mails');
    const { code, find } = await doctor('--send', '--outbox', outbox);
    expect(code).toBe(0);
    expect(find('test mail')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('oncall@contoso.com'),
    });
    const [name = ''] = await readdir(outbox);
    const mail = await PostalMime.parse(await readFile(join(outbox, name)));
    expect(mail).toMatchObject({
      from: { address: 'secure-score@contoso.com' },
      to: [{ address: 'oncall@contoso.com' }],
      subject: 'Secure Score monitor: a test mail, nothing to do',
      attachments: [{ filename: 'doctor.csv', mimeType: 'text/csv', disposition: 'attachment' }],
    });
    expect(mail.html).toContain('Mail works');
    const csv = Buffer.from(mail.attachments[0]?.content as ArrayBuffer).toString();
    expect(csv).toMatch(/^"check","tenant","status","found","advice"\r\n"config","","ok","/);
    expect((await doctor()).find('test mail')).toBeUndefined();
  });

  it('accepts the flags of run: the outbox must be a writable folder, and SES is not called', async () => {
    const outbox = join(practice.folder, 'mails');
    const { code, find } = await doctor('--outbox', outbox);
    expect(code).toBe(0);
    expect(find('outbox')).toMatchObject({ status: 'ok', found: `${outbox} is created by the first run` });
    const taken = await doctor('--outbox', practice.pem);
    expect(taken.code).toBe(1);
    expect(taken.find('outbox')).toMatchObject({ status: 'failed', code: 'outbox-unwritable' });
    expect(taken.find('sender')).toMatchObject({ status: 'skipped' });
  });

  it.each([[['--deployed', '--outbox', 'x']], [['--outbox', '']], [['--nope']], [['--archive', '']]])(
    '%j is wrong usage',
    async (args) => {
      expect((await secureScore('doctor', ...args)).code).toBe(2);
    },
  );
});
