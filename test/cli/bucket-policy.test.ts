import { expect, it } from 'vitest';
import { appendOnlyGaps } from '../../cli/doctor/checks/bucket-policy.ts';

const ALL = ['snapshots/', 'profiles/', 'reports/', 'ledger/'];
const deny = (fields: object = {}) => ({
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:PutObject',
  Resource: ALL.map((part) => `arn:aws:s3:::b/${part}*`),
  Condition: { Null: { 's3:if-none-match': 'true' } },
  ...fields,
});
const gaps = (statement: unknown, prefix = '') =>
  appendOnlyGaps(JSON.stringify({ Version: '2012-10-17', Statement: statement }), 'b', prefix);

it.each([
  ['the statement', deny()],
  ['one of several', [{ Effect: 'Allow', Principal: '*', Action: 's3:Get*', Resource: 'x' }, deny()]],
  ['one each', ALL.map((part) => deny({ Resource: `arn:aws:s3:::b/${part}*` }))],
  ['the complete bucket, of another partition', deny({ Resource: 'arn:aws-us-gov:s3:::b/*' })],
  [
    'in other spellings',
    deny({
      Principal: { AWS: '*' },
      Action: ['S3:PutObject'],
      Condition: { null: { 'S3:If-None-Match': true } },
    }),
  ],
  ['every action', deny({ Action: 's3:*' })],
])('covers all: %s', (_, statement) => {
  expect(gaps(statement)).toEqual([]);
});

it.each([
  ['allows', deny({ Effect: 'Allow' })],
  ['is for some alone', deny({ Principal: { AWS: 'arn:aws:iam::1:root' } })],
  ['is about another action', deny({ Action: 's3:DeleteObject' })],
  ['denies those that do carry the header', deny({ Condition: { Null: { 's3:if-none-match': 'false' } } })],
  ['has no condition', deny({ Condition: undefined })],
  ['is of another bucket', deny({ Resource: 'arn:aws:s3:::c/*' })],
  ['is of one object', deny({ Resource: 'arn:aws:s3:::b/snapshots/x' })],
  ['is nonsense', 7],
])('covers nothing if the statement %s', (_, statement) => {
  expect(gaps(statement)).toEqual(ALL);
});

it('lists what is not covered, below the prefix of the archive', () => {
  expect(gaps(deny({ Resource: ['arn:aws:s3:::b/snapshots/*'] }))).toEqual([
    'profiles/',
    'reports/',
    'ledger/',
  ]);
  expect(gaps(deny(), 'p/')).toEqual(ALL);
  expect(gaps(deny({ Resource: 'arn:aws:s3:::b/p/*' }), 'p/')).toEqual([]);
  expect(appendOnlyGaps('no JSON', 'b', '')).toEqual(ALL);
});
