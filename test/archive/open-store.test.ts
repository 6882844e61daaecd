import path from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../lambda/archive/open-store.ts';

test.each([
  ['s3://my-bucket', 's3://my-bucket'],
  ['s3://my-bucket/', 's3://my-bucket'],
  ['S3://my.bucket/a/b=c/', 's3://my.bucket/a/b=c'],
  ['./practice/archive', path.resolve('practice/archive')],
  ['/var/lib/score archive', '/var/lib/score archive'],
  ['a~b', path.resolve('a~b')],
])('%j is a place for an archive', async (location, known) => {
  expect((await openStore(location)).location).toBe(known);
});

test.each([
  '',
  '  ',
  's3:',
  's3:/my-bucket',
  's3://',
  's3:///prefix',
  's3://My-Bucket',
  's3://ab',
  's3://my_bucket',
  's3://my..bucket',
  's3://127.0.0.1',
  's3://my-bucket//a',
  's3://my-bucket/a/../b',
  's3://my-bucket/a?b',
  's3://my-bucket/a\nb',
  'http://my-bucket',
  'file:///tmp/a',
  '~/archive',
  'a\0b',
])('%j is not', async (location) => {
  await expect(openStore(location)).rejects.toThrow(
    expect.objectContaining({ code: 'archive-location-invalid', advice: expect.stringContaining('s3://') }),
  );
});
