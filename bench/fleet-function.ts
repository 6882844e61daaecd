import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadConfig } from '../cli/shared/load-config.ts';
import { inParallel } from '../lambda/archive/columns/parallel.ts';
import { s3Store } from '../lambda/archive/s3-store.ts';
import { environment } from '../lambda/environment.ts';
import type { RunResult } from '../lambda/run/run.ts';
import { writeBundle } from '../lib/bundle.ts';
import { leadTo, REGION, startEmulator } from '../test/emulator.ts';
import type { Fleet, FleetWorld } from './fleet-world.ts';
import type { Measurement } from './measure.ts';

const BUCKET = 'bench-fleet';
const SECRET = 'secure-score/bench';

/**
 * The fleet as it is deployed: the function's bundle takes one event a tenant, in as many processes as Lambda would have
 * execution environments, with the archive in S3, the certificate in Secrets Manager and mails by SES, all of them the
 * emulator's. Needs Python.
 */
export async function functionFleet(world: FleetWorld, folder: string, parallel: number): Promise<Fleet> {
  const { endpoint, stop } = await startEmulator({ services: 's3,sts,ses,secretsmanager' });
  try {
    leadTo(endpoint);
    await new S3Client({}).send(
      new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: REGION } }),
    );
    const SecretString = await readFile(world.pem, 'utf8');
    await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: SECRET, SecretString }));
    const config = await loadConfig(world.config);
    const domain = config.mail.from.split('@').at(-1)!;
    await new SESv2Client({}).send(new CreateEmailIdentityCommand({ EmailIdentity: domain }));
    const bundle = join(folder, 'function');
    writeBundle(bundle);
    const start = (): Promise<Invoker> =>
      invoker(join(bundle, 'index.mjs'), {
        NODE_EXTRA_CA_CERTS: world.ca,
        [environment.bucket]: BUCKET,
        [environment.certificateSecret]: SECRET,
        [environment.mailFrom]: config.mail.from,
        [environment.operations]: config.operations.join(','),
        [environment.deployment]: 'bench',
      });
    return {
      async morning() {
        const invokers = await Promise.all(Array.from({ length: parallel }, start));
        const idle = [...invokers];
        const results = await inParallel(
          config.tenants,
          async (tenant) => {
            const free = idle.pop()!;
            const result = await free.invoke({ tenant });
            idle.push(free);
            return result;
          },
          parallel,
        );
        return { results, processes: await Promise.all(invokers.map(({ end }) => end())) };
      },
      stored: async () => (await s3Store({ bucket: BUCKET }).list('snapshots/')).length,
      async sent() {
        const answer = await fetch(`${endpoint}/_ministack/ses/messages`);
        const { messages } = (await answer.json()) as { messages: Record<string, unknown[]> };
        return Object.values(messages).flat().length;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Invoker {
  /** A failure is returned as Lambda returns it, in place of the result. */
  invoke: (event: unknown) => Promise<RunResult>;
  end: () => Promise<Measurement>;
}

async function invoker(bundle: string, variables: Record<string, string>): Promise<Invoker> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'programs/function.ts'), [bundle], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const output = text(child.stdout!);
  await once(child, 'message');
  return {
    async invoke(event) {
      child.send(event as object);
      const [{ result, error }] = (await once(child, 'message')) as [{ result?: RunResult; error?: string }];
      return result ?? ({ error } as unknown as RunResult);
    },
    async end() {
      child.disconnect();
      // What was printed before is the log of the function.
      return JSON.parse((await output).trimEnd().split('\n').at(-1)!) as Measurement;
    },
  };
}
