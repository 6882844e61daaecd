import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { handmadeTenant } from '../../simulator/handmade-tenant.ts';
import { addDays } from '../../simulator/tenant.ts';
import type { App } from '../../simulator/app.ts';
import { CLIENT_ID, practise, secureScore, type Practice } from './support.ts';

const ROOT = join(import.meta.dirname, '../..');
const TODAY = new Date().toISOString().slice(0, 10);
const id = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
const tenantOf = (tenantId: string) =>
  handmadeTenant({
    tenantId,
    days: [
      { date: addDays(TODAY, -1), controls: { a: 5 } },
      { date: TODAY, controls: { a: 5 } },
    ],
  });

let practice: Practice;
let cloud: string;
/** The app in each tenant of the provider's customers. */
const apps = new Map<string, App>();

beforeAll(async () => {
  // The first is the provider's own: there the app is registered.
  practice = await practise(tenantOf(id(9)));
  const { simulator, app } = practice;
  cloud = `${simulator.authorityHost} ${simulator.graphEndpoint}`;
  for (const digit of [1, 2, 3, 4]) {
    simulator.addTenant(tenantOf(id(digit)));
    simulator.domains.set(`c${digit}.example`, id(digit));
    const { certificates, registration } = app;
    apps.set(
      id(digit),
      simulator.registerApp({ tenantId: id(digit), clientId: CLIENT_ID, certificates, registration }),
    );
  }
  await writeConfig();
});
/** The config of the provider, with other fields. */
const writeConfig = (fields: object = {}) =>
  practice.writeConfig({ tenants: { from: 'tenants.csv' }, app: { clientId: CLIENT_ID }, ...fields });
afterAll(() => practice.end());

const csv = (): string => join(practice.folder, 'tenants.csv');
const read = (): string => readFileSync(csv(), 'utf8');
beforeEach(() => {
  rmSync(csv(), { force: true });
  for (const app of apps.values())
    Object.assign(app, { consented: true, roles: ['SecurityEvents.Read.All'] });
});

const HERE = () => [
  '--config',
  practice.config,
  '--certificate',
  practice.pem,
  '--archive',
  join(practice.folder, 'archive'),
];
const add = (tenant: string, ...more: string[]) =>
  secureScore('tenant', 'add', tenant, ...HERE(), '--cloud', cloud, ...more);

