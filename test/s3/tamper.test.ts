import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe } from 'vitest';
import { s3Store } from '../../lambda/archive/s3-store.ts';
import { tamperMatrix } from '../archive/tamper-matrix.ts';
import { newBucket } from './bucket.ts';

const s3 = new S3Client({});

describe('on S3', () => {
  tamperMatrix(async () => {
    const Bucket = await newBucket();
    return {
      store: s3Store({ bucket: Bucket }),
      put: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))),
      remove: async (Key) => void (await s3.send(new DeleteObjectCommand({ Bucket, Key }))),
    };
  });
});
