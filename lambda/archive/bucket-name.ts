import { quote } from '../errors.ts';

/**
 * The reason why a text is not the name of a bucket that can hold an archive, as a clause; undefined if it is one.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function bucketFault(bucket: string): string | undefined {
  if (bucket === '') return 'it has no bucket name';
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || /[.-]\.|\.-/.test(bucket)) {
    return `${quote(bucket)} is not a bucket name (3 to 63 of a-z 0-9 . -, a letter or digit at both ends)`;
  }
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return `${quote(bucket)} is an address, not a bucket name`;
  // Directory and table buckets and Object Lambda or multi-region access points do not support our bucket policy.
  if (/^(xn--|sthree-)|(--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(bucket)) {
    return `${quote(bucket)} is the name of another kind of bucket or access point`;
  }
  return undefined;
}
