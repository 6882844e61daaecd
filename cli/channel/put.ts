import { text as textOf } from 'node:stream/consumers';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import { commandLine } from '../../lambda/command-line.ts';
import { findAddress, isSigningKey } from '../../lambda/channels/secret-address.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { secretsClient } from '../certificate/secrets.ts';
import { asked } from '../shared/aws.ts';
import { EXIT } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { findChannel } from './choice.ts';
import type { ChannelSettings, Place } from '../../lambda/config.ts';
import type { Command } from '../shared/command.ts';

interface PutFlags {
  name?: string;
  'signing-key'?: boolean;
  config: string;
  json: boolean;
}

export const put: Command<PutFlags> = {
  flags: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Name of the channel in the config' })
      .option('signing-key', {
        type: 'boolean',
        describe: 'Put the key that signs the messages of a webhook (whsec_…), not its address',
      })
      .option('config', OPTIONS.config)
      .option('json', OPTIONS.json),
  examples: [['channel put soc < address.txt', '']],
  act: async (flags) => {
    const { name = '', json } = flags;
    const { channel } = await findChannel(flags.config, name);
    const what = flags['signing-key'] ? 'signing key' : 'address';
    const secret = secretOf(channel, what);
    if (process.stdin.isTTY) console.error(`Paste the ${what} of ${name}, then Enter and Ctrl-D:`);
    const value = (await textOf(process.stdin)).trim();
    check(name, what, value);
    const made = await store(secret, value);
    console.log(
      json
        ? JSON.stringify({ channel: name, secret, made }, null, 2)
        : `✓ The ${made ? 'new ' : ''}secret ${secret} holds the ${what} of ${name}.\n  Next: ${commandLine(`channel test ${name}`)}`,
    );
    return EXIT.done;
  },
};

/** @throws MonitorError `channel-without-secret` */
function secretOf(channel: ChannelSettings, what: 'address' | 'signing key'): string {
  const { name, type } = channel;
  const fails = (message: string, advice: string) =>
    new MonitorError('channel-without-secret', message, advice);
  let place: Place | undefined;
  if (type === 'webhook') place = what === 'address' ? channel.url : channel.signingKey;
  else if (type !== 'events' && what === 'address') place = channel.url;
  if (place === undefined) {
    throw fails(
      `The channel ${quote(name)} is of type ${type}, which has no ${what}.`,
      'There is nothing to put.',
    );
  }
  if ('secret' in place) return place.secret;
  throw fails(
    `The channel ${quote(name)} reads its ${what} from the variable ${place.env}.`,
    `Set ${place.env} where the monitor runs, or name a secret in the config: { secret: 'secure-score/${name}' }.`,
  );
}

/** @throws MonitorError `channel-value-invalid`, which does not quote it */
function check(name: string, what: 'address' | 'signing key', value: string): void {
  const found = what === 'address' ? findAddress(value) : isSigningKey(value);
  if (found === true || found instanceof URL) return;
  throw new MonitorError(
    'channel-value-invalid',
    value === ''
      ? `Nothing came from standard input.`
      : `What came from standard input is not ${what === 'address' ? 'an address' : 'a signing key'}: it ${found === false ? 'is not whsec_ and the base64 of 24 to 64 bytes' : found}.`,
    what === 'address'
      ? `Copy the https address that the service shows, and give it to the command as a file: ${commandLine(`channel put ${name} < address.txt`)}`
      : `Make one with: echo "whsec_$(openssl rand -base64 32)"`,
  );
}

/** @returns whether the secret had to be made: a deployment allows its function to read it by its name */
async function store(secret: string, value: string): Promise<boolean> {
  const client = secretsClient();
  const target = `the secret ${quote(secret)}`;
  const missing = await client
    .send(new PutSecretValueCommand({ SecretId: secret, SecretString: value }))
    .then(() => false)
    .catch((error: unknown) => {
      if (error instanceof ResourceNotFoundException && !secret.startsWith('arn:')) return true;
      return asked('secretsmanager:PutSecretValue', target, Promise.reject<boolean>(error));
    });
  if (!missing) return false;
  const Description = 'Of a channel of secure-score-monitor: put there by secure-score channel put';
  const making = client.send(new CreateSecretCommand({ Name: secret, SecretString: value, Description }));
  await asked('secretsmanager:CreateSecret', target, making);
  return true;
}
