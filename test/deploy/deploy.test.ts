import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { layout } from '../../lambda/archive/layout.ts';
import { dateOf } from '../../lambda/dates.ts';
import { SCHEDULE_PREFIX } from '../../lambda/environment.ts';
import { DEPLOYMENT_METRICS, DIMENSIONS, NAMESPACE } from '../../lambda/metric-names.ts';
import { DEPLOYMENT_STACK, historyStackOf, OUTPUTS } from '../../lambda/outputs.ts';
import { reportSchema } from '../../lambda/report/json.ts';
import { practiceTenant, type PracticeTenant } from '../../simulator/practice-tenant.ts';
import type { Received } from '../../simulator/receivers.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { ACCOUNT, leadTo, REGION, startEmulator, type Emulator } from '../emulator.ts';
import { fencedBlocks, sectionOf } from '../markdown.ts';
import { pythonEnvironment } from '../python.ts';
import { ANSWERS, findingsOfCheckov } from './checkov.ts';
import {
  cron,
  environmentOf,
  failureQueueOf,
  handOver,
  invocationsOf,
  invoke,
  mailsTo,
  messagesIn,
  metricsIn,
  moveSchedule,
  outputsOf,
  putMetrics,
  queueOfRule,
  scheduleOf,
  setEnvironment,
  versionsIn,
  type Datum,
  type Invocation,
} from './deployment.ts';
import { actionsOf, BY_LAMBDA, opinionOn, requestsOfFunction } from './opinion/opinion.ts';
import { CLIENT_ID, CLOCK_AHEAD, FABRIKAM_ID, ONCALL, SECOPS } from './names.ts';
import { PATH, programs, type Programs } from './programs.ts';
import { startRecorder, type Recorder } from './recorder.ts';

/**
 * The real app in an emulated AWS, from the first `cdk deploy` on, with Microsoft simulated. Two tenants: Contoso is
 * well; Fabrikam's secret holds a certificate that its app registration does not list.
 *
 * What MiniStack 1.4.21 does otherwise than AWS, and how it is met here:
 * - Schedules go by UTC, whatever their zone, and at once, whatever their window; the config here says UTC. They
 *   invoke the function once, without Lambda's retries and destination: these are shown by an asynchronous invoke.
 * - CloudFormation does not update a schedule that is there: it is moved by UpdateSchedule.
 * - The name of an error is lost (`errorType` is always Runtime.HandlerError); its message is not.
 * - Metrics of the log (EMF) are not made: they are read from the log here, and put by PutMetricData.
 *   Alarms look at a metric's name, not at its dimensions: these are compared here.
 * - It loses lines of the log, takes `Ref` of a secret for its name, and cannot read the policies that CloudFormation
 *   made: see emulator/sitecustomize.py.
 * - It knows no Glue and no Athena: the main stack alone is deployed. The history stack is synthesised and linted here.
 * - `DeletionPolicy: Retain` is not minded, and neither are Object Lock, identities and their limits: these are proven on
 *   the template. Nor are policies: moto judges by them the calls that a recorder saw (opinion/).
 * The complete list, with AWS's pages: docs/decisions/emulated-aws.md.
 */

const execute = promisify(execFile);

const FABRIKAM_SECRET = 'secure-score/fabrikam';
const FABRIKAM_SECOPS = 'secops@fabrikam.com';
const SOC = 'soc@contoso.com';

/** What Entra ID gives each refusal: ids, and the time. */
const SERIAL = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g;

/** A tenant is overdue after 30 hours. */
const LATER_MS = 31 * 3_600_000;
/** A test that first installs what it checks with, on a busy machine. */
const INSTALL_MS = 400_000;
/** How long `cdk deploy` and `certificate put` may take; on a busy machine they take longer. */
const DEPLOY_MS = 60_000;
/** How long before its minute a schedule must be there for the emulator to notice it. */
const NOTICE_MS = 12_000;
/** From a schedule's minute to the end of what it began; the emulator looks every ten seconds. */
const RUN_MS = 45_000;

