import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../lambda/event.ts';
import { tenant } from './fakes.ts';

describe('the event', () => {
  it('is a tenant, as the deployment resolved it, or the watch', () => {
    expect(parseEvent(JSON.parse(JSON.stringify({ tenant })))).toEqual({ tenant });
    expect(parseEvent({ watch: true })).toEqual({ watch: true, channels: [] });
  });

  it('may come from a deployment without channels, tags and muted recommendations', () => {
    const { channels: _, tags: __, alerts, ...old } = tenant;
    const { mute: ___, ...oldAlerts } = alerts;
    expect(parseEvent({ tenant: { ...old, alerts: oldAlerts } })).toEqual({ tenant });
  });

  it('shows no address that somebody wrote in the place of a secret', () => {
    const channel = {
      name: 'soc',
      type: 'slack',
      kinds: ['scores'],
      url: 'https://hooks.slack.com/T0/B0/key',
    };
    expect(() => parseEvent({ tenant: { ...tenant, channels: [channel] } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('key\n') as string }),
    );
  });

  it.each<[event: unknown, wrong: string]>([
    [undefined, 'the event: is missing'],
    [null, 'the event: found null'],
    ['watch', 'the event: found "watch"'],
    [[], 'the event: found []'],
    [{}, 'tenant: is missing'],
    [{ tenant, more: 1 }, 'more: is not a field that exists here'],
    [{ tenant: { ...tenant, recipients: undefined } }, 'tenant.recipients: is missing'],
    [{ watch: false }, 'watch: found false, expected true'],
    [{ watch: true, tenant }, 'tenant: is not a field that exists here'],
  ])('%j is neither, and the error says where', (event, wrong) => {
    expect(() => parseEvent(event)).toThrow(
      expect.objectContaining({ code: 'event-invalid', message: expect.stringContaining(wrong) }),
    );
  });
});
