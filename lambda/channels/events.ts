import { DeliveryError, quote } from '../errors.ts';
import { lacksCredentials, passes } from '../passing.ts';
import { proxyAgents } from '../proxy.ts';
import type { ChannelSettings } from '../config.ts';
import type { Channel, MailKind } from '../ports.ts';
import type { Context } from './context.ts';

/** The source of all events, by which rules match them. */
const EVENT_SOURCE = 'secure-score-monitor';

const DETAIL_TYPES = {
  start: 'Secure Score Changed',
  scores: 'Secure Score Changed',
  controls: 'Secure Score Changed',
  operations: 'Secure Score Operations',
  digest: 'Secure Score Digest',
} as const satisfies Record<MailKind, string>;

const TIMEOUTS = { connectionTimeout: 3_000, requestTimeout: 8_000, throwOnRequestTimeout: true };

/** An event bus of Amazon EventBridge. Credentials, region and endpoint come from the environment. */
export function eventsChannel(
  { name, bus }: ChannelSettings & { type: 'events' },
  { events }: Context,
): Channel {
  return {
    async send(message) {
      // The client is loaded on demand, because most deployments have no such channel.
      const [{ EventBridgeClient, PutEventsCommand }, { drawJson }] = await Promise.all([
        import('@aws-sdk/client-eventbridge'),
        import('../report/json.ts'),
      ]);
      const client = events ?? new EventBridgeClient({ requestHandler: { ...TIMEOUTS, ...proxyAgents() } });
      const { kind, report } = message;
      const entry = {
        Source: EVENT_SOURCE,
        DetailType: DETAIL_TYPES[kind],
        Detail: JSON.stringify(drawJson(message).data),
        Time: new Date(report.toldAt),
        ...(bus !== undefined && { EventBusName: bus }),
      };
      const { Entries: [taken] = [] } = await client
        .send(new PutEventsCommand({ Entries: [entry] }))
        .catch((error: unknown) => {
          throw explain(name, bus, error);
        });
      if (taken?.EventId) return taken.EventId;
      const { ErrorCode = 'unknown', ErrorMessage = '' } = taken ?? {};
      throw explain(
        name,
        bus,
        Object.assign(new Error(ErrorMessage), { name: ErrorCode, $metadata: { httpStatusCode: 400 } }),
      );
    },
  };
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html */
function explain(channel: string, bus: string | undefined, error: unknown): DeliveryError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const what = bus === undefined ? 'the default event bus' : `the event bus ${quote(bus)}`;
  const failed = (end: string, advice: string, fate: { retryable?: true; final?: true } = {}) =>
    new DeliveryError(
      `channel-${end}`,
      `The channel ${quote(channel)} was not reached: EventBridge did not accept an event for ${what}: ${name}: ${quote(message, 300)}.`,
      advice,
      fate,
    );
  if (/Validation|InvalidArgument|Malformed|InvalidJson|TooLarge|TooLong/i.test(name)) {
    return failed(
      'refused',
      'EventBridge does not accept the form of the event, which is a defect of secure-score-monitor: please report it.',
      { final: true },
    );
  }
  if (lacksCredentials({ name, message })) {
    return failed('refused', 'Sign in to AWS (aws sso login, AWS_PROFILE) and set AWS_REGION.');
  }
  if (passes(error)) {
    return failed('failing', 'This is usually temporary: the next run tries again.', { retryable: true });
  }
  return failed(
    'refused',
    `Check that ${what} exists in this account and region, and that the identity that runs this has events:PutEvents on it. A deployment grants it for the bus in the config.`,
  );
}
