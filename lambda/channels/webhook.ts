import { Webhook } from 'standardwebhooks';
import { post, type Answer, type Verdict } from './post.ts';
import { addressOf, signingKeyOf } from './secret-address.ts';
import type { ChannelSettings } from '../config.ts';
import type { Channel } from '../ports.ts';
import type { Context } from './context.ts';

/** The report as JSON, signed as https://www.standardwebhooks.com says. */
export function webhookChannel(
  { name, url: place, signingKey }: ChannelSettings & { type: 'webhook' },
  { clock, secrets }: Context,
): Channel {
  return {
    async send(message) {
      const { drawJson } = await import('../report/json.ts');
      const body = JSON.stringify(drawJson(message));
      const [url, key] = await Promise.all([
        addressOf(secrets, place, name),
        signingKeyOf(secrets, signingKey, name),
      ]);
      const now = clock.now();
      const headers = {
        'webhook-id': message.id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(key).sign(message.id, now, body),
      };
      await post({ channel: name, url, headers, body, deadline: message.deadline, clock, judge });
      return message.id;
    },
  };
}

/**
 * In Standard Webhooks, 410 means that nothing may be sent any longer. Anything else, including 404 and 401, can be
 * corrected at the receiver.
 */
function judge({ status }: Answer): Verdict | undefined {
  if (status !== 410) return undefined;
  return {
    final: true,
    advice:
      'The receiver says that it is gone permanently: put another address into the secret of the channel, or remove the channel from the config.',
  };
}
