import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../lambda/event.ts';
import { tenant } from './fakes.ts';

describe('the event', () => {
  it('is a tenant, as the deployment resolved it, or the watch', () => {
    expect(parseEvent(JSON.parse(JSON.stringify({ tenant })))).toEqual({ tenant });
    expect(parseEvent({ watch: true })).toEqual({ watch: true });
  });

  it.each<[event: unknown, wrong: string]>([
    [undefined, 'the event: is missing'],
    [null, 'the event: found null'],
    ['watch', 'the event: found "watch"'],
    [[], 'the event: found []'],
    [{}, 'tenant: is missing'],
    [{ tenant, more: 1 }, 'more: is not a field that exists here'],
    [{ tenant: { ...tenant, recipients: undefined } }, 'tenant.recipients: is missing'],
    [{ watch: false }, 'watch: found false, wants true'],
    [{ watch: true, tenant }, 'tenant: is not a field that exists here'],
  ])('%j is neither, and the error says where', (event, wrong) => {
    expect(() => parseEvent(event)).toThrow(
      expect.objectContaining({ code: 'event-invalid', message: expect.stringContaining(wrong) }),
    );
  });
});
