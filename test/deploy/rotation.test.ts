import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBundle } from '../../lambda/certificate/bundle.ts';
import { dateOf } from '../../lambda/dates.ts';
import { certificateSecretOf, DEPLOYMENT_STACK, OUTPUTS } from '../../lambda/outputs.ts';
import type { RotationResult } from '../../lambda/rotation/rotate.ts';
import type { App, Registration } from '../../simulator/app.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { ACCOUNT, leadTo, REGION, startEmulator, type Emulator } from '../emulator.ts';
import { environmentOf, invoke, mailsTo, outputsOf, scheduleOf, setEnvironment } from './deployment.ts';
import { CLIENT_ID, CLOCK_AHEAD, FABRIKAM_ID, OBJECT_ID, ONCALL, SECOPS } from './names.ts';
import { actionsOf, BY_LAMBDA, opinionOn, requestsOfFunction } from './opinion/opinion.ts';
import { PATH, programs, type Programs } from './programs.ts';
import { startRecorder, type Recorder } from './recorder.ts';

/**
 * A certificate that renews itself, with the Secrets Manager of an emulated AWS and a simulated Entra ID: two tenants of
 * a multi-tenant app share the secret of the deployment.
 */

const SECRET = certificateSecretOf(DEPLOYMENT_STACK);
const WEEK_MS = 7 * 24 * 3_600_000;

let folder: string;
let simulator: Simulator;
let emulator: Emulator;
let recorder: Recorder;
let run: Programs;
let apps: App[];
let outputs: Record<string, string>;
/** How far the clocks of Microsoft are ahead; those of the functions are set apart. */
let ahead = 0;
/** Id of the version that was put there by hand. */
let first: string;

const file = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'deploy-rotation-'));
  run = programs(folder);
  const today = dateOf(new Date());
  const contoso = practiceTenant({ today });
  simulator = await startSimulator({
    tenants: [contoso, practiceTenant({ tenantId: FABRIKAM_ID, seed: 'fabrikam', today })],
    now: () => new Date(Date.now() + ahead),
  });
  await writeFile(file('ca.pem'), simulator.ca);
  recorder = await startRecorder();
  emulator = await startEmulator({
    environment: {
      PATH,
      AWS_ENDPOINT_URL: recorder.endpoint,
      NODE_EXTRA_CA_CERTS: file('ca.pem'),
      PYTHONPATH: path.join(import.meta.dirname, 'emulator'),
    },
  });
  recorder.passTo(emulator.endpoint);
  leadTo(emulator.endpoint);
  await Promise.all([
    run.bootstrap(`aws://${ACCOUNT}/${REGION}`),
    run.secureScore('certificate', 'create', '--out', file('app.pem')),
  ]);
  await new SESv2Client().send(new CreateEmailIdentityCommand({ EmailIdentity: 'contoso.com' }));

  const registration: Partial<Registration> = { objectId: OBJECT_ID, homeTenantId: contoso.tenantId };
  const uploaded = [await readFile(file('app.cer'), 'utf8')];
  apps = [contoso.tenantId, FABRIKAM_ID].map((tenantId) =>
    simulator.registerApp({ tenantId, clientId: CLIENT_ID, certificates: uploaded, registration }),
  );
  const { authorityHost, graphEndpoint } = simulator;
  const tenant = { cloud: { authorityHost, graphEndpoint }, recipients: [SECOPS] };
  const config = {
    tenants: [
      { ...tenant, name: 'Contoso', tenantId: contoso.tenantId },
      { ...tenant, name: 'Fabrikam', tenantId: FABRIKAM_ID },
    ],
    app: { clientId: CLIENT_ID, objectId: OBJECT_ID, homeTenantId: contoso.tenantId },
    operations: [ONCALL],
    mail: { from: 'Secure Score <secure-score@contoso.com>' },
  };
  await writeFile(file('monitor.config.json'), JSON.stringify(config));
  const flags = ['-c', `config=${file('monitor.config.json')}`, '-o', file('cdk.out')];
  await run.cdk('deploy', DEPLOYMENT_STACK, ...flags, '--require-approval', 'never');
  await run.secureScore('certificate', 'put', file('app.pem'));
  outputs = await outputsOf(DEPLOYMENT_STACK);
  first = (await versions()).holding('AWSCURRENT')!;
});