let folder: string;
let simulator: Simulator;
let emulator: Emulator;
let recorder: Recorder;
let run: Programs;
let contoso: PracticeTenant;
/** How far the clocks of Microsoft are ahead; that of the function is set apart. */
let ahead = 0;
/** When the schedules fire next. */
let due = minuteIn(0);
let outputs: Record<string, string>;
let functionName: string;
let bucket: string;
let group: string;
/** ARN of the queue behind the rule of docs/channels.md. */
let tickets: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'deploy-'));
  run = programs(folder);
  const today = dateOf(new Date());
  contoso = practiceTenant({ today });
  simulator = await startSimulator({
    tenants: [contoso, practiceTenant({ tenantId: FABRIKAM_ID, seed: 'fabrikam', today })],
    now: () => new Date(Date.now() + ahead),
  });
  const ca = file('ca.pem');
  await writeFile(ca, simulator.ca);
  recorder = await startRecorder();
  emulator = await startEmulator({
    environment: {
      AWS_ENDPOINT_URL: recorder.endpoint,
      // It runs the function with the `node` that it finds, in a process that inherits these.
      PATH,
      NODE_EXTRA_CA_CERTS: ca,
      PYTHONPATH: path.join(import.meta.dirname, 'emulator'),
      // Lambda waits one and two minutes.
      LAMBDA_ASYNC_RETRY_BASE_SECONDS: '0.1',
    },
  });
  recorder.passTo(emulator.endpoint);
  leadTo(emulator.endpoint);

  // What a user has before: an app registration with a certificate, an SES identity, and a secret of one's own.
  const certificates = ['contoso', 'fabrikam', 'another'].map(certificate);
  await Promise.all([run.bootstrap(`aws://${ACCOUNT}/${REGION}`), ...certificates]);
  await new SESv2Client().send(new CreateEmailIdentityCommand({ EmailIdentity: 'contoso.com' }));
  await new SecretsManagerClient().send(new CreateSecretCommand({ Name: FABRIKAM_SECRET }));
  const register = async (tenantId: string, name: string) =>
    simulator.registerApp({
      tenantId,
      clientId: CLIENT_ID,
      certificates: [await readFile(file(`${name}.cer`), 'utf8')],
    });
  await register(contoso.tenantId, 'contoso');
  await register(FABRIKAM_ID, 'another');

  await run.secureScore('certificate', 'put', file('fabrikam.pem'), '--secret', FABRIKAM_SECRET);

  due = minuteIn(DEPLOY_MS);
  await writeConfig();
  const { addresses, signingKey } = simulator.receivers;
  await putChannel(addresses.webhook);
  await putChannel(signingKey, '--signing-key');
  tickets = await queueOfRule('tickets', await ruleOfDocs());
  await deploy();
  await run.secureScore('certificate', 'put', file('contoso.pem'));

  outputs = await outputsOf(DEPLOYMENT_STACK);
  functionName = outputs[OUTPUTS.functionName] ?? '';
  bucket = outputs[OUTPUTS.archiveBucket] ?? '';
  group = outputs[OUTPUTS.scheduleGroup] ?? '';
  if (due.time - Date.now() < NOTICE_MS) await postpone();
});

afterAll(async () => {
  await emulator?.stop();
  await recorder?.close();
  await simulator?.close();
  await rm(folder, { recursive: true, force: true });
});

const file = (name: string): string => path.join(folder, name);

/** Makes `<name>.pem` and, for the app registration, `<name>.cer`. */
const certificate = (name: string): Promise<string> =>
  run.secureScore('certificate', 'create', '--out', file(`${name}.pem`));

