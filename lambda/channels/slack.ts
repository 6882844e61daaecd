import { codeIn, post, type Answer, type Verdict } from './post.ts';
import { addressOf } from './secret-address.ts';
import type { ChannelSettings } from '../config.ts';
import type { Channel } from '../ports.ts';
import type { Context } from './context.ts';

/** An incoming webhook of a Slack app: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackChannel(
  { name, url: place }: ChannelSettings & { type: 'slack' },
  { clock, secrets, portal }: Context,
): Channel {
  return {
    async send({ id, kind, report, deadline }) {
      const [{ documentOf }, { drawBlocks }] = await Promise.all([
        import('../report/document-of.ts'),
        import('../report/blocks.ts'),
      ]);
      const body = JSON.stringify(drawBlocks(documentOf(report, kind), { portal }));
      const url = await addressOf(secrets, place, name);
      await post({ channel: name, url, body, deadline, clock, judge: (answer) => judge(answer, url) });
      return id;
    },
  };
}

/** Errors that are final, because no setting of the app or the workspace makes the same address work again. */
const GONE = new Set([
  'no_service',
  'no_service_id',
  'no_team',
  'team_disabled',
  'invalid_token',
  'channel_is_archived',
  'channel_not_found',
  'user_not_found',
]);

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors */
function judge(answer: Answer, url: URL): Verdict | undefined {
  const { status } = answer;
  if (status === 200) {
    if (answer.text.trim() === 'ok') return 'taken';
    return {
      retryable: true,
      advice:
        'Slack accepts a message with "ok", but this is another answer: find out what answers at the address.',
    };
  }
  if (status === 429 || status >= 500) return undefined;
  const code = codeIn(answer.text, url) ?? '';
  if (GONE.has(code) || status === 404 || status === 410) {
    return {
      final: true,
      advice:
        'The webhook, its channel or its app is gone: create another one in Slack (docs/channels.md), and put its address into the secret of the channel.',
    };
  }
  if (/^invalid_(payload|blocks)|too_many|too_long|no_text/.test(code) || status === 413) {
    return {
      final: true,
      advice:
        'Slack does not accept the form of the message, which is a defect of secure-score-monitor: please report it.',
    };
  }
  return undefined;
}
