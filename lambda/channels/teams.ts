import { post, type Answer, type Verdict } from './post.ts';
import { addressOf } from './secret-address.ts';
import type { ChannelSettings } from '../config.ts';
import type { Channel } from '../ports.ts';
import type { Context } from './context.ts';

/**
 * A Teams workflow that begins with "When a Teams webhook request is received".
 * https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498
 */
export function teamsChannel(
  { name, url: place }: ChannelSettings & { type: 'teams' },
  { clock, secrets, portal }: Context,
): Channel {
  return {
    async send({ id, kind, report, deadline }) {
      const [{ documentOf }, { drawCard }] = await Promise.all([
        import('../report/document-of.ts'),
        import('../report/card.ts'),
      ]);
      const content = drawCard(documentOf(report, kind), { portal });
      const attachment = {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content,
      };
      const body = JSON.stringify({ type: 'message', attachments: [attachment] });
      const url = await addressOf(secrets, place, name);
      const { headers } = await post({ channel: name, url, body, deadline, clock, judge });
      // Power Automate lists the run by this id.
      return headers['x-ms-workflow-run-id']?.toString() ?? id;
    },
  };
}

/** A flow that is switched off can be switched on again while a message waits; one that is deleted cannot. */
function judge({ status }: Answer): Verdict | undefined {
  switch (status) {
    case 404:
    case 410:
      return {
        final: true,
        advice:
          'The workflow was deleted: create another one in Teams (docs/channels.md), and put its address into the secret of the channel.',
      };
    case 413:
      return {
        final: true,
        advice:
          'The card is too large for Teams, which is a defect of secure-score-monitor: please report it.',
      };
    case 400:
      return {
        advice:
          'Probably the workflow is switched off, or expects something else: open it in Power Automate, look at its state and at its runs, and switch it on.',
      };
    case 401:
    case 403:
      return {
        advice:
          'The signature in the address is not that of the workflow, or it accepts messages only from signed-in users: let anyone trigger it, copy its address again, and put it into the secret of the channel.',
      };
    default:
      return undefined;
  }
}
