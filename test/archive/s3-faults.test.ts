import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { s3Store } from '../../lambda/archive/s3-store.ts';
import { bytes } from './store-contract.ts';

// What S3 answers seldom, and an emulator never. What it answers every day is tested on one: test/s3.

const client = new S3Client({ region: 'eu-central-1' });
const s3 = mockClient(client);
const store = s3Store({ bucket: 'archive', prefix: 'p', client });
beforeEach(() => s3.reset());

function answer(name: string, status: number, message = 'as it happens', attempts = 1): S3ServiceException {
  return new S3ServiceException({
    name,
    message,
    $fault: status < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: status, attempts },
  });
}
const conflict = answer('ConditionalRequestConflict', 409);
const precondition = answer('PreconditionFailed', 412);

describe('a conditional write', () => {
  test('that collides with another one is made again', async () => {
    s3.on(PutObjectCommand).rejectsOnce(conflict).rejectsOnce(conflict).resolves({ ETag: '"1"' });
    expect(await store.create('a', bytes('1'))).toBe('created');
    s3.reset();
    s3.on(PutObjectCommand).rejectsOnce(conflict).rejects(precondition);
    expect(await store.create('a', bytes('1'))).toBe('exists');
    expect(s3.commandCalls(PutObjectCommand).map((call) => call.args[0].input.IfNoneMatch)).toEqual([
      '*',
      '*',
    ]);
  });

  test('that never succeeds is reported, and may be tried again', async () => {
    s3.on(PutObjectCommand).rejects(conflict);
    await expect(store.replace('a', bytes('1'), '"0"')).rejects.toMatchObject({
      code: 'archive-conflict',
      retryable: true,
      message: expect.stringContaining('"s3://archive/p/a"'),
    });
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(6);
  });

  test.each([answer('PreconditionFailed', 412, '', 2), answer('NoSuchKey', 404, '', 2)])(
    'whose first answer got lost ($name at the second) is made if its bytes are there',
    async (second) => {
      s3.on(PutObjectCommand).rejects(second);
      s3.on(GetObjectCommand).callsFake(() => object('mine', '"mine"'));
      expect(await store.replace('a', bytes('mine'), '"0"')).toBe('"mine"');
      expect(await store.replace('a', bytes('mine'), null)).toBe('"mine"');
      expect(await store.replace('a', bytes('other'), '"0"')).toBeUndefined();
      expect(await store.create('a', bytes('mine'))).toBe('exists');
    },
  );

  test('that is refused at once has lost, whatever the stored bytes are', async () => {
    s3.on(PutObjectCommand).rejects(precondition);
    s3.on(GetObjectCommand).callsFake(() => object('same', '"1"'));
    expect(await store.replace('a', bytes('same'), '"0"')).toBeUndefined();
    expect(s3.commandCalls(GetObjectCommand)).toHaveLength(0);
  });

  test('says what the object is, and not that it is compressed', async () => {
    s3.on(PutObjectCommand).resolves({ ETag: '"1"' });
    await store.create('snapshots/a.json.gz', bytes('1'));
    await store.replace('state/a.json', bytes('1'), '"0"');
    await store.create('history/a.parquet', bytes('1'));
    const inputs = s3.commandCalls(PutObjectCommand).map((call) => call.args[0].input);
    expect(
      inputs.map(({ Key, ContentType, ContentEncoding }) => [Key, ContentType, ContentEncoding]),
    ).toEqual([
      ['p/snapshots/a.json.gz', 'application/gzip', undefined],
      ['p/state/a.json', 'application/json', undefined],
      ['p/history/a.parquet', 'application/vnd.apache.parquet', undefined],
    ]);
    expect(inputs[1]).toMatchObject({ IfMatch: '"0"' });
    expect(inputs[1]).not.toHaveProperty('IfNoneMatch');
  });
});

