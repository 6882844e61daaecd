import { describe } from 'vitest';
import { s3Store } from '../../lambda/archive/s3-store.ts';
import { archiveContract } from '../archive/archive-contract.ts';
import { newBucket } from './bucket.ts';

describe('in a bucket', () => {
  archiveContract(async () => s3Store({ bucket: await newBucket() }));
});
