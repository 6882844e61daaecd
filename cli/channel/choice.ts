import { MonitorError, quote } from '../../lambda/errors.ts';
import { loadConfig } from '../shared/load-config.ts';
import type { Config } from '../../lambda/config.ts';

/** @throws MonitorError `channel-unknown`, and those of `loadConfig` */
export async function findChannel(path: string, name: string): Promise<Config['channels'][number]> {
  const { channels } = await loadConfig(path);
  const found = channels.find((channel) => channel.name === name);
  if (found) return found;
  const names = channels.map((channel) => channel.name).join(', ');
  throw new MonitorError(
    'channel-unknown',
    `No channel of the config has the name ${quote(name)}.`,
    names ? `It has: ${names}.` : `Add it under "channels" first: docs/configuration.md lists its fields.`,
  );
}
