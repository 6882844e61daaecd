import type { ChannelSettings } from '../config.ts';
import { MAIL } from '../settings.ts';
import { DeliveryError, quote } from '../errors.ts';
import { portalOf } from '../report/portal.ts';
import { mailChannel, type Sender } from './mail.ts';
import { secretsOf } from './secret-address.ts';
import type { Channel, Channels, Log, Mailer, MailKind } from '../ports.ts';
import type { Context } from './context.ts';

/** Mail and all channels, for the function and for the command line. */
export function channelsOf(
  options: Pick<Context, 'clock' | 'events'> & {
    mailer: Mailer;
    sender: Sender;
    log: Log;
    secrets?: Context['secrets'];
  },
): Channels {
  const { secrets = secretsOf() } = options;
  return {
    of(addressee, destination) {
      if (destination === MAIL) return mailChannel(addressee, options);
      const settings = addressee.channels.find(({ name }) => name === destination);
      if (!settings) return removed(destination);
      return openChannel(settings, { ...options, secrets, portal: portalOf(addressee) });
    },
  };
}

/**
 * Opens a channel. A new type has a line here, its fields in the config's schema, and its own file beside this one, which
 * is loaded with its first message, because most runs send none.
 */
export function openChannel(settings: ChannelSettings, context: Context): Channel {
  return { send: async (message) => (await loadChannel(settings, context)).send(message) };
}

async function loadChannel(settings: ChannelSettings, context: Context): Promise<Channel> {
  switch (settings.type) {
    case 'teams':
      return (await import('./teams.ts')).teamsChannel(settings, context);
    case 'slack':
      return (await import('./slack.ts')).slackChannel(settings, context);
    case 'webhook':
      return (await import('./webhook.ts')).webhookChannel(settings, context);
    case 'events':
      return (await import('./events.ts')).eventsChannel(settings, context);
  }
}

/** True if a channel takes a kind. The start message goes with the scores; a digest lists its own channels. */
export function hears({ kinds }: Pick<ChannelSettings, 'kinds'>, kind: MailKind): boolean {
  return kind === 'digest' || kinds.includes(kind === 'start' ? 'scores' : kind);
}

/** Stands for a channel that is no longer in the config, for messages that waited for it. */
function removed(name: string): Channel {
  return {
    send: () =>
      Promise.reject(
        new DeliveryError(
          'channel-removed',
          `The config no longer has a channel ${quote(name)} for this tenant.`,
          'If that is intended, nothing has to be done. Otherwise put the channel back into the config and deploy.',
          { final: true },
        ),
      ),
  };
}
