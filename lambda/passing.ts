/*
 * Whether what failed passes by itself. A status alone does not say it: some services throttle with a 400, and a 501
 * or a certificate that nobody trusts is the same tomorrow.
 */

/** TLS errors that trying again does not mend. */
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

/** Names of AWS errors that blame who asks, not what is asked: there are no credentials, or none that hold. */
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

/** Whether a call of the AWS SDK failed for want of credentials or of a region, which the SDK misses at the first call. */
export const lacksCredentials = ({ name, message }: Error): boolean =>
  NO_CREDENTIALS.has(name) || message === 'Region is missing';

/**
 * Names of AWS errors that pass whatever the status is (RequestLimitExceeded, KMS.ThrottlingException, …).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
const PASSING =
  /throttl|TooManyRequests|LimitExceeded|SlowDown|RequestTimeout|DependencyTimeout|Unavailable|InternalException|InternalError|InternalFailure|IncompleteBody|BadDigest/i;

/**
 * Whether a call of the AWS SDK that failed may succeed later without anybody doing anything. The SDK has tried it
 * three times. No answer at all (DNS, TCP, a timeout) passes, an answer that blames the request does not.
 */
export function passes(error: unknown): boolean {
  const { name, code, statusCode, $metadata, $retryable } = error as {
    name?: string;
    code?: string;
    /** Of the proxy's answer, with ERR_PROXY_TUNNEL. */
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
