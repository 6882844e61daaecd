import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { commandLine } from '../command-line.ts';
import { MonitorError, quote } from '../errors.ts';
import { lacksCredentials, passes } from '../passing.ts';
import type { CertificateStore, Version } from './ports.ts';

const CURRENT = 'AWSCURRENT';
const PENDING = 'AWSPENDING';
const PREVIOUS = 'AWSPREVIOUS';

/**
 * A secret of AWS Secrets Manager. The next bundle is its version AWSPENDING, the previous one its version AWSPREVIOUS.
 * Needs secretsmanager:DescribeSecret, GetSecretValue, PutSecretValue and UpdateSecretVersionStage.
 * @param secret name or ARN
 */
export function secretCertificate(secret: string, client: SecretsManagerClient): CertificateStore {
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw explain(secret, error);
    }
  };

  /** The versions of the secret by stage. */
  async function versions(): Promise<{ name: string; holding: (stage: string) => string | null }> {
    const { Name, VersionIdsToStages = {} } = await asked(
      client.send(new DescribeSecretCommand({ SecretId: secret })),
    );
    const holding = (stage: string) =>
      Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(stage))?.[0] ?? null;
    return { name: Name ?? secret, holding };
  }

  async function read(id: string | null): Promise<Version | null> {
    if (id === null) return null;
    const { SecretString: pem } = await asked(
      client.send(new GetSecretValueCommand({ SecretId: secret, VersionId: id })),
    );
    return pem === undefined ? null : { id, pem };
  }

  const unlabel = (stage: string, id: string) =>
    client.send(
      new UpdateSecretVersionStageCommand({ SecretId: secret, VersionStage: stage, RemoveFromVersionId: id }),
    );

  return {
    async look() {
      const { name, holding } = await versions();
      const current = await read(holding(CURRENT));
      if (!current) {
        throw new MonitorError(
          'certificate-empty',
          `The secret ${quote(secret)} holds no certificate as text.`,
          `Store the PEM bundle in it: ${commandLine('certificate put')}.`,
        );
      }
      const pending = holding(PENDING);
      return {
        name,
        current,
        // The label stays on a version that has become the current one until it is taken off.
        next: pending === current.id ? null : await read(pending),
        previous: holding(PREVIOUS),
      };
    },
    async stage(id, pem) {
      try {
        await client.send(
          new PutSecretValueCommand({
            SecretId: secret,
            ClientRequestToken: id,
            SecretString: pem,
            VersionStages: [PENDING],
          }),
        );
      } catch (error) {
        // If another attempt has put its own version there under this id, that one counts.
        if (nameOf(error) !== 'ResourceExistsException') throw explain(secret, error);
      }
    },
    async promote(id, from) {
      try {
        // Secrets Manager itself moves AWSPREVIOUS, and refuses if `from` is no longer the current version.
        await client.send(
          new UpdateSecretVersionStageCommand({
            SecretId: secret,
            VersionStage: CURRENT,
            MoveToVersionId: id,
            RemoveFromVersionId: from,
          }),
        );
        return true;
      } catch (error) {
        const { holding } = await versions();
        if (holding(CURRENT) !== from) return false;
        throw explain(secret, error);
      }
    },
    async unstage(id) {
      if ((await versions()).holding(PENDING) === id) await asked(unlabel(PENDING, id));
    },
    async forget(id) {
      if ((await versions()).holding(PREVIOUS) === id) await asked(unlabel(PREVIOUS, id));
    },
  };
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));

function explain(secret: string, error: unknown): MonitorError {
  const cause = `${nameOf(error)}: ${quote(error instanceof Error ? error.message : '', 300)}`;
  if (error instanceof Error && lacksCredentials(error)) {
    return new MonitorError(
      'aws-credentials-missing',
      `The secret ${quote(secret)} cannot be renewed without valid AWS credentials and a region (${cause}).`,
      'Sign in to AWS (aws sso login, AWS_PROFILE) and set AWS_REGION, or renew a file: --certificate <file>.',
    );
  }
  if (passes(error)) {
    return new MonitorError(
      'secret-unreachable',
      `The secret ${quote(secret)} could not be renewed (${cause}).`,
      'Nothing has to be done: the next attempt goes on from there. If it lasts, check the health of AWS Secrets Manager.',
      { retryable: true },
    );
  }
  switch (nameOf(error)) {
    case 'AccessDeniedException':
      return new MonitorError(
        'secret-denied',
        `Renewing the secret ${quote(secret)} is not allowed (${cause}).`,
        'Deploy again: the deployment allows it if a tenant has an objectId. Elsewhere it needs secretsmanager:DescribeSecret, GetSecretValue, PutSecretValue and UpdateSecretVersionStage.',
      );
    case 'ResourceNotFoundException':
      return new MonitorError(
        'secret-missing',
        `There is no secret ${quote(secret)} in this account and region, or it has no value.`,
        `Set the tenant's "certificate" to the right one, and fill it: ${commandLine('certificate put')}.`,
      );
    default:
      return new MonitorError(
        'secret-refused',
        `AWS Secrets Manager refuses to renew the secret ${quote(secret)} (${cause}).`,
        'Act on the message, or look the error up in the documentation of AWS Secrets Manager.',
      );
  }
}