describe('tenant add', () => {
  test('creates the file, resolves the domain, prints the consent address, and ends with the findings of doctor', async () => {
    const { code, stdout } = await add('C1.example');
    expect(stdout).toContain(
      `${practice.simulator.authorityHost}/${id(1)}/adminconsent?client_id=${CLIENT_ID}`,
    );
    expect(stdout).toContain('Its mails go to oncall@contoso.com.');
    expect(stdout).toMatch(
      /✓ tenants\.csv has the row of c1\.example[^]*✓ permission[^]*✓ newest snapshot[^]*no run yet/,
    );
    expect(code).toBe(0);
    expect(read()).toBe(
      `name,tenantId,domain,recipients,tags,cloud\nc1.example,${id(1)},c1.example,oncall@contoso.com,,${cloud}\n`,
    );
    expect(statSync(csv()).mode & 0o777).toBe(0o600);
  });

  test('takes an id, a name, recipients and tags, and prints JSON', async () => {
    const { json } = await add(
      id(2).toUpperCase(),
      '--name',
      'Müller, GmbH',
      '--recipients',
      'SecOps <a@b.co>; c@d.co',
      '--tags',
      'Gold,eu',
      '--json',
    );
    expect(json()).toMatchObject({ tenant: id(2), name: 'Müller, GmbH', domain: null });
    expect(json().checks.map(({ check }: { check: string }) => check)).toContain('sign-in');
    expect(read()).toContain(`"Müller, GmbH",${id(2)},,SecOps <a@b.co>;c@d.co,Gold;eu,${cloud}\n`);
    expect((await secureScore('tenant', 'list', '--config', practice.config, '--json')).json()).toEqual([
      { name: 'Müller, GmbH', tenant: id(2), domain: null, tags: ['gold', 'eu'], lastSnapshot: null },
    ]);
  });

  test('adds a tenant that is in digests alone', async () => {
    expect((await add('c1.example', '--report', 'digest')).stderr).toContain('a digest (under "digests")');
    expect((await add('c1.example', '--report', 'never')).code).toBe(2);
    await writeConfig({ digests: [{ name: 'daily', every: 'day', to: ['a@b.co'] }] });
    expect((await add('c1.example', '--report', 'digest')).code).toBe(0);
    expect(read()).toContain('name,tenantId,domain,recipients,tags,report,cloud\n');
    expect(read()).toContain(`,,digest,${cloud}\n`);
    await writeConfig();
  });

  test('keeps the content of the file, byte for byte, with its order, line breaks, byte order mark and mode', async () => {
    const before = `\uFEFF# ours\r\ndomain;Name;recipients;Tenant ID\r\n\r\nx.example;"A ""B""; C";a@b.co;${id(5)}\r\n# end`;
    writeFileSync(csv(), before);
    chmodSync(csv(), 0o640);
    expect((await add('c1.example')).code).toBe(0);
    expect(read()).toBe(
      `${before.replace('Tenant ID\r', 'Tenant ID;cloud\r')}\r\nc1.example;c1.example;oncall@contoso.com;${id(1)};${cloud}\r\n`,
    );
    expect(statSync(csv()).mode & 0o777).toBe(0o640);
  });

  test('writes through a link, and into the row of a domain that has no id yet', async () => {
    const real = join(practice.folder, 'real.csv');
    writeFileSync(
      real,
      `name,domain,recipients,cloud\n"C, 3",C3.example,a@b.co,${cloud}\nD,c4.example,d@b.co\n`,
    );
    symlinkSync(real, csv());
    expect((await add('c3.example')).code).toBe(0);
    expect(readFileSync(real, 'utf8')).toBe(
      `name,domain,recipients,cloud,tenantId\n"C, 3",C3.example,a@b.co,${cloud},${id(3)}\nD,c4.example,d@b.co\n`,
    );
    expect((await secureScore('tenant', 'list', '--config', practice.config)).stderr).toMatch(
      /line 3, column tenantId: is missing.*tenant add c4\.example/,
    );
  });

  test('writes JSON in the style of the file', async () => {
    const json = join(practice.folder, 'tenants.json');
    await practice.writeConfig({ tenants: { from: 'tenants.json' }, app: { clientId: CLIENT_ID } });
    const entry = `{"name": "A", "tenantId": "${id(5)}", "recipients": ["a@b.co"]}`;
    writeFileSync(
      json,
      `[\n    ${entry},\n    {\n      "domain": "c3.example", "name": "C", "recipients": ["c@b.co"],\n      "cloud": ${JSON.stringify({ authorityHost: practice.simulator.authorityHost, graphEndpoint: practice.simulator.graphEndpoint })}\n    }\n]\n`,
    );
    expect((await add('c3.example')).code).toBe(0);
    expect((await add('c1.example', '--tags', 'x')).code).toBe(0);
    const text = readFileSync(json, 'utf8');
    expect(
      text.startsWith(`[\n    ${entry},\n    {\n      "tenantId": "${id(3)}",\n      "domain"`) ||
        text.startsWith(`[\n    ${entry},\n    {\n      "tenantId": "${id(3)}",`),
    ).toBe(true);
    expect((JSON.parse(text) as object[]).at(-1)).toMatchObject({
      name: 'c1.example',
      tenantId: id(1),
      tags: ['x'],
    });
    for (const wanted of ['A', 'c1.example', 'c3.example']) {
      expect((await secureScore('tenant', 'remove', wanted, '--config', practice.config)).code).toBe(0);
    }
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual([]);
    await practice.writeConfig({ tenants: { from: 'tenants.csv' }, app: { clientId: CLIENT_ID } });
  });

  test('waits until the consent is given and covers the permission', async () => {
    const app = apps.get(id(1))!;
    Object.assign(app, { consented: false, roles: [] });
    const { requests } = practice.simulator;
    const tokens = () => requests.filter(({ path }) => path.startsWith(`/${id(1)}/oauth2/v2.0/token`));
    const begun = tokens().length;
    const watching = setInterval(() => {
      const tried = tokens().length - begun;
      if (tried >= 1) app.consented = true;
      if (tried >= 2) app.roles = ['SecurityEvents.Read.All'];
    }, 10);
    const { code } = await add('c1.example').finally(() => clearInterval(watching));
    expect(code).toBe(0);
    expect(tokens().length - begun).toBeGreaterThanOrEqual(3);
    expect(read()).toContain(id(1));
  }, 30_000);

  test.each<[string, Partial<App>, RegExp]>([
    [
      'nobody consents',
      { consented: false },
      /"c1\.example" cannot be read yet: the tenant does not know the app yet\. Nothing was written\.[^]*tenant add c1\.example --config \S+config\.json --cloud 'https:/,
    ],
    ['the consent lacks the permission', { roles: [] }, /it does not cover SecurityEvents\.Read\.All/],
    ['the app is disabled there', { enabled: false }, /is disabled in the tenant/],
  ])('writes nothing if %s, and says how to go on', async (_, changes, message) => {
    const app = apps.get(id(1))!;
    Object.assign(app, changes);
    const { code, stderr } = await add('c1.example', '--timeout', '0');
    Object.assign(app, { enabled: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(() => read()).toThrow('ENOENT');
  });

  test.each<[string, string[], number, RegExp]>([
    ['is no domain', ['contoso'], 1, /"contoso" is neither a domain nor the id/],
    [
      'nobody has',
      ['nobody.example'],
      1,
      /No tenant at https:\/\/localhost:\d+ has the domain or id "nobody\.example"/,
    ],
    [
      'has no recipients that can be',
      ['c1.example', '--recipients', 'nobody'],
      1,
      /the new tenant, recipients, 0: found "nobody"/,
    ],
    ['waits forever', ['c1.example', '--timeout', '1e9'], 2, /--timeout must be a number of minutes/],
    ['is not there', [], 2, /An argument is missing: add needs <tenant>/],
  ])('refuses what %s', async (_, [tenant, ...more], code, message) => {
    const result = tenant === undefined ? await secureScore('tenant', 'add') : await add(tenant, ...more);
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(message) as unknown });
  });

  test('adds no tenant twice, by whatever name, and no name twice', async () => {
    writeFileSync(csv(), `name,tenantId,recipients\nOne,${id(1).toUpperCase()},a@b.co\n`);
    const before = read();
    expect((await add('c1.example')).stderr).toMatch(
      /tenants\.csv, line 2 has the tenant .* already \("One"\)/,
    );
    expect((await add('c2.example', '--name', 'ONE')).stderr).toMatch(
      /the new tenant, name: found "ONE", expected a name of its own: tenants\.csv, line 2 has the same/,
    );
    expect(read()).toBe(before);
  });

  test('does not wait if only the deployed function can sign in', async () => {
    await practice.writeConfig({
      tenants: { from: 'tenants.csv' },
      app: { clientId: CLIENT_ID, signIn: 'federated' },
    });
    const tokens = () => practice.simulator.requests.filter(({ path }) => path.includes('/token')).length;
    const before = tokens();
    const { code, stdout } = await add('c1.example');
    await practice.writeConfig({ tenants: { from: 'tenants.csv' }, app: { clientId: CLIENT_ID } });
    expect({ code, asked: tokens() - before }).toEqual({ code: 0, asked: 0 });
    expect(stdout).toContain('the consent is not waited for');
    expect(read()).toContain(id(1));
  });

  test('several at once lose no row', async () => {
    const program = join(ROOT, 'bin/secure-score.ts');
    writeFileSync(join(practice.folder, 'ca.pem'), practice.simulator.ca);
    await Promise.all(
      [1, 2, 3, 4].map((digit) =>
        promisify(execFile)(
          process.execPath,
          [program, 'tenant', 'add', `c${digit}.example`, ...HERE(), '--cloud', cloud],
          {
            env: { ...process.env, NODE_EXTRA_CA_CERTS: join(practice.folder, 'ca.pem') },
          },
        ),
      ),
    );
    const rows = read().trimEnd().split('\n').slice(1);
    expect(rows.map((row) => row.split(',')[1]!).toSorted((a, b) => a.localeCompare(b, 'en'))).toEqual(
      [1, 2, 3, 4].map(id),
    );
  }, 60_000);

  test('leaves nothing when Ctrl-C stops it, and prints the command that goes on', async () => {
    apps.get(id(1))!.consented = false;
    writeFileSync(join(practice.folder, 'ca.pem'), practice.simulator.ca);
    const child = spawn(
      process.execPath,
      [join(ROOT, 'bin/secure-score.ts'), 'tenant', 'add', 'c1.example', ...HERE(), '--cloud', cloud],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(practice.folder, 'ca.pem') } },
    );
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += String(chunk);
      // By then it waits, or is about to.
      if (printed.includes('adminconsent')) setTimeout(() => child.kill('SIGINT'), 500);
    });
    child.stderr.on('data', (chunk) => (printed += String(chunk)));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(printed).toMatch(/Stopped: nothing was written\. To go on:\n.*tenant add c1\.example/);
    expect(() => read()).toThrow('ENOENT');
  }, 30_000);
});

