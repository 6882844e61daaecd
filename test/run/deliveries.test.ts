import { describe, expect, it } from 'vitest';
import { Archive } from '../../lambda/archive/archive.ts';
import { contentHash } from '../../lambda/archive/content-hash.ts';
import { layout } from '../../lambda/archive/layout.ts';
import type { State } from '../../lambda/archive/state.ts';
import type { ChannelSettings, Tenant } from '../../lambda/config.ts';
import { DeliveryError, MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { Mail } from '../../lambda/ports.ts';
import { watch } from '../../lambda/watch/watch.ts';
import { fillDays, sendBy, tenant, TENANT_ID, world, type MemoryChannel } from './fakes.ts';

const KINDS: ChannelSettings['kinds'] = ['scores', 'controls', 'operations'];
const CHANNELS: ChannelSettings[] = [
  { name: 'siem', type: 'webhook', url: { secret: 'a' }, signingKey: { secret: 'b' }, kinds: KINDS },
  { name: 'chat', type: 'slack', url: { secret: 'c' }, kinds: ['scores'] },
];

const down = (retryAfter: number | null = null) =>
  new DeliveryError('channel-failing', 'The channel answers 503.', 'Usually this passes.', {
    retryable: true,
    retryAfter,
  });
const gone = () =>
  new DeliveryError('channel-gone', 'The channel answers 410.', 'Make another.', { final: true });
const refused = () => new DeliveryError('channel-refused', 'The channel answers 401.', 'Correct the key.');

/** A tenant with two channels that has started; `day(n, points)` is the run of 1 March + n days. */
async function started(channels = CHANNELS) {
  const w = world('2026-03-01T07:00:00Z');
  w.tenant = { ...tenant, channels };
  fillDays(w.graph, '2026-02-20', 10, { controls: { alpha: 9 }, maximum: 10 });
  await monitor(w.runOf());
  const [siem, chat] = [w.channels.named('siem'), w.channels.named('chat')];
  const forget = () => {
    w.mailer.sent.length = 0;
    siem.got.length = 0;
    chat.got.length = 0;
  };
  forget();
  const state = async () => (await new Archive(w.store, TENANT_ID).state()).state!;
  const day = (number: number, points: number) => {
    const date = new Date(Date.UTC(2026, 2, 1 + number)).toISOString().slice(0, 10);
    w.graph.days.set(date, { controls: { alpha: points }, maximum: 10 });
    w.clock.set(`${date}T07:00:00Z`);
    return monitor(w.runOf());
  };
  const look = () => {
    const schedules = {
      list: async () => [{ tenantId: TENANT_ID, enabled: true, since: new Date(0) }],
      digests: async () => [],
    };
    const { ports, sender } = w.runOf();
    const deadline = new Date(w.clock.now().getTime() + 300_000);
    return watch({ deployment: 'test', sender, ports: { ...ports, mailer: w.mailer, schedules }, deadline });
  };
  const reconfigure = (of: ChannelSettings[]) => void (w.tenant = { ...tenant, channels: of });
  const alert = (alerts: Partial<Tenant['alerts']>) =>
    void (w.tenant = { ...w.tenant, alerts: { ...w.tenant.alerts, ...alerts } });
  return { ...w, siem, chat, forget, state, day, look, reconfigure, alert };
}

const afters = (messages: MemoryChannel['got']) =>
  messages.filter(({ kind }) => kind === 'scores').map(({ report }) => report.after?.points);
const bodies = (mails: Mail[]) => mails.map(({ kind }) => kind);

describe('deliveries', () => {
  it('go to mail and to each channel that gets the kind, and the result lists them', async () => {
    const w = await started();
    const result = await w.day(1, 8);
    const [id] = w.siem.got.map((message) => message.id);
    expect(result.deliveries).toEqual([
      { channel: 'mail', kind: 'scores', destination: 'mail', id: result.mails[0]!.id },
      { channel: 'webhook', kind: 'scores', destination: 'siem', id: `id-of-${id}` },
      { channel: 'slack', kind: 'scores', destination: 'chat', id: expect.any(String) },
    ]);
    expect(id).toBe(`${contentHash(w.siem.got[0]!.report).slice(0, 16)}-scores-siem`);
    expect(await w.state()).toMatchObject({ version: 2, outbox: [], claim: null });
    // The report stands in the archive before anything of it is sent, with whom it goes to.
    const archived = await new Archive(w.store, TENANT_ID).report(w.siem.got[0]!.reportKey);
    expect(archived.deliveries.map(({ destination }) => destination)).toEqual(['mail', 'siem', 'chat']);
  });

  it('wait while a webhook is down for three days, arrive in order when it is back, and disturb no other', async () => {
    const w = await started();
    w.siem.fails = () => down();
    for (const [number, points] of [8, 7, 6].entries()) {
      const result = await w.day(number + 1, points);
      expect(result.deliveries).toContainEqual(
        expect.objectContaining({ destination: 'siem', pending: true }),
      );
    }
    expect(afters(w.chat.got)).toEqual([8, 7, 6]);
    expect(bodies(w.mailer.sent).filter((kind) => kind === 'scores')).toHaveLength(3);
    expect((await w.state()).cursor!.date).toBe('2026-03-04');
    // After a day operations hear of it, once.
    expect(bodies(w.mailer.sent).filter((kind) => kind === 'operations')).toHaveLength(1);

    w.siem.fails = () => null;
    await w.day(4, 5);
    expect(afters(w.siem.got)).toEqual([8, 7, 6, 5]);
    expect((await w.state()).outbox).toEqual([]);
  });

  it('wait behind one that fails, though the receiver would accept them', async () => {
    const w = await started();
    w.siem.fails = ({ report }) => (report.after?.points === 8 ? down() : null);
    for (const [number, points] of [8, 7, 6].entries()) await w.day(number + 1, points);
    expect(w.siem.got).toEqual([]);
    w.siem.fails = () => null;
    await w.day(4, 6);
    expect(afters(w.siem.got)).toEqual([8, 7, 6]);
  });

  it('leave one that hangs until its deadline, and reach the others', async () => {
    const w = await started();
    w.siem.fails = ({ deadline }) => {
      w.clock.set(deadline.toISOString());
      return new DeliveryError('channel-timeout', 'It did not answer.', 'It is tried again.', {
        retryable: true,
      });
    };
    const result = await w.day(1, 8);
    expect(afters(w.chat.got)).toEqual([8]);
    expect(result.pending).toEqual([]);
    expect(result.mails).toHaveLength(1);
    expect((await w.state()).outbox.map(({ destination }) => destination)).toEqual(['siem']);
  });

  it('arrive twice, under one id, if the receiver accepted one and answered too late', async () => {
    const w = await started();
    const taken: string[] = [];
    w.siem.fails = ({ id }) => (taken.push(id) === 1 ? down() : null);
    await w.day(1, 8);
    expect([...taken, ...w.siem.got.map(({ id }) => id)]).toEqual(Array(3).fill(taken[0]));
  });

  it('wait for as long as the receiver asks, within a run and beyond it', async () => {
    const w = await started();
    let calls = 0;
    w.siem.fails = () => ((calls += 1) === 1 ? down(5_000) : null);
    expect((await w.day(1, 8)).deliveries).not.toContainEqual(expect.objectContaining({ pending: true }));
    expect(w.clock.now().toISOString()).toBe('2026-03-02T07:00:05.000Z');

    calls = 0;
    w.siem.fails = () => ((calls += 1) === 1 ? down(3_600_000) : null);
    await w.day(2, 7);
    expect(calls).toBe(1);
    await monitor(w.runOf());
    expect(calls).toBe(1);
    w.clock.advance(3_600_001);
    await monitor(w.runOf());
    expect(afters(w.siem.got)).toEqual([8, 7]);
  });

  it('are given up if a channel is deleted, and the operations mail says what was lost', async () => {
    const w = await started();
    w.siem.fails = gone;
    const result = await w.day(1, 8);
    expect(result.deliveries).toContainEqual(
      expect.objectContaining({ destination: 'siem', dropped: 'The channel answers 410.' }),
    );
    expect(bodies(w.mailer.sent)).toEqual(['scores', 'operations']);
    const mail = w.mailer.sent[1]!;
    expect(mail.subject).toContain('1 message could not be delivered');
    expect(mail.text).toMatch(/the\s+channel\s+siem/);
    expect(mail.text).toMatch(/The\s+channel\s+answers\s+410/);
    expect(w.metrics.published.at(-1)).toMatchObject({ DeliveriesDropped: 1 });
    expect((await w.state()).outbox).toEqual([]);
  });

  it('to a channel that the config no longer has are given up', async () => {
    const w = await started();
    w.siem.fails = () => down();
    await w.day(1, 8);
    w.reconfigure(CHANNELS.filter(({ name }) => name !== 'siem'));
    expect((await w.day(2, 7)).deliveries).toContainEqual(
      expect.objectContaining({ destination: 'siem', dropped: expect.any(String) }),
    );
  });

  it('are given up after 7 days', async () => {
    const w = await started();
    w.siem.fails = () => down();
    await w.day(1, 8);
    w.forget();
    await w.day(7, 8);
    expect((await w.state()).outbox).toHaveLength(1);
    await w.day(8, 8);
    expect((await w.state()).outbox).toEqual([]);
    expect(w.mailer.sent.at(-1)!.subject).toContain('could not be delivered');
  });

  it('that wait for somebody are reported at once, once per incident, and its end is mentioned', async () => {
    const w = await started();
    w.siem.fails = refused;
    await w.day(1, 8);
    await w.day(2, 7);
    const operations = w.mailer.sent.filter(({ kind }) => kind === 'operations');
    expect(operations).toHaveLength(1);
    expect(operations[0]!.text).toContain('Correct the key.');
    w.siem.fails = () => null;
    await w.day(3, 6);
    await w.day(4, 5);
    expect(afters(w.siem.got)).toEqual([8, 7, 6, 5]);
    expect(w.mailer.sent.at(-1)!.text).toMatch(
      /What\s+waited\s+for\s+the\s+channel\s+siem\s+is\s+going\s+out\s+again/,
    );
    w.siem.fails = refused;
    await w.day(5, 4);
    expect(w.mailer.sent.filter(({ kind }) => kind === 'operations')).toHaveLength(2);
  });

  it('of a day on which SES throttles come with the next run, in order', async () => {
    const w = await started();
    const run = (number: number, points: number) => {
      const date = `2026-03-0${1 + number}`;
      w.graph.days.set(date, { controls: { alpha: points }, maximum: 10 });
      w.clock.set(`${date}T07:00:00Z`);
      return w.runOf();
    };
    const throttled = run(1, 8);
    sendBy(throttled, {
      send: async () => {
        throw new MonitorError('mail-throttled', 'SES throttles.', 'Nothing.', { retryable: true });
      },
    });
    const result = await monitor(throttled);
    expect(result).toMatchObject({ mails: [], pending: [{ kind: 'scores' }] });
    expect(afters(w.chat.got)).toEqual([8]);
    expect((await monitor(run(2, 7))).mails.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('80'),
      expect.stringContaining('70'),
    ]);
  });

  it('to an invalid address are given up; the other mails go out', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { controls: { alpha: 8, beta: 1 }, maximum: 20 });
    w.clock.set('2026-03-02T07:00:00Z');
    const run = w.runOf();
    sendBy(run, {
      send: (mail) =>
        mail.kind === 'scores'
          ? Promise.reject(new MonitorError('mail-address-invalid', 'no address: "x"', 'Correct it.'))
          : w.mailer.send(mail),
    });
    const result = await monitor(run);
    expect(result.deliveries).toContainEqual(
      expect.objectContaining({ destination: 'mail', kind: 'scores', dropped: 'no address: "x"' }),
    );
    expect(bodies(w.mailer.sent)).toEqual(['controls', 'operations']);
    expect(w.mailer.sent[1]!.text).toContain('scores@contoso.com');
  });

  it('of operations mails that fail cause no further operations mail', async () => {
    const w = await started([]);
    w.clock.set('2026-03-05T07:00:00Z');
    const run = w.runOf();
    sendBy(run, {
      send: () => Promise.reject(new MonitorError('mail-rejected', 'unverified', 'Verify it.')),
    });
    const result = await monitor(run);
    expect(result.pending).toMatchObject([{ kind: 'operations' }]);
    expect((await w.state()).outbox).toHaveLength(1);
    expect(w.metrics.published.at(-1)).toMatchObject({ DeliveriesDropped: 1 });
    expect(w.logged.findLast(({ level }) => level === 'warn')!.facts).toMatchObject({
      advice: 'Verify it.',
    });
  });

  it('are sent by the watch too', async () => {
    const w = await started();
    w.siem.fails = () => down();
    await w.day(1, 8);
    w.siem.fails = () => null;
    await w.look();
    expect(afters(w.siem.got)).toEqual([8]);
    expect((await w.state()).outbox).toEqual([]);
  });

  it('store no foreign error text, which may quote the address of a channel', async () => {
    const w = await started();
    w.siem.fails = () => new TypeError('Failed to parse https://secret.example/key');
    await w.day(1, 8);
    const everything = JSON.stringify([await w.state(), w.logged, w.mailer.sent]);
    expect(everything).not.toContain('secret.example');
  });
});

