import { styleText } from 'node:util';
import { EXIT } from '../shared/exit.ts';
import { loadConfig } from '../shared/load-config.ts';
import { OPTIONS } from '../shared/options.ts';
import type { ChannelSettings, Place } from '../../lambda/config.ts';
import type { Command } from '../shared/command.ts';

interface ListFlags {
  config: string;
  json: boolean;
}

export const list: Command<ListFlags> = {
  flags: (yargs) => yargs.option('config', OPTIONS.config).option('json', OPTIONS.json),
  act: async (flags) => {
    const { channels } = await loadConfig(flags.config);
    if (flags.json) console.log(JSON.stringify(channels, null, 2));
    else if (channels.length === 0) console.log('The config has no channels: reports go out by mail alone.');
    for (const channel of flags.json ? [] : channels) {
      const tenants = channel.tenants === 'all' ? 'all tenants' : channel.tenants.join(', ');
      console.log(
        `${styleText('bold', channel.name)}  ${channel.type}, ${sourceOf(channel)}\n  ${channel.kinds.join(', ')} of ${tenants}`,
      );
    }
    return EXIT.done;
  },
};

const named = (place: Place): string =>
  'env' in place ? `the variable ${place.env}` : `the secret ${place.secret}`;

function sourceOf(channel: ChannelSettings): string {
  if (channel.type === 'events') return channel.bus ?? 'the default event bus';
  const key = channel.type === 'webhook' ? `, signed with ${named(channel.signingKey)}` : '';
  return `address in ${named(channel.url)}${key}`;
}
