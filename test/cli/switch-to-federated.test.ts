import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { startSts, type SimulatedSts } from '../../simulator/sts.ts';
import { practise, secureScore, type Practice } from './support.ts';

/** A tenant that signed in with a certificate, and its ledger was signed by it, signs in federated from now on. */

let practice: Practice;
let sts: SimulatedSts;
let archive: string;

beforeEach(async () => {
  practice = await practise(
    generatedTenant('switch', { today: addDays(dateOf(new Date()), -4), controls: 8, day: 3 }),
  );
  archive = join(practice.folder, 'archive');
  sts = await startSts(() => new Date());
  const audience = 'api://AzureADTokenExchange';
  practice.app.registration.federated = [{ issuer: sts.issuer, subject: sts.subject, audience }];
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.endpoint);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await sts.close();
  await practice.end();
});

const run = (...flags: string[]) =>
  secureScore(
    'run',
    '--config',
    practice.config,
    '--archive',
    archive,
    '--outbox',
    join(practice.folder, 'mails'),
    ...flags,
  );

interface Verdict {
  findings: { kind: string; key: string; why: string; remedy: string }[];
}
async function verify() {
  const { code, json } = await secureScore('archive', 'verify', '--archive', archive, '--json');
  const [{ findings }] = [json()].flat() as [Verdict];
  return { code, findings: findings.filter(({ kind }) => kind === 'unsigned') };
}
const acknowledge = (key: string, ...flags: string[]) =>
  secureScore(
    'archive',
    'acknowledge',
    key,
    '--archive',
    archive,
    '--reason',
    'Federated from today',
    ...flags,
  );

it('is a finding until the first unsigned entry is acknowledged once, by the last certificate', async () => {
  expect((await run('--certificate', practice.pem)).code).toBe(0);
  expect(await verify()).toEqual({ code: 0, findings: [] });

  await practice.writeConfig({}, { signIn: 'federated' });
  practice.simulator.advance(1);
  expect((await run()).code).toBe(0);
  const { code, findings } = await verify();
  expect(code).toBe(1);
  expect(findings[0]).toMatchObject({
    why: expect.stringContaining('the tenant signs in federated, without a certificate'),
    remedy: expect.stringMatching(/switch to federated sign-in.*--certificate/),
  });
  const { key } = findings[0]!;

  // Whoever can write to the archive could have made this one.
  expect((await acknowledge(key)).code).toBe(0);
  expect((await verify()).code).toBe(1);
  expect((await acknowledge(key, '--certificate', practice.pem)).code).toBe(0);
  expect(await verify()).toEqual({ code: 0, findings: [] });

  practice.simulator.advance(1);
  expect((await run()).code).toBe(0);
  expect(await verify()).toEqual({ code: 0, findings: [] });

  // It covers that the entries are unsigned, not that one is changed.
  const store = folderStore(archive);
  const [last = ''] = (await store.list(layout.ledger(practice.tenantId))).toSorted().toReversed();
  const { bytes } = (await store.get(last))!;
  const changed = JSON.parse(Buffer.from(bytes).toString()) as { entry: string };
  await writeFile(join(archive, last), JSON.stringify({ ...changed, entry: `${changed.entry} ` }));
  expect((await verify()).code).toBe(1);
  await writeFile(join(archive, last), bytes);
  expect((await verify()).code).toBe(0);

  // Once a run is signed again, the switch is over.
  await practice.writeConfig();
  practice.simulator.advance(1);
  expect((await run('--certificate', practice.pem)).code).toBe(0);
  expect((await verify()).code).toBe(0);
  await practice.writeConfig({}, { signIn: 'federated' });
  practice.simulator.advance(1);
  expect((await run()).code).toBe(0);
  expect((await verify()).findings).toHaveLength(1);
});