async function writeConfig(...operations: string[]): Promise<void> {
  const { authorityHost, graphEndpoint } = simulator;
  const tenant = { clientId: CLIENT_ID, cloud: { authorityHost, graphEndpoint } };
  const config = {
    tenants: [
      { ...tenant, name: 'Contoso', tenantId: contoso.tenantId, recipients: [SECOPS] },
      {
        ...tenant,
        name: 'Fabrikam',
        tenantId: FABRIKAM_ID,
        recipients: [FABRIKAM_SECOPS],
        certificate: FABRIKAM_SECRET,
      },
    ],
    operations: [ONCALL, ...operations],
    mail: { from: 'Secure Score <secure-score@contoso.com>' },
    channels: [
      {
        name: 'siem',
        type: 'webhook',
        url: { secret: 'secure-score/siem' },
        signingKey: { secret: 'secure-score/siem-key' },
      },
      { name: 'aws', type: 'events' },
    ],
    digests: [{ name: 'monthly', every: 'month', at: '08:30', timeZone: 'UTC', to: [SOC] }],
    schedule: { at: due.at, timeZone: 'UTC' },
  };
  await writeFile(file('monitor.config.json'), JSON.stringify(config));
}

/** Of the app: the config, and a folder for what it makes that lies outside the checkout. */
const appFlags = (output = 'cdk.out'): string[] => [
  '-c',
  `config=${file('monitor.config.json')}`,
  '-o',
  file(output),
];

/** Puts what a channel keeps secret where docs/channels.md has it put. */
const putChannel = (value: string, ...flags: string[]): Promise<string> =>
  run.secureScoreReading(value, 'channel', 'put', 'siem', ...flags, '--config', file('monitor.config.json'));

const deploy = (...flags: string[]): Promise<string> =>
  run.cdk('deploy', DEPLOYMENT_STACK, ...appFlags(), '--require-approval', 'never', ...flags);

/** Of a second deployment of the same account and config. */
const SECOND = 'Second';
const secondFlags = (): string[] => [SECOND, ...appFlags('second.out'), '-c', `stack=${SECOND}`];