describe('an error of S3', () => {
  const named = (name: string): Error => Object.assign(new Error('as it happens'), { name });
  test.each([
    [answer('NoSuchBucket', 404), 'archive-bucket-missing', false],
    [answer('PermanentRedirect', 301), 'archive-wrong-region', false],
    [answer('AuthorizationHeaderMalformed', 400), 'archive-wrong-region', false],
    [answer('ExpiredToken', 400), 'archive-credentials-expired', false],
    [answer('InvalidAccessKeyId', 403), 'archive-credentials-invalid', false],
    [answer('RequestTimeTooSkewed', 403), 'archive-clock-wrong', false],
    [answer('AccessDenied', 403), 'archive-access-denied', false],
    [answer('SlowDown', 503), 'archive-unavailable', true],
    [answer('InternalError', 500), 'archive-unavailable', true],
    [answer('RequestTimeout', 400), 'archive-unavailable', true],
    [answer('MethodNotAllowed', 405), 'archive-failed', false],
    [answer('NotImplemented', 501), 'archive-unsupported', false],
    [answer('XMinioStorageFull', 507), 'archive-full', false],
    [answer('InvalidObjectState', 403), 'archive-object-cold', false],
    [answer('AllAccessDisabled', 403), 'archive-account-disabled', false],
    [answer('AccountProblem', 403), 'archive-account-disabled', false],
    [answer('NotSignedUp', 403), 'archive-account-disabled', false],
    [answer('InvalidSecurity', 403), 'archive-credentials-invalid', false],
    [answer('KMS.DisabledException', 400), 'archive-key-unusable', false],
    [answer('KMS.NotFoundException', 400), 'archive-key-unusable', false],
    [answer('KMS.KMSInvalidStateException', 400), 'archive-key-unusable', false],
    [answer('KMS.ThrottlingException', 400), 'archive-unavailable', true],
    [answer('RequestLimitExceeded', 400), 'archive-unavailable', true],
    [answer('IncompleteBody', 400), 'archive-unavailable', true],
    [Object.assign(named('Error'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'archive-not-trusted', false],
    [named('CredentialsProviderError'), 'archive-credentials-missing', false],
    [named('TimeoutError'), 'archive-unreachable', true],
    [Object.assign(named('Error'), { code: 'ECONNRESET' }), 'archive-unreachable', true],
    [new Error('Region is missing'), 'archive-region-missing', false],
  ])('%s is reported as %s', async (error, code, retryable) => {
    s3.onAnyCommand().rejects(error);
    const expected = { code, retryable, cause: error, advice: expect.stringMatching(/\w+/) };
    const about = (action: string, target: string): object => ({
      ...expected,
      message: expect.stringContaining(`${action} on "${target}"`),
    });
    await expect(store.get('a')).rejects.toMatchObject(about('s3:GetObject', 's3://archive/p/a'));
    await expect(store.create('a', bytes(''))).rejects.toMatchObject(
      about('s3:PutObject', 's3://archive/p/a'),
    );
    await expect(store.replace('a', bytes(''), null)).rejects.toMatchObject(
      about('s3:PutObject', 's3://archive/p/a'),
    );
    await expect(store.list('b/')).rejects.toMatchObject(about('s3:ListBucket', 's3://archive/p/b/'));
  });

  const denied = answer('AccessDenied', 403, 'User: arn:aws:iam::1:user/x is not authorized');
  const listings = () => s3.commandCalls(ListObjectsV2Command).map((call) => call.args[0].input);

  test('that denies an object is checked by a listing: there is no object', async () => {
    s3.on(GetObjectCommand).rejects(denied);
    s3.on(ListObjectsV2Command).resolves({});
    expect(await store.get('state/a.json')).toBeUndefined();
    expect(listings()).toEqual([{ Bucket: 'archive', Prefix: 'p/state/a.json', MaxKeys: 1 }]);
    s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'p/state/a.json.old' }] });
    expect(await store.get('state/a.json')).toBeUndefined();
  });

  test('that denies an object which a listing shows is reported', async () => {
    s3.on(GetObjectCommand).rejects(denied);
    s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'p/a' }] });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'archive-access-denied', cause: denied });
  });

  test('that denies an object while S3 has an outage may pass', async () => {
    s3.on(GetObjectCommand).rejects(denied);
    s3.on(ListObjectsV2Command).rejects(answer('SlowDown', 503));
    await expect(store.get('a')).rejects.toMatchObject({ code: 'archive-unavailable', retryable: true });
  });

  test.each([answer('InvalidAccessKeyId', 403), answer('AccountProblem', 403)])(
    'that is $name is nothing to ask a listing about',
    async (error) => {
      s3.on(GetObjectCommand).rejects(error);
      await expect(store.get('a')).rejects.toMatchObject({ cause: error });
      expect(listings()).toEqual([]);
    },
  );

  test('that denies says what to grant, and that a missing object looks the same', async () => {
    s3.on(GetObjectCommand).rejects(denied);
    s3.on(ListObjectsV2Command).rejects(answer('AccessDenied', 403));
    await expect(store.get('a')).rejects.toMatchObject({
      message: expect.stringContaining('user/x'),
      advice: expect.stringMatching(/s3:GetObject .*s3:ListBucket/),
    });
  });

  test('that redirects gives the region', async () => {
    const error = answer('PermanentRedirect', 301);
    Object.assign(error, { $response: { headers: { 'x-amz-bucket-region': 'us-west-2' } } });
    s3.on(ListObjectsV2Command).rejects(error);
    await expect(store.list('')).rejects.toMatchObject({ advice: 'Set AWS_REGION to "us-west-2".' });
  });
});

describe('over a real connection', () => {
  /** An S3 of a few lines. @returns a store on it */
  async function serve(listener: RequestListener) {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return s3Store({
      bucket: 'archive',
      client: new S3Client({
        endpoint: `http://127.0.0.1:${port}`,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        requestHandler: { requestTimeout: 200, throwOnRequestTimeout: true, socketTimeout: 200 },
      }),
    });
  }

  test('a write whose answer is lost is made once, and is known to be made', async () => {
    const puts: string[] = [];
    const lossy = await serve((request, response) => {
      request.resume();
      request.on('end', () => {
        if (request.method === 'GET') return response.writeHead(200, { etag: '"new"' }).end('new');
        puts.push(String(request.headers['if-match']));
        if (puts.length === 1) return request.socket.destroy(); // written, but nobody hears of it
        return response
          .writeHead(412, { 'content-type': 'application/xml' })
          .end('<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>');
      });
    });
    expect(await lossy.replace('state/a.json', bytes('new'), '"old"')).toBe('"new"');
    expect(puts).toEqual(['"old"', '"old"']);
  });

  test('an object that breaks off is not accepted as an object', async () => {
    const torn = await serve((_, response) => {
      response.writeHead(200, { etag: '"1"', 'content-length': 1_000 }).write('only this');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(torn.get('a')).rejects.toMatchObject({ code: 'archive-unreachable', retryable: true });
  });

  test('an object that stops arriving is not waited for', async () => {
    const slow = await serve((_, response) => {
      response.writeHead(200, { etag: '"1"', 'content-length': 1_000 }).write('only this');
    });
    await expect(slow.get('a')).rejects.toMatchObject({ code: 'archive-unreachable', retryable: true });
  });

  test('an S3 that does not answer is not waited for', { timeout: 10_000 }, async () => {
    const silent = await serve(() => undefined);
    await expect(silent.get('a')).rejects.toMatchObject({ code: 'archive-unreachable', retryable: true });
  });
});

async function object(text: string, ETag: string) {
  return { Body: { transformToByteArray: async () => bytes(text) }, ETag };
}
