import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Tenant } from '../config.ts';
import { MonitorError, quote } from '../errors.ts';
import { putCommand } from '../outputs.ts';
import { lacksCredentials, passes } from '../passing.ts';
import { proxyAgents } from '../proxy.ts';

/**
 * A PEM bundle as the SecretString of an AWS secret: the tenant's own (`certificate` in the config), or the one that
 * serves the whole deployment.
 * @param options.defaultSecret name or ARN of the latter
 * @throws on read: MonitorError `certificate-not-found`, `certificate-access-denied`, `certificate-not-decrypted`,
 *   `certificate-not-text`, `certificate-empty`, `certificate-refused`, `aws-credentials-missing`; `certificate-unreachable` (retryable)
 */
export function secretsManagerSource(options: { client?: SecretsManagerClient; defaultSecret: string }): {
  read(tenant: Pick<Tenant, 'certificate'>): Promise<string>;
} {
  const { client = new SecretsManagerClient({ requestHandler: proxyAgents() }), defaultSecret } = options;
  return {
    async read(tenant) {
      const secret = tenant.certificate ?? defaultSecret;
      const answer = await client
        .send(new GetSecretValueCommand({ SecretId: secret }))
        .catch((error: unknown) => {
          throw explain(secret, error);
        });
      if (answer.SecretBinary !== undefined) {
        throw new MonitorError(
          'certificate-not-text',
          `The secret ${quote(secret)} holds binary data, not text.`,
          `Store the PEM bundle as text (SecretString): ${putCommand(secret)}. A .pfx becomes one with: openssl pkcs12 -in app.pfx -nodes -out app.pem`,
        );
      }
      if (answer.SecretString === undefined || answer.SecretString.trim() === '') {
        throw new MonitorError(
          'certificate-empty',
          `The secret ${quote(secret)} is empty.`,
          putABundle(secret),
        );
      }
      return answer.SecretString;
    },
  };
}

const putABundle = (secret: string): string =>
  `Store the PEM bundle (certificate and unencrypted key) in it: ${putCommand(secret)}.`;

/**
 * Errors of GetSecretValue: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 * The SDK has already retried temporary errors. The original is not passed on as a cause, because it adds nothing.
 */
function explain(secret: string, error: unknown): MonitorError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (lacksCredentials({ name, message })) {
    return new MonitorError(
      'aws-credentials-missing',
      `The secret ${quote(secret)} cannot be read without valid AWS credentials and a region: ${quote(message, 300)}.`,
      'Sign in to AWS (aws sso login, AWS_PROFILE), set AWS_REGION, or use a file: --certificate <file>.',
    );
  }
  switch (name) {
    case 'ResourceNotFoundException':
      // The same error comes for a secret without a value.
      return new MonitorError(
        'certificate-not-found',
        `There is no secret ${quote(secret)} in this account and region, or it has no value yet.`,
        `Create it, or correct the tenant's "certificate" in the config. ${putABundle(secret)}`,
      );
    case 'AccessDeniedException':
      return new MonitorError(
        'certificate-access-denied',
        `Reading the secret ${quote(secret)} is not allowed: ${quote(message, 300)}.`,
        "Allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key if it is not the account's default one.",
      );
    case 'DecryptionFailure':
    case 'DecryptionFailureException':
      return new MonitorError(
        'certificate-not-decrypted',
        `The secret ${quote(secret)} cannot be decrypted: ${quote(message, 300)}.`,
        'Its KMS key is disabled, being deleted, or not usable by this function: enable it, and allow kms:Decrypt.',
      );
    case 'InvalidRequestException':
      return new MonitorError(
        'certificate-not-found',
        `The secret ${quote(secret)} cannot be read: ${quote(message, 300)}.`,
        'It is probably marked for deletion: aws secretsmanager restore-secret.',
      );
    case 'InvalidParameterException':
    case 'ValidationException':
      return new MonitorError(
        'certificate-not-found',
        `${quote(secret)} is not the name of a secret: ${quote(message, 300)}.`,
        'Set the tenant\'s "certificate" to a secret of this account and region, like secure-score/contoso.',
      );
    default:
      if (!passes(error)) {
        return new MonitorError(
          'certificate-refused',
          `Secrets Manager refuses to hand out the secret ${quote(secret)}: ${name}: ${quote(message, 300)}.`,
          'Act on the message, or look the error up in the documentation of AWS Secrets Manager.',
        );
      }
      return new MonitorError(
        'certificate-unreachable',
        `Reading the secret ${quote(secret)} failed: ${name}: ${quote(message, 300)}.`,
        'This is usually temporary: the next run tries again. If it lasts, check the status of AWS Secrets Manager and the network of this machine.',
        { retryable: true },
      );
  }
}
