import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { commandLine } from '../command-line.ts';
import { DeliveryError, quote } from '../errors.ts';
import { lacksCredentials, passes } from '../passing.ts';
import { proxyAgents } from '../proxy.ts';
import type { Place } from '../config.ts';

/** Reads the secrets of a channel: the address of its webhook, and its signing key. */
export interface Secrets {
  /** @throws DeliveryError `channel-secret-…` */
  read(place: Place, channel: string): Promise<string>;
}

/** The time, in ms, after which a read has failed. The SDK tries three times. */
const TIMEOUTS = { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/**
 * Secrets from AWS Secrets Manager, and from the environment of a single machine. Each is read when needed, so that a
 * newly stored one counts at once.
 */
export function secretsOf(options: { client?: SecretsManagerClient; env?: NodeJS.ProcessEnv } = {}): Secrets {
  const { env = process.env } = options;
  let { client } = options;
  return {
    async read(place, channel) {
      if ('env' in place) {
        const value = env[place.env]?.trim();
        if (value) return value;
        throw new DeliveryError(
          'channel-secret-missing',
          `The channel ${quote(channel)} reads the variable ${place.env}, which is not set.`,
          `Set ${place.env} where this runs. A deployment reads secrets: url: { secret: '…' } in the config.`,
        );
      }
      client ??= new SecretsManagerClient({ requestHandler: { ...TIMEOUTS, ...proxyAgents() } });
      const answer = await client
        .send(new GetSecretValueCommand({ SecretId: place.secret }))
        .catch((error: unknown) => {
          throw explain(error, place.secret, channel);
        });
      const value = answer.SecretString?.trim();
      if (value) return value;
      throw new DeliveryError(
        'channel-secret-missing',
        `The secret ${quote(place.secret)} of the channel ${quote(channel)} ${answer.SecretBinary ? 'holds binary data, not text' : 'is empty'}.`,
        putIt(channel),
      );
    },
  };
}

const putIt = (channel: string): string => `Put it there: ${commandLine(`channel put ${channel}`)}`;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
function explain(error: unknown, secret: string, channel: string): DeliveryError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const failed = `The secret ${quote(secret)} of the channel ${quote(channel)} cannot be read: ${name}: ${quote(message, 300)}.`;
  if (name === 'ResourceNotFoundException') {
    return new DeliveryError(
      'channel-secret-missing',
      `There is no secret ${quote(secret)} for the channel ${quote(channel)} in this account and region, or it has no value yet.`,
      putIt(channel),
    );
  }
  if (lacksCredentials({ name, message })) {
    return new DeliveryError(
      'channel-secret-refused',
      failed,
      'Sign in to AWS (aws sso login, AWS_PROFILE) and set AWS_REGION.',
    );
  }
  if (passes(error)) {
    return new DeliveryError(
      'channel-secret-unreachable',
      failed,
      'Usually this passes, and the next run tries again. If not, look at the status of AWS Secrets Manager and at the network of this machine.',
      { retryable: true },
    );
  }
  return new DeliveryError(
    'channel-secret-refused',
    failed,
    'Grant secretsmanager:GetSecretValue on it (and kms:Decrypt on its key, if it has its own) to the identity that runs this. A deployment grants it for the secrets in the config.',
  );
}

/**
 * The address of a channel.
 * @throws DeliveryError `channel-address-invalid`, which does not quote it, and those of `Secrets.read`
 */
export async function addressOf(secrets: Secrets, place: Place, channel: string): Promise<URL> {
  const found = findAddress(await secrets.read(place, channel));
  if (found instanceof URL) return found;
  throw new DeliveryError(
    'channel-address-invalid',
    `The content of ${nameOf(place)} is not the address of the channel ${quote(channel)}: it ${found}.`,
    `Store the https address that the service shows for its webhook: ${commandLine(`channel put ${channel}`)}`,
  );
}

/** @returns the address, or what is wrong with the text, as a clause like `has no host` that does not quote it */
export function findAddress(text: string): URL | string {
  const url = URL.parse(text.trim());
  if (/\s/.test(text.trim())) return 'is more than one word';
  if (url === null) return 'is not an address';
  if (url.protocol !== 'https:') return 'does not begin with https://';
  // Node would send them as a header, and a proxy or a log might show them.
  if (url.username !== '' || url.password !== '') return 'has a name or a password before its host';
  return url;
}

/**
 * The key that signs the messages of a webhook, in the form that the library expects.
 * @throws DeliveryError `channel-key-invalid`, which does not quote it, and those of `Secrets.read`
 */
export async function signingKeyOf(secrets: Secrets, place: Place, channel: string): Promise<string> {
  const key = await secrets.read(place, channel);
  if (isSigningKey(key)) return key;
  throw new DeliveryError(
    'channel-key-invalid',
    `The content of ${nameOf(place)} is not a signing key for the channel ${quote(channel)}: a key is whsec_ followed by the base64 of 24 to 64 bytes.`,
    `Store the key that the receiver has: ${commandLine(`channel put ${channel} --signing-key`)}`,
  );
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme */
export function isSigningKey(text: string): boolean {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(base64, 'base64').length;
  return base64.length % 4 === 0 && bytes >= 24 && bytes <= 64;
}

const nameOf = (place: Place): string =>
  'env' in place ? `the variable ${place.env}` : `the secret ${quote(place.secret)}`;
