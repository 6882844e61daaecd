import { MonitorError, quote } from '../../lambda/errors.ts';
import { loadConfig } from '../shared/load-config.ts';
import type { ChannelSettings, Tenant } from '../../lambda/config.ts';

/** A channel, and the first tenant of those that it hears of: of another it may know nothing. */
export interface HeardChannel {
  channel: ChannelSettings;
  tenant: Tenant;
}

/** Each channel once, in the order of the config. */
export function heardChannels(tenants: readonly Tenant[]): HeardChannel[] {
  const found = new Map<string, HeardChannel>();
  for (const tenant of tenants) {
    for (const channel of tenant.channels) {
      if (!found.has(channel.name)) found.set(channel.name, { channel, tenant });
    }
  }
  return [...found.values()];
}

/** @throws MonitorError `channel-unknown`, and those of `loadConfig` */
export async function findChannel(path: string, name: string): Promise<HeardChannel> {
  const channels = heardChannels((await loadConfig(path)).tenants);
  const found = channels.find(({ channel }) => channel.name === name);
  if (found) return found;
  const names = channels.map(({ channel }) => channel.name).join(', ');
  throw new MonitorError(
    'channel-unknown',
    `No channel of the config has the name ${quote(name)}.`,
    names ? `It has: ${names}.` : `Add it under "channels" first: docs/configuration.md lists its fields.`,
  );
}
