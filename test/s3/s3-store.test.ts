import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { s3Store } from '../../lambda/archive/s3-store.ts';
import { bytes, storeContract, textOf } from '../archive/store-contract.ts';
import { newBucket } from './bucket.ts';

describe('a bucket', () => {
  storeContract(
    async () => s3Store({ bucket: await newBucket(), prefix: 'a/prefix' }),
    (store) => {
      const [bucket = '', ...prefix] = store.location.slice('s3://'.length).split('/');
      return s3Store({ bucket, prefix: prefix.join('/') });
    },
  );

  test('is shared by stores with different prefixes', async () => {
    const bucket = await newBucket();
    const [unprefixed, below] = [s3Store({ bucket }), s3Store({ bucket, prefix: 'below' })];
    await below.create('a', bytes('1'));
    await s3Store({ bucket, prefix: 'below-it' }).create('b', bytes('2'));
    expect(await textOf(unprefixed, 'below/a')).toBe('1');
    expect(await unprefixed.list('')).toEqual(['below-it/b', 'below/a']);
    expect(await below.list('')).toEqual(['a']);
  });

  test('may contain objects that do not belong to the archive', async () => {
    const bucket = await newBucket();
    for (const Key of ['snapshots/', 'snapshots/.hidden', 'snapshots/what is this?']) {
      await new S3Client({}).send(new PutObjectCommand({ Bucket: bucket, Key, Body: '.' }));
    }
    expect(await s3Store({ bucket }).list('snapshots/')).toEqual([]);
  });
});
