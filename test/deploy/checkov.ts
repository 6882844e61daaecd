import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../python.ts';

/**
 * What checkov finds in the templates of a deployment, and why it stays as it is. A finding that is not here fails the
 * test, and so does an answer to nothing.
 */
export const ANSWERS: Record<string, string> = {
  'CKV_AWS_18 MonitorArchiveBucket':
    'Access logs: one role writes there, the bucket is append-only and versioned, and CloudTrail logs who reads it.',
  'CKV_AWS_18 HistoryResults':
    'Access logs: it holds copies for some days; Athena keeps who ran which query, and CloudTrail logs it.',
  'CKV_AWS_21 HistoryResults':
    'Versions: results of queries are made again by asking again, and expire after some days.',
  'CKV_AWS_26 MonitorOperationsTopic':
    'A key of the topic is an option (operationsEncryption): docs/decisions/cost.md says what passes through it.',
  'CKV_AWS_27 MonitorFailedRuns':
    'It is encrypted: by SQS (SqsManagedSseEnabled), which this check does not know.',
  'CKV_AWS_27 MonitorUndelivered':
    'It is encrypted: by SQS (SqsManagedSseEnabled), which this check does not know.',
  'CKV_AWS_115 MonitorRunFunction':
    'Reserved concurrency takes from the account, where a new one has 10 in all; it is an option of the construct.',
  'CKV_AWS_116 MonitorRunFunction':
    'A destination takes the failed runs: it carries the error as well, which a dead-letter queue does not.',
  'CKV_AWS_117 MonitorRunFunction':
    'It speaks to Microsoft and AWS over the internet and to nothing private: a VPC would add a NAT gateway and no safety.',
  'CKV_AWS_149 MonitorCertificateSecret':
    'It is encrypted with the key of AWS for Secrets Manager; one of its own costs $1 a month and changes who may read nothing.',
  'CKV_AWS_158 MonitorRunLog': 'It is encrypted by CloudWatch Logs, and holds nothing secret.',
  'CKV_AWS_173 MonitorRunFunction':
    'The variables are encrypted by Lambda, and hold names and addresses, nothing secret.',
};

/** @param folder of the templates @returns each finding as in `ANSWERS`, once, in order */
export async function findingsOfCheckov(folder: string): Promise<string[]> {
  const requirements = path.join(import.meta.dirname, 'checkov-requirements.txt');
  const bin = await pythonEnvironment('checkov', requirements);
  const flags = ['--framework', 'cloudformation', '--output', 'json', '--quiet', '--compact', '--soft-fail'];
  const { stdout } = await promisify(execFile)(
    path.join(bin, 'checkov'),
    ['--directory', folder, ...flags, '--skip-download'],
    { maxBuffer: 2 ** 26 },
  );
  const { results, summary } = JSON.parse(stdout) as {
    results: { failed_checks: { check_id: string; resource: string }[] };
    summary: { passed: number; parsing_errors: number };
  };
  if (summary.passed === 0 || summary.parsing_errors > 0)
    throw new Error(`checkov could not read the templates: ${JSON.stringify(summary)}`);
  const found = results.failed_checks.map(
    // AWS::S3::Bucket.MonitorArchiveBucket3F53A8BE: CDK ends ids with a hash.
    ({ check_id: id, resource }) => `${id} ${resource.split('.')[1]?.replace(/[0-9A-F]{8}$/, '')}`,
  );
  return [...new Set(found)].toSorted();
}