describe('an incident that is over before it is sent', () => {
  const failing = (w: Awaited<ReturnType<typeof started>>) => {
    w.clock.set('2026-03-02T07:00:00Z');
    w.graph.failure = new MonitorError('secret-empty', 'The secret is empty.', 'Put a certificate into it.');
    return w.runOf();
  };
  const broken = {
    send: () => Promise.reject(new MonitorError('mail-throttled', 'slow', 'Wait.', { retryable: true })),
  };
  const mended = (w: Awaited<ReturnType<typeof started>>) => {
    w.graph.failure = null;
    w.graph.days.set('2026-03-02', { controls: { alpha: 8 }, maximum: 10 });
    w.clock.set('2026-03-02T09:12:00Z');
    return monitor(w.runOf());
  };

  it('is not sent if nobody was notified of it, nor is its end', async () => {
    const w = await started([]);
    const run = failing(w);
    sendBy(run, broken);
    await expect(monitor(run)).rejects.toThrow('The secret is empty.');
    expect((await w.state()).outbox).toHaveLength(1);
    await mended(w);
    expect(bodies(w.mailer.sent)).toEqual(['scores']);
    expect(w.mailer.sent[0]!.text).not.toContain('Monitoring works again');
    expect((await w.state()).outbox).toEqual([]);
  });

  it('is not called heard of by others because the first of its deliveries is not sent', async () => {
    const w = await started();
    w.siem.fails = () => down();
    const run = failing(w);
    sendBy(run, broken);
    await expect(monitor(run)).rejects.toThrow('The secret is empty.');
    expect((await w.state()).outbox).toHaveLength(2);
    // A run may die after each of these.
    const states: State[] = [];
    const replace = w.store.replace.bind(w.store);
    w.store.replace = async (key, bytes, expected) => {
      if (key.startsWith('state/tenant=')) states.push(JSON.parse(Buffer.from(bytes).toString()) as State);
      return replace(key, bytes, expected);
    };
    await mended(w);
    const waiting = states.flatMap(({ outbox }) => outbox.filter(({ kind }) => kind === 'operations'));
    expect(waiting.length).toBeGreaterThan(1);
    expect(waiting.filter(({ heard }) => heard)).toEqual([]);
  });

  it('is sent as past if somebody else was notified of it', async () => {
    const w = await started();
    const run = failing(w);
    sendBy(run, broken);
    await expect(monitor(run)).rejects.toThrow('The secret is empty.');
    expect(w.siem.got.map(({ kind }) => kind)).toEqual(['operations']);
    await mended(w);
    const mail = w.mailer.sent.find(({ kind }) => kind === 'operations')!;
    expect(mail.subject).toBe('Contoso: monitoring failed from 07:00 to 09:12 on 2 Mar 2026 (UTC)');
    expect(mail.text).toContain('Nothing: it is over.');
  });

  it('is sent unchanged if it goes on', async () => {
    const w = await started([]);
    const run = failing(w);
    sendBy(run, broken);
    await expect(monitor(run)).rejects.toThrow('The secret is empty.');
    w.clock.advance(3_600_000);
    await expect(monitor(w.runOf())).rejects.toThrow('The secret is empty.');
    expect(w.mailer.sent.map(({ subject }) => subject)).toEqual([
      'Contoso: monitoring fails: The secret is empty.',
    ]);
  });
});

