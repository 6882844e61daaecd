import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { asked, PATIENCE } from '../shared/aws.ts';
import { DEPLOY } from '../shared/deployment.ts';

export const secretsClient = () => new SecretsManagerClient(PATIENCE);

export interface SecretFacts {
  name: string;
  /** When its value was last changed; null where it has none yet. */
  changed: Date | null;
}

/**
 * Looks a secret up, without its value.
 * @param secret name or ARN
 * @throws MonitorError `secret-missing`, `secret-deleted`, and those of `asked`
 */
export async function describeSecret(client: SecretsManagerClient, secret: string): Promise<SecretFacts> {
  const facts = await asked(
    'secretsmanager:DescribeSecret',
    `the secret ${quote(secret)}`,
    client.send(new DescribeSecretCommand({ SecretId: secret })),
    {
      ResourceNotFoundException: () =>
        new MonitorError(
          'secret-missing',
          `There is no secret ${quote(secret)} in this account and region.`,
          `${DEPLOY}: it creates the secret. A secret of your own must already exist; choose it with --secret, or in the tenant's "certificate".`,
        ),
    },
  );
  if (facts.DeletedDate) {
    throw new MonitorError(
      'secret-deleted',
      `The secret ${quote(secret)} is marked for deletion.`,
      `Take that back with: aws secretsmanager restore-secret --secret-id ${secret}`,
    );
  }
  const current = Object.values(facts.VersionIdsToStages ?? {}).some((stages) =>
    stages.includes('AWSCURRENT'),
  );
  return {
    name: facts.Name ?? secret,
    changed: current ? (facts.LastChangedDate ?? facts.CreatedDate ?? null) : null,
  };
}

/** Gives the secret a new version. Its former value stays as the previous version. */
export async function putSecret(client: SecretsManagerClient, secret: string, value: string): Promise<void> {
  await asked(
    'secretsmanager:PutSecretValue',
    `the secret ${quote(secret)}`,
    client.send(new PutSecretValueCommand({ SecretId: secret, SecretString: value })),
  );
}
