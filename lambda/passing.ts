/*
 * Decides whether a failure passes by itself. The status does not suffice: some services throttle with a 400, and a 501 or
 * an untrusted certificate will be the same tomorrow.
 */

/** TLS errors that do not pass by trying again. */
const NOT_TRUSTED = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** @param code of a system or TLS error of Node */
export const isNotTrusted = (code: unknown): boolean => NOT_TRUSTED.has(String(code));

/** True if a proxy refuses to connect, as it will the next time: it wants other credentials, or another address. */
export function isProxyRefusal(error: unknown): boolean {
  const { code, statusCode } = error as { code?: unknown; statusCode?: number };
  return code === 'ERR_PROXY_TUNNEL' && statusCode !== undefined && statusCode >= 400 && statusCode < 500;
}

/** Names of AWS errors about the caller, not the request: there are no credentials, or no valid ones. */
const NO_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** True if a call of the AWS SDK failed because it had no credentials or no region, which the SDK checks at the first call. */
export const lacksCredentials = ({ name, message }: Error): boolean =>
  NO_CREDENTIALS.has(name) || message === 'Region is missing';

/**
 * Names of AWS errors that pass whatever the status is (RequestLimitExceeded, KMS.ThrottlingException, …).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
const PASSING =
  /throttl|TooManyRequests|LimitExceeded|SlowDown|RequestTimeout|DependencyTimeout|Unavailable|InternalException|InternalError|InternalFailure|IncompleteBody|BadDigest/i;

/**
 * True if a failed call of the AWS SDK may succeed later without anybody doing anything. The SDK has tried it three times.
 * A missing answer (DNS, TCP, a timeout) passes by itself; an answer that blames the request does not.
 */
export function passes(error: unknown): boolean {
  const { name, code, statusCode, $metadata, $retryable } = error as {
    name?: string;
    code?: string;
    /** The status of the proxy's answer, with ERR_PROXY_TUNNEL. */
    statusCode?: number;
    $metadata?: { httpStatusCode?: number };
    $retryable?: object;
  };
  if (isNotTrusted(code)) return false;
  if (code === 'ERR_PROXY_TUNNEL') return statusCode === undefined || statusCode >= 500;
  const status = $metadata?.httpStatusCode;
  if ($retryable || PASSING.test(name ?? '')) return true;
  return status === undefined || status === 408 || status === 429 || (status >= 500 && status !== 501);
}
