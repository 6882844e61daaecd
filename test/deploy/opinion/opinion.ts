import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { REGION } from '../../emulator.ts';
import { pythonEnvironment } from '../../python.ts';
import type { Call } from '../recorder.ts';
import { requestsOf, type IamRequest } from './requests.ts';

interface Opinion {
  refused: { request: IamRequest; reason: string }[];
  /** `<action> <resource>` of what the role allows and nobody asked for. */
  unused: Record<string, string[]>;
}

/** What a role allows and no call of the function used: the service asks for it, with the role, outside of the function. */
export const BY_LAMBDA: Record<string, string> = {
  'logs:CreateLogStream': 'Lambda opens the stream; the emulator writes its log without asking.',
  'logs:PutLogEvents': 'Lambda writes what the function prints.',
  'sqs:GetQueueAttributes':
    'CDK grants it to whoever may send; Lambda looks at the queue of the destination.',
  'sqs:GetQueueUrl': 'CDK grants it to whoever may send; Lambda looks at the queue of the destination.',
  'sqs:SendMessage':
    'Lambda sends the run that failed after all retries: the deploy test reads it from the queue.',
  'xray:PutTelemetryRecords': "Lambda's agent sends the traces; the emulator makes none.",
  'xray:PutTraceSegments': "Lambda's agent sends the traces; the emulator makes none.",
};

/** The actions of what a role allows and no call used, each once, in order. */
export const actionsOf = (pairs: string[] = []): string[] =>
  [...new Set(pairs.map((pair) => pair.split(' ')[0] ?? ''))].toSorted();

/** What the calls of a deployed function asked of IAM, each once. @throws Error where there are none */
export async function requestsOfFunction(calls: Call[], functionName: string): Promise<IamRequest[]> {
  const own = calls.filter(({ caller }) => caller.startsWith(functionName.slice(-50)));
  if (own.length === 0) throw new Error(`No call of ${functionName} was recorded.`);
  const requests = new Map<string, IamRequest>();
  for (const call of own) {
    for (const request of await requestsOf(call, functionName)) {
      requests.set(JSON.stringify(request), request);
    }
  }
  return [...requests.values()];
}

/** How the deployed policies decide, in the opinion of `evaluate.py`: by moto, on what the emulated IAM and S3 hold. */
export async function opinionOn(requests: IamRequest[]): Promise<Opinion> {
  const bin = await pythonEnvironment('opinion', path.join(import.meta.dirname, 'requirements.txt'));
  const evaluation = promisify(execFile)(
    path.join(bin, 'python'),
    [path.join(import.meta.dirname, 'evaluate.py')],
    { env: { ...process.env, AWS_DEFAULT_REGION: REGION }, maxBuffer: 2 ** 26 },
  );
  evaluation.child.stdin?.end(JSON.stringify({ requests }));
  return JSON.parse((await evaluation).stdout) as Opinion;
}