/** What a secret holds, by its name; nothing also where there is none. */
async function secretNamed(SecretId: string): Promise<string> {
  const answer = await new SecretsManagerClient()
    .send(new GetSecretValueCommand({ SecretId }))
    .catch((error: Error) => {
      if (error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
  return answer?.SecretString ?? '';
}

interface Minute {
  /** hh:mm, UTC */
  at: string;
  /** ms */
  time: number;
}

/** @returns the first full minute that is at least that many ms away */
function minuteIn(ms: number): Minute {
  const time = Math.ceil((Date.now() + ms) / 60_000) * 60_000;
  return { at: new Date(time).toISOString().slice(11, 16), time };
}

/** Has the schedules fire at the next minute. */
async function postpone(): Promise<void> {
  due = minuteIn(NOTICE_MS);
  for (const tenantId of [contoso.tenantId, FABRIKAM_ID]) {
    await moveSchedule(group, scheduleName(tenantId), due.at);
  }
}

/** Waits until the schedules have fired and what has to come of it is there. */
async function afterFiring(assertion: () => Promise<void>): Promise<void> {
  const timeout = Math.max(due.time - Date.now(), 0) + RUN_MS;
  await vi.waitFor(assertion, { timeout, interval: 500 });
}

const scheduleName = (tenantId: string): string => `${SCHEDULE_PREFIX}${tenantId}`;

/** What the function logged in its runs for a tenant, the last one last. */
async function runsOf(tenantId: string): Promise<Invocation[]> {
  const invocations = await invocationsOf(functionName);
  return invocations.filter((lines) =>
    lines.some((line) => line['tenant'] === tenantId || line['tenantId'] === tenantId),
  );
}

const troubleIn = (invocation: Invocation): Invocation =>
  invocation.filter(({ level }) => level === 'WARN' || level === 'ERROR');

/** A metric of the deployment itself. */
const ofDeployment = (name: string, value: number): unknown =>
  expect.objectContaining({
    namespace: NAMESPACE,
    name,
    value,
    dimensions: { [DIMENSIONS.deployment]: DEPLOYMENT_STACK },
  });

/** Points of Contoso's controls by their names, as Graph has them and a mail prints them. */
function pointsOn(date: string): Map<string, number> {
  const { controlScores } = contoso.read().secureScore(date, true);
  return new Map(controlScores.map(({ controlName, score }) => [controlName, Math.round(score * 100) / 100]));
}

/** The rule that docs/channels.md shows. */
async function ruleOfDocs(): Promise<string> {
  const text = await readFile(path.join(import.meta.dirname, '../../docs/channels.md'), 'utf8');
  const [rule] = fencedBlocks(sectionOf(text, 'EventBridge'), 'json');
  expect(JSON.parse(rule ?? '')).toHaveProperty('source');
  return rule ?? '';
}

/** What of the archive is never overwritten. */
const evidence = async (): Promise<string[]> =>
  (await versionsIn(bucket)).filter((line) => /^(snapshots|profiles|reports|ledger)\//.test(line));

/** No tenant of these deployments renews its certificate, or signs in federated. */
const { rotationFunctionName: _, federatedSubject: __, ...ALWAYS } = OUTPUTS;

describe('a deployment', () => {
  it('comes of templates in which cfn-lint finds nothing', async () => {
    const bin = await pythonEnvironment('cfn-lint', path.join(import.meta.dirname, 'requirements.txt'));
    const templates = (await readdir(file('cdk.out'))).filter((name) => name.endsWith('.template.json'));
    // Besides these, those of the schedules.
    const stacks = [DEPLOYMENT_STACK, historyStackOf(DEPLOYMENT_STACK)];
    expect(templates).toEqual(expect.arrayContaining(stacks.map((name) => `${name}.template.json`)));
    expect(templates.length).toBeGreaterThan(stacks.length);
    const checked = templates.map((name) => file(path.join('cdk.out', name)));
    await execute(path.join(bin, 'cfn-lint'), [
      '--non-zero-exit-code',
      'warning',
      '--regions',
      REGION,
      '--',
      ...checked,
    ]);
  });

  it(
    'comes of templates in which checkov finds nothing that has no answer',
    async () => {
      expect(await findingsOfCheckov(file('cdk.out'))).toEqual(Object.keys(ANSWERS).toSorted());
    },
    INSTALL_MS,
  );

  it('has what the commands look for, and a schedule that hands a tenant over', async () => {
    for (const key of Object.values(ALWAYS)) expect(outputs[key]).toBeTruthy();
    const schedule = await scheduleOf(group, scheduleName(contoso.tenantId));
    expect(schedule).toMatchObject({
      ScheduleExpression: cron(due.at),
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE' },
    });
    expect(JSON.parse(schedule.Target?.Input ?? '')).toMatchObject({ tenant: { name: 'Contoso' } });
    expect(await messagesIn(schedule.Target?.DeadLetterConfig?.Arn ?? '')).toEqual([]);
  });

  it('is what another synth makes', async () => {
    const diff = run.cdk('diff', DEPLOYMENT_STACK, ...appFlags('again.out'), '--fail', '--method=template');
    await expect(diff).resolves.toEqual(expect.any(String));
  });

  it('fires by itself: 90 days lie in the bucket, and the start mail arrives', async () => {
    await afterFiring(async () => expect(await mailsTo(SECOPS)).toHaveLength(1));
    const [mail] = await mailsTo(SECOPS);
    expect(mail?.Subject).toContain('Contoso: Secure Score monitoring has started');
    expect(mail?.To).toEqual([SECOPS]);

    const keys = (await versionsIn(bucket)).map((line) => line.split(' ')[0] ?? '');
    const days = keys
      .filter((key) => key.startsWith(layout.snapshots(contoso.tenantId)))
      .map((key) => layout.parseSnapshot(key)?.date);
    expect(days.length).toBeGreaterThan(85);
    expect(days.toReversed()).toEqual(contoso.read().dates);
    await afterFiring(async () => {
      const [lines = []] = await runsOf(contoso.tenantId);
      expect(metricsIn(lines)).toContainEqual(ofDeployment(DEPLOYMENT_METRICS.runsSucceeded, 1));
      expect(troubleIn(lines)).toEqual([]);
    });
  });

  it('reaches a rule on the event bus, and a receiver of signed webhooks, with the same report', async () => {
    await afterFiring(async () => expect(await messagesIn(tickets)).toHaveLength(1));
    const [event = ''] = await messagesIn(tickets);
    const { source, 'detail-type': type, account, detail } = JSON.parse(event) as Record<string, never>;
    expect({ source, type, account }).toEqual({
      source: 'secure-score-monitor',
      type: 'Secure Score Changed',
      account: ACCOUNT,
    });
    const { id, ...report } = reportSchema.def.options[0].shape.data.parse(detail);
    expect(report).toMatchObject({ kind: 'start', tenant: { id: contoso.tenantId, name: 'Contoso' } });

    const received = () =>
      simulator.receivers.messages.filter(({ body }) => body['type'] === 'secure-score.start');
    await vi.waitFor(() => expect(received()).toHaveLength(1));
    const [{ body, id: webhookId }] = received() as [Received];
    const { headers } = simulator.requests.find((request) => request.headers['webhook-id'] === webhookId)!;
    // As its receiver does: with the key, over what came, by the machine's clock.
    const verified = new Webhook(simulator.receivers.signingKey).verify(
      JSON.stringify(body),
      headers as Record<string, string>,
    );
    const { data } = reportSchema.def.options[0].parse(verified);
    expect(data).toEqual({ ...report, id: data.id });
    // A delivery each.
    expect(data.id).not.toBe(id);
    expect(data.id.split('-')[0]).toBe(id.split('-')[0]);
  });

  it('notifies operations of what is wrong with the other tenant, and counts it as failed', async () => {
    await afterFiring(async () => expect(await runsOf(FABRIKAM_ID)).toHaveLength(1));
    const [lines = []] = await runsOf(FABRIKAM_ID);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'ERROR', code: 'certificate-unknown', tenant: FABRIKAM_ID }),
    );
    expect(metricsIn(lines)).toContainEqual(ofDeployment(DEPLOYMENT_METRICS.runsFailed, 1));

    const mails = await mailsTo(ONCALL);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.Subject).toContain('Fabrikam');
    const { fingerprint } = new X509Certificate(await readFile(file('fabrikam.cer')));
    expect(mails[0]?.BodyText).toContain(fingerprint.replaceAll(':', ''));
    expect(await mailsTo(FABRIKAM_SECOPS)).toEqual([]);
    expect((await evidence()).filter((line) => line.includes(`snapshots/tenant=${FABRIKAM_ID}`))).toEqual([]);
  });

  it('mails on the next day what changed, and does not repeat what it reported', async () => {
    const before = await evidence();
    const yesterday = contoso.today;
    simulator.advance();
    ahead = LATER_MS;
    const variables = await environmentOf(functionName);
    await setEnvironment(functionName, {
      ...variables,
      CLOCK_AHEAD_MS: String(LATER_MS),
      NODE_OPTIONS: `${variables['NODE_OPTIONS'] ?? ''} --import=${CLOCK_AHEAD}`,
    });
    await postpone();
    await afterFiring(async () => expect((await mailsTo(SECOPS)).length).toBeGreaterThan(1));
    await afterFiring(async () => {
      expect(await runsOf(contoso.tenantId)).toHaveLength(2);
      expect(await runsOf(FABRIKAM_ID)).toHaveLength(2);
    });

    const lost = contoso.events.filter(({ day }) => day === 91);
    expect(lost.map(({ kind }) => kind)).toEqual(['lost', 'lost', 'lost']);
    const [, mail, ...more] = await mailsTo(SECOPS);
    expect(more).toEqual([]);
    expect(mail?.Subject).toContain('3 recommendations lost points');
    const text = mail?.BodyText.replaceAll(/\s+/g, ' ');
    const titles = new Map(
      contoso
        .read()
        .profiles()
        .map(({ id, title }) => [id, title]),
    );
    const [pointsBefore, pointsAfter] = [pointsOn(yesterday), pointsOn(contoso.today)];
    for (const { control } of lost) {
      const [title, from, to] = [titles, pointsBefore, pointsAfter].map((map) => map.get(control ?? ''));
      expect(text).toContain(`${title} ${from} → ${to} of `);
    }

    const [, lines = []] = await runsOf(contoso.tenantId);
    expect(troubleIn(lines)).toEqual([]);
    expect(metricsIn(lines)).toContainEqual(
      expect.objectContaining({
        name: DEPLOYMENT_METRICS.runsSucceeded,
        value: 1,
        dimensions: { [DIMENSIONS.deployment]: DEPLOYMENT_STACK },
      }),
    );
    const after = await evidence();
    expect(after).toEqual(expect.arrayContaining(before));
    const added = after.filter((line) => !before.includes(line)).map((line) => line.split(' ')[0] ?? '');
    const days = added.map((key) => layout.parseSnapshot(key)?.date);
    expect(days.filter((date) => date !== undefined)).toEqual([contoso.today]);
    // Fabrikam fails as it did, which was said.
    expect(await mailsTo(ONCALL)).toHaveLength(1);
  });

  it('retries a run that fails, and then keeps it with its error', async () => {
    const queue = await failureQueueOf(functionName);
    expect(await messagesIn(queue)).toEqual([]);
    const failed = (await runsOf(FABRIKAM_ID)).length;
    const schedule = await scheduleOf(group, scheduleName(FABRIKAM_ID));
    await handOver(functionName, schedule.Target?.Input ?? '');
    const [message] = await vi.waitFor(
      async () => {
        const messages = await messagesIn(queue);
        expect(messages).toHaveLength(1);
        return messages;
      },
      { timeout: RUN_MS, interval: 500 },
    );
    expect(await runsOf(FABRIKAM_ID)).toHaveLength(failed + 3);
    expect(JSON.parse(message ?? '')).toMatchObject({
      requestPayload: { tenant: { name: 'Fabrikam' } },
      responsePayload: { errorMessage: expect.stringContaining('AADSTS700027') },
    });
  });

  it('is watched: the overdue tenant is named, counted and alarmed, the other is not', async () => {
    expect(await invoke(functionName, { watch: true })).toMatchObject({
      watched: 2,
      overdue: [{ tenant: FABRIKAM_ID, lastRun: null }],
      stale: [],
      mails: [{ kind: 'operations', to: [ONCALL] }],
    });
    const mails = await mailsTo(ONCALL);
    expect(mails).toHaveLength(2);
    expect(mails[1]?.BodyText).toContain('Fabrikam');
    expect(mails[1]?.BodyText).not.toContain('Contoso');

    const metrics = (await invocationsOf(functionName)).flatMap(metricsIn);
    expect(metrics).toContainEqual(ofDeployment(DEPLOYMENT_METRICS.tenantsOverdue, 1));
    await putMetrics(metrics);
    const { MetricAlarms = [] } = await new CloudWatchClient().send(new DescribeAlarmsCommand());
    const ours = MetricAlarms.filter(({ Namespace }) => Namespace === NAMESPACE);
    expect(ours.length).toBeGreaterThan(3);
    const id = ({ name, dimensions }: Pick<Datum, 'name' | 'dimensions'>): string =>
      JSON.stringify([name, dimensions]);
    const published = new Set(metrics.map(id));
    for (const { MetricName, Dimensions = [], AlarmName, AlarmActions } of ours) {
      const dimensions = Object.fromEntries(Dimensions.map(({ Name = '', Value = '' }) => [Name, Value]));
      expect([AlarmName, published.has(id({ name: MetricName ?? '', dimensions }))]).toEqual([
        AlarmName,
        true,
      ]);
      expect(AlarmActions).toEqual([outputs[OUTPUTS.operationsTopic]]);
    }
    const inAlarm = ours.filter(({ StateValue }) => StateValue === 'ALARM').map(({ AlarmName }) => AlarmName);
    expect(inAlarm).toEqual([`${DEPLOYMENT_STACK}-tenants-overdue`]);
  });

  it('sends the digest that a schedule hands over', async () => {
    const schedule = await scheduleOf(group, 'digest-monthly');
    const result = await invoke(functionName, JSON.parse(schedule.Target?.Input ?? '') as object);
    expect(result).toMatchObject({ digest: 'monthly', report: expect.stringContaining('digest=monthly') });
    expect(await mailsTo(SOC)).toHaveLength(1);
  });

  it('is updated without a change in the archive, and goes on where it was', async () => {
    const before = await versionsIn(bucket);
    await writeConfig('second@contoso.com');
    await deploy('--method=direct');
    expect(await environmentOf(functionName)).toMatchObject({ OPERATIONS: `${ONCALL},second@contoso.com` });
    expect(await outputsOf(DEPLOYMENT_STACK)).toEqual(outputs);
    expect(await versionsIn(bucket)).toEqual(before);

    // The function's clock is right again.
    ahead = 0;
    const kept = await evidence();
    const flags = ['--deployed', '--tenant', 'Contoso', '--config', file('monitor.config.json'), '--json'];
    const result = await run.secureScore('run', ...flags);
    expect(JSON.parse(result)).toMatchObject({ name: 'Contoso', archived: [], changes: [], mails: [] });
    expect(await evidence()).toEqual(kept);
    expect(await mailsTo(SECOPS)).toHaveLength(2);
  });

  it('shows in run --deployed what the function says is wrong, and all that it advises', async () => {
    const flags = ['--tenant', 'Fabrikam', '--config', file('monitor.config.json')];
    const failure = async (...more: string[]): Promise<string> =>
      run.secureScore('run', ...more, ...flags).then(
        () => 'it did not fail',
        (error: Error) => error.message.replaceAll(SERIAL, '…'),
      );
    // Here too, Microsoft is simulated.
    vi.stubEnv('NODE_EXTRA_CA_CERTS', file('ca.pem'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const there = await failure('--deployed');
    // The function knows nothing that the same run on this machine would not show as well.
    const certified = ['--certificate', file('fabrikam.pem')];
    const here = await failure('--archive', file('here'), '--outbox', file('here-mails'), ...certified);
    const words = (printed: string): string[] =>
      printed.split('\n').filter((line) => /^(?:Fabrikam  | +→)/.test(line));
    expect(words(there)).toEqual(words(here));
    expect(words(there)).toHaveLength(2);
    expect(words(there)[0]).toContain('AADSTS700027');
    expect(words(there)[1]).toContain('Upload the public certificate');
    expect(there).not.toMatch(/look into the log/i);
  });

  it('has room for a second beside it, which comes and goes without touching the first', async () => {
    const flags = ['--tenant', 'Contoso', '--config', file('monitor.config.json'), '--json'];
    const secret = outputs[OUTPUTS.certificateSecret] ?? '';
    const held = await secretNamed(secret);
    expect(held).toContain('PRIVATE KEY');

    await run.cdk('deploy', ...secondFlags(), '--require-approval', 'never');
    const second = await outputsOf(SECOND);
    for (const key of Object.values(ALWAYS)) expect([key, second[key]]).not.toEqual([key, outputs[key]]);
    expect(await secretNamed(secret)).toBe(held);
    expect(await secretNamed(second[OUTPUTS.certificateSecret] ?? '')).toBe('');

    await run.secureScore('certificate', 'put', file('contoso.pem'), '--stack', SECOND);
    expect(await secretNamed(second[OUTPUTS.certificateSecret] ?? '')).toContain('PRIVATE KEY');
    const there = JSON.parse(await run.secureScore('run', '--deployed', '--stack', SECOND, ...flags));
    expect(there.archived.length).toBeGreaterThan(85);
    expect((await versionsIn(second[OUTPUTS.archiveBucket] ?? '')).length).toBeGreaterThan(85);

    // What `cdk destroy` asks for; of a stack that is gone the emulator says CREATE_COMPLETE to it.
    await new CloudFormationClient().send(new DeleteStackCommand({ StackName: SECOND }));
    await vi.waitFor(() => expect(outputsOf(SECOND)).rejects.toThrow('does not exist'), { timeout: RUN_MS });
    expect(await outputsOf(DEPLOYMENT_STACK)).toEqual(outputs);
    expect(await secretNamed(secret)).toBe(held);
    const { MetricAlarms = [] } = await new CloudWatchClient().send(new DescribeAlarmsCommand());
    const alarms = MetricAlarms.map(({ AlarmName = '' }) => AlarmName.split('-')[0]);
    expect([alarms.length > 5, ...new Set(alarms)]).toEqual([true, DEPLOYMENT_STACK]);
    expect((await scheduleOf(group, scheduleName(contoso.tenantId))).State).toBe('ENABLED');
    const here = await run.secureScore('run', '--deployed', ...flags);
    expect(JSON.parse(here)).toMatchObject({ name: 'Contoso', archived: [], changes: [] });
  });

  it(
    'asked for nothing that its role or the bucket refuses, and its role allows nothing that nobody asked for',
    async () => {
      const requests = await requestsOfFunction(recorder.calls, functionName);
      const { refused, unused } = await opinionOn(requests);
      expect(refused).toEqual([]);
      expect(actionsOf(unused[functionName])).toEqual(Object.keys(BY_LAMBDA));
    },
    INSTALL_MS,
  );

  it('would have been refused what its policies are there to refuse', async () => {
    const requests = await requestsOfFunction(recorder.calls, functionName);
    // Not the first of a state, which is created under the same condition and is no evidence.
    const evidencePut = requests.find(
      ({ context, resource }) => 's3:if-none-match' in context && resource.includes('/snapshots/'),
    )!;
    const sent = requests.find(({ action }) => action === 'ses:SendEmail')!;
    const read = requests.find(({ action }) => action === 'secretsmanager:GetSecretValue')!;
    const listed = requests.find(({ action }) => action === 's3:ListBucket')!;
    const { 's3:if-none-match': _header, ...overwriting } = evidencePut.context;
    const { 's3:prefix': _prefix, ...listingAll } = listed.context;
    const { refused } = await opinionOn([
      { ...evidencePut, context: overwriting },
      { ...evidencePut, action: 's3:DeleteObject' },
      { ...evidencePut, context: { ...evidencePut.context, 'aws:SecureTransport': 'false' } },
      { ...evidencePut, resource: evidencePut.resource.replace(/\/.*/, '/elsewhere') },
      { ...listed, context: listingAll },
      { ...sent, context: { ...sent.context, 'ses:FromAddress': 'boss@contoso.com' } },
      { ...read, resource: read.resource.replace(/secret:.*/, 'secret:payroll-AbC123') },
      { ...read, action: 'secretsmanager:PutSecretValue' },
    ]);
    const [bucketDenies, roleDoesNotAllow] = ['denied by the bucket', 'not allowed by the role'];
    expect(refused.map(({ reason }) => reason)).toEqual([
      ...Array<string>(3).fill(bucketDenies),
      ...Array<string>(5).fill(roleDoesNotAllow),
    ]);
  });
});
