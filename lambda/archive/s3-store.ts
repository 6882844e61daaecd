import {
  GetObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { MonitorError, quote } from '../errors.ts';
import { isNotTrusted, passes } from '../passing.ts';
import type { ObjectStore, StoredObject } from '../ports.ts';
import { proxyAgents } from '../proxy.ts';
import { checkKey, checkPrefix, isKey } from './key.ts';

/** Maximum number of tries of a write that S3 answers with 409, because another write to the key is in progress. */
const CONFLICT_TRIES = 6;

/** An object in a listing. */
export interface Entry {
  key: string;
  /** In bytes. */
  size: number;
  /** The same as that of `get`. */
  version: string;
}

/** A store whose listings have more than keys. */
export interface S3Store extends ObjectStore {
  /** As `list`. */
  entries(prefix: string, after?: string): Promise<Entry[]>;
}

/**
 * Objects in a bucket. `create` and `replace` are S3's conditional writes, so S3 itself decides which of two writers
 * came first: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html. A version is the ETag.
 *
 * Needs s3:GetObject and s3:PutObject on the keys, and s3:ListBucket on the bucket. If the latter does not cover a
 * key, S3 answers 403, not 404, for an object that does not exist, and it is not documented with which prefix it evaluates
 * the condition (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, under Permissions). Therefore a
 * listing of exactly that key decides.
 *
 * Region, credentials and endpoint come from the environment, as for every AWS tool (`AWS_REGION`, `AWS_PROFILE`,
 * `AWS_ENDPOINT_URL_S3`). The SDK addresses the bucket as a host name; for an endpoint that is an IP address, as a
 * path. An emulator is therefore given as `http://127.0.0.1:…` and needs no setting here.
 *
 * @param prefix a key without a `/` at the end; the store's keys lie below it
 */
export function s3Store({
  bucket,
  prefix,
  client = new S3Client({
    // The limits suit objects of some 100 kB. Without them a lost connection hangs until the Lambda is stopped. With
    // the SDK's own three attempts a call ends within a minute and a half.
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: 20_000,
      throwOnRequestTimeout: true,
      socketTimeout: 20_000,
      ...proxyAgents(),
    },
  }),
}: {
  bucket: string;
  prefix?: string | undefined;
  client?: S3Client;
}): S3Store {
  if (prefix !== undefined) checkKey(prefix);
  const base = prefix === undefined ? '' : `${prefix}/`;
  const location = `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}`;

  async function get(key: string): Promise<StoredObject | undefined> {
    try {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: base + key }));
      if (answer.Body === undefined || answer.ETag === undefined)
        throw new Error('S3 sent no body or no ETag');
      return { bytes: await answer.Body.transformToByteArray(), version: answer.ETag };
    } catch (error) {
      if (nameOf(error) === 'NoSuchKey') return undefined;
      if (nameOf(error) === 'AccessDenied' && !(await mayBeThere(key))) return undefined;
      throw explain(error, 's3:GetObject', `s3://${bucket}/${base}${key}`);
    }
  }

  /** @returns false if a listing shows that there is no such object; true also if listing is not allowed */
  async function mayBeThere(key: string): Promise<boolean> {
    try {
      // Listings are sorted, so that the key itself comes before all longer ones.
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: base + key, MaxKeys: 1 }),
      );
      return Contents[0]?.Key === base + key;
    } catch (error) {
      if (nameOf(error) === 'AccessDenied') return true;
      throw explain(error, 's3:ListBucket', `s3://${bucket}/${base}${key}`);
    }
  }

  /**
   * @returns the ETag; if the condition does not hold, 'refused', or 'refused again' if S3 was asked more than once and
   *   the object may be that of our own first request
   */
  async function put(
    key: string,
    bytes: Uint8Array,
    condition: { IfMatch: string } | { IfNoneMatch: '*' },
  ): Promise<{ version: string } | 'refused' | 'refused again'> {
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: base + key,
            Body: bytes,
            // A .json.gz has no ContentEncoding, because browsers, proxies and HTTP clients would unpack it on the way
            // and deliver other bytes than were archived. Athena and DuckDB recognize gzip by the name.
            ContentType: contentType(key),
            ...condition,
          }),
        );
        if (answer.ETag === undefined) throw new Error('S3 sent no ETag');
        return { version: answer.ETag };
      } catch (error) {
        const { httpStatusCode: status, attempts = 1 } =
          error instanceof S3ServiceException ? error.$metadata : {};
        // NoSuchKey: If-Match on an object that does not exist (any more).
        if (status === 412 || nameOf(error) === 'NoSuchKey') {
          return tries > 1 || attempts > 1 ? 'refused again' : 'refused';
        }
        // Another write to the same key is in progress, and S3 has not decided which comes first: the same request gets
        // 200 or 412 a moment later.
        if (status === 409 && tries < CONFLICT_TRIES) {
          await sleep(Math.random() * 50 * 2 ** tries);
          continue;
        }
        throw explain(error, 's3:PutObject', `s3://${bucket}/${base}${key}`);
      }
    }
  }

  async function entries(begin: string, after?: string): Promise<Entry[]> {
    checkPrefix(begin);
    checkPrefix(after ?? '');
    try {
      const found: Entry[] = [];
      // S3 lists in UTF-8 order, for these characters the order of code units:
      // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
      for await (const page of paginateListObjectsV2(
        { client },
        { Bucket: bucket, Prefix: base + begin, StartAfter: after ? base + after : undefined },
      )) {
        for (const { Key: key = '', Size: size = 0, ETag: version = '' } of page.Contents ?? []) {
          found.push({ key: key.slice(base.length), size, version });
        }
      }
      // Consoles put markers such as `snapshots/` into buckets.
      return found.filter(({ key }) => isKey(key));
    } catch (error) {
      throw explain(error, 's3:ListBucket', `s3://${bucket}/${base}${begin}`);
    }
  }

  return {
    location,
    entries,

    get: (key) => {
      checkKey(key);
      return get(key);
    },

    create: async (key, bytes) => {
      checkKey(key);
      return typeof (await put(key, bytes, { IfNoneMatch: '*' })) === 'string' ? 'exists' : 'created';
    },

    replace: async (key, bytes, expected) => {
      checkKey(key);
      const answer = await put(key, bytes, expected === null ? { IfNoneMatch: '*' } : { IfMatch: expected });
      if (typeof answer === 'object') return answer.version;
      if (answer === 'refused') return undefined;
      // The SDK asks again if an answer is lost, and the object may then be that of its own first request: it is if it
      // holds the bytes to be written. After a single request this does not hold, because one of two writers of the same
      // bytes must lose. (Only two writers that both lost an answer and wrote the same bytes are indistinguishable; the
      // archive's state has the invocation that wrote it.)
      const found = await get(key);
      return found !== undefined && Buffer.compare(found.bytes, bytes) === 0 ? found.version : undefined;
    },

    list: async (begin, after) => (await entries(begin, after)).map(({ key }) => key),
  };
}