afterAll(async () => {
  await emulator?.stop();
  await recorder?.close();
  await simulator?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Which version of the secret holds which stage, and what a stage holds. */
async function versions() {
  const client = new SecretsManagerClient();
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: SECRET }));
  const holding = (stage: string) =>
    Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(stage))?.[0];
  const read = async (VersionStage: string) => {
    const { SecretString = '' } = await client.send(
      new GetSecretValueCommand({ SecretId: SECRET, VersionStage }),
    );
    return readBundle(SecretString, new Date(), VersionStage);
  };
  return { holding, read };
}

const rotateNow = (...flags: string[]): Promise<string> =>
  run.secureScore('certificate', 'rotate', '--json', ...flags);
const runAll = (): Promise<string> =>
  run.secureScore('run', '--deployed', '--config', file('monitor.config.json'), '--json');

it('is started daily beside the watch, by a function of its own', async () => {
  expect(outputs[OUTPUTS.rotationFunctionName]).toBeTruthy();
  const schedule = await scheduleOf(outputs[OUTPUTS.scheduleGroup]!, 'rotation');
  expect(JSON.parse(schedule.Target?.Input ?? '')).toEqual({ rotation: true });
  expect(schedule.Target?.Arn).toContain(outputs[OUTPUTS.rotationFunctionName]);
});

it('proves in advance that it will work, and does nothing while nothing is due', async () => {
  expect(JSON.parse(await rotateNow('--dry-run'))).toMatchObject([
    { secret: SECRET, tenants: ['Contoso', 'Fabrikam'], proved: [CLIENT_ID], obstacles: [] },
  ]);
  expect(await invoke(outputs[OUTPUTS.rotationFunctionName]!, { rotation: true })).toMatchObject({
    renewals: [{ secret: SECRET, status: 'fresh', obstacles: [] }],
  });
  expect(apps[0]!.registration.keys).toEqual([]);
  expect((await versions()).holding('AWSCURRENT')).toBe(first);
});

it('makes the next certificate current, and keeps the former one as the previous version', async () => {
  const before = await (await versions()).read('AWSCURRENT');
  const { renewals } = JSON.parse(await rotateNow('--now')) as RotationResult;
  expect(renewals).toMatchObject([{ status: 'renewed', obstacles: [] }]);
  const { holding, read } = await versions();
  expect(holding('AWSCURRENT')).not.toBe(first);
  expect(holding('AWSPREVIOUS')).toBe(first);
  expect(holding('AWSPENDING')).toBeUndefined();
  const after = await read('AWSCURRENT');
  expect(after.thumbprintSha1).toBe(renewals[0]!.next?.thumbprint);
  expect(await read('AWSPREVIOUS')).toEqual(before);
  expect(after.subject).toBe(before.subject);
  expect(apps[0]!.registration.keys).toHaveLength(1);
});

it('lets every tenant run without the former one', async () => {
  for (const app of apps) app.certificates.length = 0;
  expect(JSON.parse(await runAll())).toMatchObject([{ name: 'Contoso' }, { name: 'Fabrikam' }]);
});

it('lets go of the former version a week later, and says once which key is left in Entra ID', async () => {
  const { read } = await versions();
  const { thumbprintSha1 } = await read('AWSPREVIOUS');
  ahead = WEEK_MS + 3_600_000;
  const name = outputs[OUTPUTS.rotationFunctionName]!;
  const environment = await environmentOf(name);
  await setEnvironment(name, {
    ...environment,
    CLOCK_AHEAD_MS: String(ahead),
    NODE_OPTIONS: `${environment['NODE_OPTIONS'] ?? ''} --import ${CLOCK_AHEAD}`,
  });
  const result = await invoke(name, { rotation: true });
  expect(result).toMatchObject({
    renewals: [
      { status: 'fresh', obstacles: [], leftOver: [{ clientId: CLIENT_ID, thumbprint: thumbprintSha1 }] },
    ],
  });
  expect((await versions()).holding('AWSPREVIOUS')).toBeUndefined();
  const mails = await mailsTo(ONCALL);
  expect(mails.filter(({ BodyText }) => BodyText.includes(thumbprintSha1))).toHaveLength(1);
});

it('asked for nothing that its role or the bucket refuses, and its role allows nothing that nobody asked for', async () => {
  const name = outputs[OUTPUTS.rotationFunctionName]!;
  const { refused, unused } = await opinionOn(await requestsOfFunction(recorder.calls, name));
  expect(refused).toEqual([]);
  expect(actionsOf(unused[name])).toEqual(Object.keys(BY_LAMBDA));
  // It may first install what it asks.
}, 400_000);
