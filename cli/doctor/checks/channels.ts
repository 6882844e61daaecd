import { lookup } from 'node:dns/promises';
import { addressOf, secretsOf, signingKeyOf } from '../../../lambda/channels/secret-address.ts';
import { commandLine } from '../../../lambda/command-line.ts';
import { MonitorError, quote } from '../../../lambda/errors.ts';
import { proxyOf } from '../../../lambda/proxy.ts';
import { sendTest } from '../../channel/message.ts';
import { asked, PATIENCE } from '../../shared/aws.ts';
import type { HeardChannel } from '../../channel/choice.ts';
import type { Outcome } from './examination.ts';

/**
 * The secrets of a channel are there and of the right form, and its host exists; of EventBridge, the bus exists.
 * @throws DeliveryError those of `addressOf` and `signingKeyOf`; MonitorError `channel-host-unknown`,
 *   `channel-bus-missing`
 */
export async function channelCheck({ channel, tenant }: HeardChannel): Promise<Outcome<HeardChannel>> {
  const { name, type } = channel;
  const value = { channel, tenant };
  if (type === 'events') return { ...(await busCheck(name, channel.bus)), value };
  const secrets = secretsOf();
  const url = await addressOf(secrets, channel.url, name);
  if (type === 'webhook') await signingKeyOf(secrets, channel.signingKey, name);
  const what = `${name}: ${type} at ${url.host}${type === 'webhook' ? ', with a key to sign' : ''}`;
  // Behind a proxy it is the proxy that resolves names.
  if (proxyOf()?.HTTPS_PROXY) return { found: what, value };
  await lookup(url.hostname.replace(/^\[|\]$/g, '')).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new MonitorError(
      'channel-host-unknown',
      `The host ${quote(url.hostname)} of the channel ${quote(name)} does not resolve (${code}).`,
      `Put the address there that the service shows: ${commandLine(`channel put ${name}`)}. If it is that one, check the DNS of this machine.`,
    );
  });
  return { found: what, value };
}

/** Who may put events need not be allowed to look at the bus: that fails nothing. */
async function busCheck(name: string, bus?: string): Promise<{ found: string; warning?: string }> {
  const { DescribeEventBusCommand, EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
  const what = bus === undefined ? 'the default event bus' : `the event bus ${quote(bus)}`;
  const answer = new EventBridgeClient(PATIENCE).send(new DescribeEventBusCommand({ Name: bus }));
  try {
    await asked('events:DescribeEventBus', what, answer, {
      ResourceNotFoundException: () =>
        new MonitorError(
          'channel-bus-missing',
          `There is no ${what.replace(/^the /, '')} for the channel ${quote(name)} in this account and region.`,
          'Create it, or name another under "bus" in the config.',
        ),
    });
  } catch (error) {
    if (!(error instanceof MonitorError) || error.code !== 'aws-access-denied') throw error;
    return {
      found: `${name}: ${what}, which may not be looked at from here`,
      warning: 'Allow events:DescribeEventBus to see that it exists, or send a test message: --send.',
    };
  }
  return { found: `${name}: ${what}` };
}

/** Sends a real message, marked as a test. */
export async function testMessageCheck({ channel, tenant }: HeardChannel): Promise<Outcome<void>> {
  const id = await sendTest(channel, tenant);
  return {
    found: `${channel.name} took it (${id})`,
    value: undefined,
    warning: 'Look there whether it has arrived.',
  };
}