test('a config that lists its tenants itself is not written', async () => {
  const config = join(practice.folder, 'inline.json');
  writeFileSync(config, JSON.stringify({ tenants: [] }));
  const { code, stderr } = await secureScore('tenant', 'add', 'c1.example', '--config', config);
  expect(code).toBe(1);
  expect(stderr).toMatch(/lists its tenants itself[^]*tenantsFrom\('tenants\.csv'\)/);
});

describe('tenant remove', () => {
  test.each(['Two', id(2), 'C2.example'])('takes the row of %s and nothing else', async (wanted) => {
    writeFileSync(
      csv(),
      `name,tenantId,domain,recipients\nOne,${id(1)},,a@b.co\n# two\n"Two",${id(2)},c2.example,a@b.co\n# three\nThree,${id(3)},,a@b.co`,
    );
    const { code, stdout } = await secureScore('tenant', 'remove', wanted, '--config', practice.config);
    expect(code).toBe(0);
    expect(stdout).toContain('Its archive stays');
    expect(read()).toBe(
      `name,tenantId,domain,recipients\nOne,${id(1)},,a@b.co\n# two\n# three\nThree,${id(3)},,a@b.co`,
    );
  });

  test('warns if the config lacks something afterwards', async () => {
    await writeConfig({ digests: [{ name: 'gold', every: 'day', to: ['a@b.co'], tenants: ['#gold'] }] });
    writeFileSync(csv(), `name,tenantId,recipients,tags\nOne,${id(1)},a@b.co,\nTwo,${id(2)},a@b.co,gold\n`);
    const { code, stdout, stderr } = await secureScore(
      'tenant',
      'remove',
      'Two',
      '--config',
      practice.config,
    );
    expect(code).toBe(0);
    expect(stdout).toContain('has no row of Two any more');
    expect(stderr).toContain('digests[0].tenants[0]: found "#gold"');
    await writeConfig();
  });

  test('refuses a tenant that does not exist, and a name that several have', async () => {
    writeFileSync(csv(), `name,tenantId,recipients\nOne,${id(1)},a@b.co\none,${id(2)},a@b.co\n`);
    const { stderr } = await secureScore('tenant', 'remove', 'Two', '--config', practice.config);
    expect(stderr).toMatch(/No row of "tenants\.csv" has the name, the id or the domain "Two"/);
    expect((await secureScore('tenant', 'remove', 'One', '--config', practice.config)).stderr).toMatch(
      /2 rows/,
    );
  });
});