describe('a state from before there was an outbox', () => {
  it('is read: the unsent mails of its claim are in the outbox, and nothing is reported twice', async () => {
    const w = await started([]);
    const run = w.runOf();
    w.graph.days.set('2026-03-02', { controls: { alpha: 8 }, maximum: 10 });
    w.clock.set('2026-03-02T07:00:00Z');
    sendBy(run, { send: () => Promise.reject(new Error('down')) });
    const before = await w.state();
    await monitor({ ...run, ports: { ...run.ports, clock: w.clock } });
    const { outbox, claim: _, version: __, tenant: ___, ...after } = await w.state();
    const { report } = await new Archive(w.store, TENANT_ID).report(outbox[0]!.report);
    // As version 1 left it: the cursor not yet moved, the report not yet archived.
    const { cursor, held, services, said, lastRun, settling, trend } = after as State;
    const old = {
      ...Object.fromEntries(Object.entries(before).filter(([key]) => !['outbox', 'tenant'].includes(key))),
      version: 1,
      claim: {
        invocation: 'died',
        until: '2026-03-02T07:01:10.000Z',
        mails: [
          { kind: 'scores', to: ['scores@contoso.com'], subject: 'one', id: null },
          { kind: 'controls', to: ['controls@contoso.com'], subject: 'two', id: 'sent' },
        ],
        report,
        next: { cursor, held, services, said, lastRun, settling, trend },
      },
    };
    w.store.objects.set(layout.state(TENANT_ID), Buffer.from(JSON.stringify(old)));
    w.clock.set('2026-03-03T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(bodies(w.mailer.sent)).toEqual(['scores']);
    expect(result).toMatchObject({ changes: [], mails: [{ kind: 'scores' }], pending: [] });
    expect(await w.state()).toMatchObject({ version: 2, cursor: after.cursor, claim: null, outbox: [] });
  });
});

describe('urgent reports', () => {
  it('go out at once as urgent, though the drop waits for confirmation, and once per crossing', async () => {
    const w = await started();
    w.alert({ confirmDrops: 2, below: 85 });
    await w.day(1, 8);
    expect(w.mailer.sent.map(({ subject, urgent }) => [subject, urgent])).toEqual([
      [expect.stringMatching(/^Urgent: .*below 85 %/), true],
    ]);
    expect(w.siem.got.map(({ urgent }) => urgent)).toEqual([true]);
    await w.day(2, 8);
    await w.day(3, 8);
    expect(w.mailer.sent.filter(({ urgent }) => urgent)).toHaveLength(1);
  });
});

describe('a muted recommendation', () => {
  it('is not mailed, and has its line in the next mail', async () => {
    const w = await started();
    w.alert({ mute: ['al*'] });
    expect((await w.day(1, 8)).deliveries).toEqual([]);
    w.graph.days.set('2026-03-03', { controls: { alpha: 8, beta: 5 }, maximum: 20 });
    w.clock.set('2026-03-03T07:00:00Z');
    await monitor(w.runOf());
    expect(w.siem.got[0]!.report.account!.muted).toEqual({ percentagePoints: -10, controls: 1 });
    expect(w.mailer.sent[0]!.text).toContain('Muted');
  });
});