function contentType(key: string): string {
  if (key.endsWith('.gz')) return 'application/gzip';
  if (key.endsWith('.json')) return 'application/json';
  if (key.endsWith('.parquet')) return 'application/vnd.apache.parquet';
  return 'application/octet-stream';
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
const codeOf = (error: unknown): unknown => (error instanceof Error ? Reflect.get(error, 'code') : undefined);

/**
 * Explains to the operator what the SDK threw. Names of errors:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @param action as IAM calls it
 * @param target s3://bucket/key
 */
function explain(error: unknown, action: string, target: string): MonitorError {
  const name = nameOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : undefined;
  const failed = (code: string, why: string, advice: string, retryable = false): MonitorError =>
    new MonitorError(code, `${action} on ${quote(target, 300)}: ${why}`, advice, { retryable, cause: error });
  const detail = `${name} ${quote(message, 300)}`;

  if (name === 'NoSuchBucket') {
    return failed(
      'archive-bucket-missing',
      'there is no such bucket',
      'Check the name of the bucket and that the credentials are of the account (and AWS_ENDPOINT_URL of the place) that has it.',
    );
  }
  if (
    name === 'PermanentRedirect' ||
    name === 'AuthorizationHeaderMalformed' ||
    name === 'IllegalLocationConstraintException' ||
    status === 301 ||
    status === 307
  ) {
    const region = error instanceof S3ServiceException && error.$response?.headers['x-amz-bucket-region'];
    return failed(
      'archive-wrong-region',
      `the bucket is in ${region ? `the region ${quote(region)}` : 'another region'} (${detail})`,
      `Set AWS_REGION to ${region ? quote(region) : 'the region of the bucket'}.`,
    );
  }
  // S3 passes errors of KMS on, with 400, as KMS.DisabledException and the like.
  if (name.startsWith('KMS') && !passes(error)) {
    return failed(
      'archive-key-unusable',
      `its KMS key cannot be used (${detail})`,
      'Enable the key, or cancel its deletion (aws kms describe-key says which); a key that is gone takes what it encrypted with it. Then run again.',
    );
  }
  if (name === 'InvalidObjectState') {
    return failed(
      'archive-object-cold',
      `the object is in a storage class from which it must be restored first (${detail})`,
      'Restore it (aws s3api restore-object), and take the rule that moves objects of the archive to Glacier out of the lifecycle of the bucket.',
    );
  }
  if (/^(AllAccessDisabled|AccountProblem|NotSignedUp|UnauthorizedAccess|InvalidPayer)$/.test(name)) {
    return failed(
      'archive-account-disabled',
      `AWS has disabled the account, or its use of S3 (${detail})`,
      'No permission fixes this: look for mails from AWS to the account, check its bills, and open a case with AWS Support.',
    );
  }
  if (status === 501) {
    return failed(
      'archive-unsupported',
      `the store does not know this request (${detail})`,
      'The archive needs conditional writes (If-None-Match and If-Match on PutObject), which Amazon S3 supports but some compatible stores do not: update the store, or choose another bucket or a folder.',
    );
  }
  if (status === 507) {
    return failed('archive-full', `the store is full (${detail})`, 'Make room, then run again.');
  }
  if (/^ExpiredToken|^TokenRefreshRequired$/.test(name)) {
    return failed(
      'archive-credentials-expired',
      'the AWS credentials have expired',
      'Sign in to AWS again (aws sso login, or new temporary credentials).',
    );
  }
  if (
    name === 'InvalidAccessKeyId' ||
    name === 'SignatureDoesNotMatch' ||
    name === 'InvalidToken' ||
    name === 'InvalidSecurity'
  ) {
    return failed(
      'archive-credentials-invalid',
      `AWS does not accept the credentials (${name})`,
      'Check AWS_PROFILE, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: all three must be of one set.',
    );
  }
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return failed(
      'archive-credentials-missing',
      `no usable AWS credentials were found (${quote(message, 300)})`,
      'Sign in to AWS (aws sso login), or set AWS_PROFILE or the AWS_ACCESS_KEY_ID variables.',
    );
  }
  if (message.startsWith('Region is missing')) {
    return failed(
      'archive-region-missing',
      'no AWS region is set',
      'Set AWS_REGION to the region of the bucket.',
    );
  }
  if (name === 'RequestTimeTooSkewed') {
    return failed(
      'archive-clock-wrong',
      'the clock of this machine is off by more than AWS allows',
      'Set the clock.',
    );
  }
  if (status === 403) {
    const unlisted =
      action === 's3:GetObject'
        ? ' If that is granted, s3:ListBucket on the bucket is missing: without it S3 answers 403 for an object that does not exist.'
        : '';
    return failed(
      'archive-access-denied',
      `access denied (${detail})`,
      `Grant ${action} on it to the identity that runs this, and check that neither the bucket's policy nor its KMS key denies it.${unlisted}`,
    );
  }
  if (status === 409) {
    return failed(
      'archive-conflict',
      `another write to it was in progress all the time (${detail})`,
      'Run again. If it fails again, find out what else writes to this key.',
      true,
    );
  }
  if (status !== undefined && status > 0 && passes(error)) {
    return failed('archive-unavailable', `S3 is unavailable (${detail})`, 'Run again later.', true);
  }
  if (isNotTrusted(codeOf(error))) {
    return failed(
      'archive-not-trusted',
      `the server does not prove that it is S3 (${detail})`,
      'Is a proxy between this machine and AWS that has its own certificate authority? Then point NODE_EXTRA_CA_CERTS at its certificate. Otherwise the connection is being intercepted.',
    );
  }
  if ((status === undefined || status === 0) && !passes(error)) {
    return failed(
      'archive-proxy-refused',
      `the proxy in HTTPS_PROXY refuses to connect to S3 (${detail})`,
      'Check name and password in HTTPS_PROXY (407), and whether the proxy allows S3 (403); or exempt it with NO_PROXY.',
    );
  }
  if (status === undefined || status === 0) {
    // S3 has not answered: DNS, TCP, TLS, a timeout, or a body that broke off.
    return failed(
      'archive-unreachable',
      `S3 cannot be reached (${detail})`,
      'Run again. If it fails again, check the network, proxies, AWS_REGION and AWS_ENDPOINT_URL.',
      true,
    );
  }
  return failed(
    'archive-failed',
    `S3 refuses (${status} ${detail})`,
    'Look the error up in the documentation of S3.',
  );
}