describe('tenant check and list', () => {
  beforeEach(() => {
    const rows = [1, 2, 3].map(
      (digit) => `Customer ${digit},${id(digit)},c${digit}.example,a@b.co,${cloud},gold`,
    );
    writeFileSync(csv(), `name,tenantId,domain,recipients,cloud,tags\n${rows.join('\n')}\n`);
  });

  test('check is one table, and --problems shows only problems', async () => {
    apps.get(id(2))!.consented = false;
    const { code, stdout } = await secureScore('tenant', 'check', ...HERE());
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^tenant +certificate +sign-in +renewal +permission +Graph +newest snapshot +last run/m,
    );
    expect(stdout).toMatch(/^Customer 1 +✓ +✓ +[✓!–]? +✓ +✓ +✓ +!/m);
    expect(stdout).toMatch(/^Customer 2 +✓ +✗[ –]+!$/m);
    // What many have in common is described once, after what fails.
    expect(stdout).toMatch(
      /^1 tenant: Customer 2\n +✗ sign-in +There is no app [^]*AADSTS7000229[^]*^3 tenants: Customer 1, Customer 2, Customer 3\n +! last run +no run yet/m,
    );
    expect(stdout.match(/no run yet/g)).toHaveLength(1);
    expect(stdout).toMatch(/✗ 1 of 3 tenants failed, 2 to look at$/m);
    const { json } = await secureScore('tenant', 'check', ...HERE(), '--problems', '--json');
    expect(json()).toMatchObject({
      ok: false,
      tenants: [{}, { tenant: id(2), name: 'Customer 2', ok: false }, {}],
    });
    expect(json().tenants[1].checks).toContainEqual(
      expect.objectContaining({ check: 'sign-in', status: 'failed', code: 'app-not-in-tenant' }),
    );
  });

  test('list has the last snapshots of the archive', async () => {
    const archive = join(practice.folder, 'archive');
    mkdirSync(archive, { recursive: true });
    const run = await secureScore(
      'run',
      ...HERE(),
      '--outbox',
      join(practice.folder, 'mails'),
      '--tenant',
      'Customer 3',
    );
    expect(run.code).toBe(0);
    const { stdout, code } = await secureScore(
      'tenant',
      'list',
      '--config',
      practice.config,
      '--archive',
      archive,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Customer 1 +${id(1)} +c1\\.example +gold +–$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^Customer 3 +${id(3)} +c3\\.example +gold +${TODAY}$`, 'm'));
  });
});
