import { MonitorError, quote } from '../../lambda/errors.ts';
import { proxyAgents } from '../../lambda/proxy.ts';

/** A person is waiting, so a service that cannot be reached must fail within 30 seconds. */
export const PATIENCE = {
  maxAttempts: 2,
  get requestHandler() {
    return {
      connectionTimeout: 4_000,
      requestTimeout: 15_000,
      throwOnRequestTimeout: true,
      ...proxyAgents(),
    };
  },
};

/**
 * Waits for an answer of AWS, and explains to a person what went wrong.
 * @param permission as IAM calls it
 * @param target the resource, for people
 * @param known errors, by name, that the caller can explain better
 * @throws MonitorError `aws-region-missing`, `aws-credentials-missing`, `aws-credentials-invalid`,
 *   `aws-access-denied`, `aws-unreachable`, `aws-failed`, or one of `known`
 */
export async function asked<T>(
  permission: string,
  target: string,
  answer: Promise<T>,
  known: Record<string, () => MonitorError> = {},
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    throw known[name]?.() ?? explain(name, message, permission, target);
  }
}

const SIGN_IN = 'Sign in to AWS (aws sso login), or set AWS_PROFILE to the profile of the right account.';

function explain(name: string, message: string, permission: string, target: string): MonitorError {
  const detail = `${name}: ${quote(message, 300)}`;
  // The second: AWS_REGION is there, and empty.
  if (/^Region is missing|^Region not accepted: region=""/.test(message)) {
    return new MonitorError(
      'aws-region-missing',
      'No AWS region is set.',
      'Set AWS_REGION to the region of the deployment, or AWS_PROFILE to a profile with a region.',
    );
  }
  if (/^(CredentialsProviderError|TokenProviderError)$/.test(name)) {
    return new MonitorError('aws-credentials-missing', 'No usable AWS credentials were found.', SIGN_IN);
  }
  if (/^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken)/.test(name)) {
    return new MonitorError(
      'aws-credentials-invalid',
      `AWS does not accept the credentials (${detail}).`,
      SIGN_IN,
    );
  }
  if (/^(InvalidSignature|SignatureDoesNotMatch|RequestTimeTooSkewed|RequestExpired)/.test(name)) {
    return new MonitorError(
      'aws-credentials-invalid',
      `AWS does not accept the signature of the request (${detail}).`,
      'Check the clock of this machine, and that the secret access key belongs to the access key id.',
    );
  }
  if (/^(AccessDenied|Forbidden|UnauthorizedOperation|403$)/.test(name)) {
    return new MonitorError(
      'aws-access-denied',
      `${permission} on ${target} is not allowed (${detail}).`,
      `Allow ${permission} to whoever runs this command, or run it with the credentials that deployed.`,
    );
  }
  if (
    /^(TimeoutError|NetworkingError|RequestTimeout|AggregateError)$/.test(name) ||
    /\bE[A-Z]{4,}\b/.test(message)
  ) {
    return new MonitorError(
      'aws-unreachable',
      `AWS cannot be reached for ${permission} (${detail}).`,
      'Check the network, proxies, AWS_REGION and AWS_ENDPOINT_URL, then run again.',
      { retryable: true },
    );
  }
  return new MonitorError(
    'aws-failed',
    `${permission} on ${target} failed (${detail}).`,
    'Run again. If it fails again, look the error up in the documentation of the service.',
  );
}
