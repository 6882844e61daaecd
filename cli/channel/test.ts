import { EXIT } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { findChannel } from './choice.ts';
import { sendTest } from './message.ts';
import type { Command } from '../shared/command.ts';

interface TestFlags {
  name?: string;
  config: string;
  json: boolean;
}

export const test: Command<TestFlags> = {
  flags: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Name of the channel in the config' })
      .option('config', OPTIONS.config)
      .option('json', OPTIONS.json),
  act: async (flags) => {
    const { channel, tenant } = await findChannel(flags.config, flags.name ?? '');
    const id = await sendTest(channel, tenant);
    console.log(
      flags.json
        ? JSON.stringify({ channel: channel.name, id }, null, 2)
        : `✓ ${channel.name} took a test message (${id}). Look there whether it has arrived.`,
    );
    return EXIT.done;
  },
};
