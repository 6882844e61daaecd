import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ACCOUNT, REGION } from '../../emulator.ts';
import type { Call } from '../recorder.ts';

/** What IAM is asked about a call: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html */
export interface IamRequest {
  function: string;
  action: string;
  /** ARN */
  resource: string;
  /** Values of condition keys. One that is absent is absent in the request. */
  context: Record<string, string>;
}

const arn = (service: string, resource: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/**
 * What a call asks of IAM: often more than one permission.
 * @param functionName whose call it is
 * @throws Error where it is not known here what the call asks for: a new kind of call needs a line
 */
export async function requestsOf(call: Call, functionName: string): Promise<IamRequest[]> {
  const asked = await permissionsOf(call);
  if (asked.length === 0)
    throw new Error(
      `What does IAM ask about ${call.service} ${call.method} ${call.url.href} ${String(call.headers['x-amz-target'])}? Add it here.`,
    );
  return asked.map(([action, resource, context = {}]) => ({
    function: functionName,
    action,
    resource,
    // The emulator speaks HTTP; the SDK's own addresses begin with https, and its Node with TLS 1.2.
    context: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.2', ...context },
  }));
}

type Permission = [action: string, resource: string, context?: Record<string, string>];

async function permissionsOf(call: Call): Promise<Permission[]> {
  switch (call.service) {
    case 's3':
      return ofS3(call);
    case 'secretsmanager': {
      const action = String(call.headers['x-amz-target']).split('.')[1] ?? '';
      const { SecretId = '' } = JSON.parse(call.body()) as { SecretId?: string };
      const { ARN = '' } = await new SecretsManagerClient().send(new DescribeSecretCommand({ SecretId }));
      return [[`secretsmanager:${action}`, ARN]];
    }
    case 'ses':
      return ofSes(call);
    case 'scheduler':
      return ofScheduler(call);
    case 'events': {
      if (call.headers['x-amz-target'] !== 'AWSEvents.PutEvents') return [];
      const { Entries } = JSON.parse(call.body()) as { Entries: { EventBusName?: string }[] };
      return Entries.map(({ EventBusName = 'default' }) => [
        'events:PutEvents',
        EventBusName.startsWith('arn:') ? EventBusName : arn('events', `event-bus/${EventBusName}`),
      ]);
    }
    default:
      return [];
  }
}

/** Path style: /bucket/key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function ofS3({ method, url, headers, status }: Call): Permission[] {
  const [, bucket = '', ...parts] = url.pathname.split('/').map(decodeURIComponent);
  const key = parts.join('/');
  const ofBucket = `arn:aws:s3:::${bucket}`;
  const object = `${ofBucket}/${key}`;
  if (key === '') {
    if (method !== 'GET' || url.searchParams.get('list-type') !== '2') return [];
    const prefix = url.searchParams.get('prefix');
    return [['s3:ListBucket', ofBucket, prefix === null ? {} : { 's3:prefix': prefix }]];
  }
  // A version, an upload in parts, tags and the like have actions of their own.
  if ([...url.searchParams.keys()].some((name) => name !== 'x-id')) return [];
  if (headers['x-amz-tagging'] !== undefined || headers['x-amz-acl'] !== undefined) return [];
  if (method === 'GET' || method === 'HEAD') {
    const get: Permission = ['s3:GetObject', object];
    // Who may not list gets 403 for an object that is not there; the key then counts as the prefix (lib/archive.ts).
    return status === 404 ? [get, ['s3:ListBucket', ofBucket, { 's3:prefix': key }]] : [get];
  }
  if (method !== 'PUT') return [];
  const ifNoneMatch = headers['if-none-match'];
  const put: Permission = [
    's3:PutObject',
    object,
    {
      's3:ObjectCreationOperation': 'true',
      ...(typeof ifNoneMatch === 'string' && { 's3:if-none-match': ifNoneMatch }),
    },
  ];
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  return headers['if-match'] === undefined ? [put] : [put, ['s3:GetObject', object]];
}

/** https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html: in the sandbox the recipients' identities too. */
function ofSes({ method, url, body }: Call): Permission[] {
  if (method !== 'POST' || url.pathname !== '/v2/email/outbound-emails') return [];
  const mail = JSON.parse(body()) as {
    FromEmailAddress: string;
    ConfigurationSetName: string;
    Destination: { ToAddresses: string[] };
  };
  const address = /<(.+)>$/.exec(mail.FromEmailAddress)?.[1] ?? mail.FromEmailAddress;
  const identities = [address.split('@')[1] ?? '', ...mail.Destination.ToAddresses];
  const resources = [
    ...identities.map((identity) => `identity/${identity}`),
    `configuration-set/${mail.ConfigurationSetName}`,
  ];
  return resources.map((resource) => ['ses:SendEmail', arn('ses', resource), { 'ses:FromAddress': address }]);
}

function ofScheduler({ method, url }: Call): Permission[] {
  if (method !== 'GET') return [];
  const [, kind, name] = url.pathname.split('/').map(decodeURIComponent);
  if (kind !== 'schedules') return [];
  if (name === undefined) return [['scheduler:ListSchedules', arn('scheduler', 'schedule/*/*')]];
  const group = url.searchParams.get('groupName') ?? 'default';
  return [['scheduler:GetSchedule', arn('scheduler', `schedule/${group}/${name}`)]];
}
