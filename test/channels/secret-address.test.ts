import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { secretsOf } from '../../lambda/channels/secret-address.ts';
import { DeliveryError } from '../../lambda/errors.ts';
import { failureOf } from '../graph/support.ts';

const manager = mockClient(SecretsManagerClient);
afterAll(() => manager.restore());
beforeEach(() => manager.reset());

const client = new SecretsManagerClient({ region: 'eu-central-1', maxAttempts: 1 });
const read = (env: Record<string, string> = {}) => secretsOf({ client, env });
/** By the service itself: what no service answered passes. */
const ANSWERED = { $metadata: { httpStatusCode: 400 } };
const PLACE = { secret: 'secure-score/soc' };

function failing(name: string, message = 'no', fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

describe('what a channel keeps secret', () => {
  it('is read again each time, without the line break of an editor', async () => {
    manager
      .on(GetSecretValueCommand, { SecretId: 'secure-score/soc' })
      .resolvesOnce({ SecretString: 'https://a.example\r\n' })
      .resolves({ SecretString: 'https://b.example' });
    const secrets = read();
    expect(await secrets.read(PLACE, 'soc')).toBe('https://a.example');
    expect(await secrets.read(PLACE, 'soc')).toBe('https://b.example');
  });

  it('comes from the environment, without a call', async () => {
    expect(await read({ SOC: ' value\n' }).read({ env: 'SOC' }, 'soc')).toBe('value');
    expect(manager.calls()).toEqual([]);
  });

  it.each([
    ['is empty', { SecretString: ' \n' }],
    ['holds binary data', { SecretBinary: Buffer.from('x') }],
  ])('is missing if the secret %s', async (words, answer) => {
    manager.on(GetSecretValueCommand).resolves(answer);
    const error = await failureOf(read().read(PLACE, 'soc'));
    expect(error).toMatchObject({ code: 'channel-secret-missing', retryable: false, final: false });
    expect(error.message).toContain(words);
    expect(error.advice).toContain('secure-score channel put soc');
  });

  it.each([
    ['missing', new ResourceNotFoundException({ message: 'no', $metadata: {} }), false, 'channel put soc'],
    ['refused', failing('AccessDeniedException', 'no', ANSWERED), false, 'secretsmanager:GetSecretValue'],
    ['refused', failing('DecryptionFailure', 'no', ANSWERED), false, 'kms:Decrypt'],
    ['refused', failing('CredentialsProviderError'), false, 'Sign in to AWS'],
    ['refused', failing('UnrecognizedClientException', 'no', ANSWERED), false, 'Sign in to AWS'],
    ['refused', failing('Error', 'Region is missing'), false, 'Sign in to AWS'],
    ['unreachable', failing('TimeoutError'), true, 'tries again'],
    ['unreachable', failing('ThrottlingException', 'slow down', ANSWERED), true, 'tries again'],
    [
      'unreachable',
      failing('InternalServiceError', 'no', { $metadata: { httpStatusCode: 500 } }),
      true,
      'tries again',
    ],
  ] as const)('is %s after %s', async (end, cause, retryable, advice) => {
    manager.on(GetSecretValueCommand).rejects(cause);
    const error = await failureOf(read().read(PLACE, 'soc'));
    expect(error).toBeInstanceOf(DeliveryError);
    // A human can mend each of them within the week: none is final.
    expect(error).toMatchObject({ code: `channel-secret-${end}`, retryable, final: false });
    expect(error.message).toContain('"secure-score/soc"');
    expect(error.advice).toContain(advice);
  });
});
