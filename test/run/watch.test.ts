import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Archive, contentHash } from '../../lambda/archive/archive.ts';
import { parseClosedMonth } from '../../lambda/archive/columns/closed-month.ts';
import { EMPTY_STATE, type State } from '../../lambda/archive/state.ts';
import { EMPTY_DIGEST } from '../../lambda/digest/state.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { DigestSchedule, Schedule } from '../../lambda/ports.ts';
import type { Notified } from '../../lambda/watch/memory.ts';
import { watch } from '../../lambda/watch/watch.ts';
import { archiveAnswer } from '../archive/archive-day.ts';
import { entry, fillDays, TENANT_ID, world } from './fakes.ts';

const NOW = '2026-03-10T14:00:00.000Z';
const LONG_AGO = new Date('2026-01-01T00:00:00Z');

const FABRIKAM = '22222222-0000-4000-8000-000000000002';
const NORTHWIND = '33333333-0000-4000-8000-000000000003';

/** Tenants with the schedules and states that a test gives them. */
function watched(now = NOW) {
  const base = world(now);
  const schedules: Schedule[] = [];
  const digests: DigestSchedule[] = [];
  const { sender, ports } = base.run;
  const put = (key: string, text: string) => base.store.objects.set(key, Buffer.from(text));
  const its = {
    ...base,
    /** Null: plenty of time. */
    deadline: null as Date | null,
    schedules,
    digests,
    schedule: (tenantId: string, fields: Partial<Schedule> = {}) => {
      schedules.push({ tenantId, enabled: true, since: LONG_AGO, ...fields });
    },
    /** The state as its last run left it. */
    ran: (tenantId: string, name: string, at: string, fields: Partial<State['lastRun'] & object> = {}) => {
      const lastRun = {
        at,
        newest: at.slice(0, 10),
        certificateUntil: '2027-01-01T00:00:00.000Z',
        ...fields,
      };
      put(layout.state(tenantId), JSON.stringify({ ...EMPTY_STATE, name, lastRun }));
    },
    put,
    look: () =>
      watch({
        deployment: 'secure-score',
        sender,
        ports: {
          ...ports,
          mailer: base.mailer,
          schedules: { list: async () => schedules, digests: async () => digests },
        },
        deadline: its.deadline ?? new Date(base.clock.now().getTime() + 300_000),
      }),
  };
  return its;
}

describe('the watch', () => {
  it('closes old months of the history if there is time; a failure there disturbs nothing', async () => {
    const w = watched();
    const { look, schedule, ran, store, clock } = w;
    schedule(TENANT_ID);
    ran(TENANT_ID, 'Contoso', '2026-03-10T07:00:00.000Z');
    for (const tenantId of [TENANT_ID, FABRIKAM]) {
      const entries = [2, 1].map((day) =>
        entry(`2025-10-0${day}`, { controls: { alpha: day } }, day === 2, tenantId),
      );
      await archiveAnswer(store, '2025-10-02T07:00:00Z', { tenantId, entries, profiles: [] });
    }
    const columns = layout.columns('controls', '2025-10', FABRIKAM);
    const bytes = store.objects.get(columns)!;
    store.objects.set(columns, Buffer.from('damaged'));
    await look();
    const pointer = layout.closedMonth('2025-10');
    const isClosed = () => parseClosedMonth(store.objects.get(pointer)!, '2025-10')?.closed;
    expect(isClosed()).toBe(false);
    store.objects.set(columns, bytes);
    const replace = store.replace.bind(store);
    store.replace = (key, ...rest) =>
      key === pointer ? Promise.reject(new Error('no permission')) : replace(key, ...rest);
    expect((await look()).watched).toBe(1);
    store.replace = replace;
    w.deadline = new Date(clock.now().getTime() + 100_000);
    await look();
    expect(isClosed()).toBe(false);
    w.deadline = null;
    await look();
    expect(isClosed()).toBe(true);
  });

  it('mails nobody if every tenant runs', async () => {
    const { schedule, ran, look, mailer, metrics, store } = watched();
    schedule(TENANT_ID);
    schedule(FABRIKAM);
    ran(TENANT_ID, 'Contoso', '2026-03-10T07:00:00.000Z');
    ran(FABRIKAM, 'Fabrikam', '2026-03-09T08:00:00.000Z');
    expect(await look()).toEqual({
      watched: 2,
      overdue: [],
      overdueDigests: [],
      stale: [],
      damaged: [],
      certificateDaysLeft: 296,
      mails: [],
    });
    expect(metrics.published).toEqual([
      { TenantsOverdue: 0, TenantsStale: 0, ArchivesDamaged: 0, CertificateDaysLeft: 296 },
    ]);
    expect(mailer.sent).toEqual([]);
    expect(store.objects.has(layout.watch)).toBe(false);
  });

  describe('of a digest', () => {
    const made = (lastRun: string, every = 'day') =>
      JSON.stringify({
        ...EMPTY_DIGEST,
        digest: { name: 'daily', every, at: '08:00', timeZone: 'UTC', to: [], channels: [], tenants: 'all' },
        lastRun,
      });
    const withDigest = (since = LONG_AGO) => {
      const w = watched();
      w.schedule(TENANT_ID);
      w.ran(TENANT_ID, 'Contoso', '2026-03-10T07:00:00.000Z');
      w.digests.push({ name: 'daily', enabled: true, since });
      return w;
    };

    it('that has not been made, reports it once, and again when it has been made and stops again', async () => {
      const w = withDigest();
      w.put(layout.digest('daily'), made('2026-03-08T08:00:10.000Z'));
      const { overdueDigests, mails } = await w.look();
      expect(overdueDigests).toEqual([{ name: 'daily', lastRun: '2026-03-08T08:00:10.000Z' }]);
      expect(mails).toMatchObject([{ subject: 'secure-score: the digest “daily” is overdue' }]);
      expect(w.metrics.published).toMatchObject([{ TenantsOverdue: 1 }, { MailsSent: 1 }]);

      w.clock.set('2026-03-11T06:00:00.000Z');
      w.ran(TENANT_ID, 'Contoso', '2026-03-11T05:00:00.000Z');
      expect(await w.look()).toMatchObject({ overdueDigests: [{ name: 'daily' }], mails: [] });

      w.put(layout.digest('daily'), made('2026-03-11T08:00:10.000Z'));
      w.clock.set('2026-03-11T14:00:00.000Z');
      expect(await w.look()).toMatchObject({ overdueDigests: [], mails: [] });
      w.clock.set('2026-03-13T14:00:00.000Z');
      w.ran(TENANT_ID, 'Contoso', '2026-03-13T07:00:00.000Z');
      expect((await w.look()).mails).toHaveLength(1);
    });

    it.each<[what: string, lastRun: string, every: string, overdue: boolean]>([
      ['was made today', '2026-03-10T08:00:10.000Z', 'day', false],
      ['was made yesterday, and is being tried today', '2026-03-09T08:00:10.000Z', 'day', false],
      ['of the month was made on the 1st', '2026-03-01T08:00:10.000Z', 'month', false],
      ['of the month was not made on the 1st', '2026-02-01T08:00:10.000Z', 'month', true],
      ['of the week was not made on Monday the 9th', '2026-03-02T08:00:10.000Z', 'week', true],
    ])('that %s', async (_, lastRun, every, overdue) => {
      const w = withDigest();
      w.put(layout.digest('daily'), made(lastRun, every));
      expect((await w.look()).overdueDigests).toHaveLength(overdue ? 1 : 0);
    });

    it('that has never been made is overdue after the longest period; one that is disabled or removed is not', async () => {
      expect((await withDigest(new Date('2026-02-10')).look()).overdueDigests).toEqual([]);
      expect((await withDigest().look()).overdueDigests).toEqual([{ name: 'daily', lastRun: null }]);
      const disabled = withDigest();
      disabled.digests[0]!.enabled = false;
      expect((await disabled.look()).overdueDigests).toEqual([]);
      const removed = withDigest();
      removed.digests.pop();
      removed.put(layout.digest('daily'), made('2026-02-01T08:00:10.000Z'));
      expect((await removed.look()).overdueDigests).toEqual([]);
    });

    it('whose state is damaged leaves the others: its own run fails, and says so', async () => {
      const w = withDigest();
      w.digests.push({ name: 'weekly', enabled: true, since: LONG_AGO });
      w.put(layout.digest('weekly'), '{');
      w.put(layout.digest('daily'), made('2026-03-01T08:00:10.000Z'));
      const { overdueDigests } = await w.look();
      expect(overdueDigests.map(({ name }) => name)).toEqual(['daily']);
      expect(w.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    });
  });

  it('reads what a real run left behind', async () => {
    const { schedule, look, runOf, graph, clock } = watched();
    fillDays(graph, '2026-03-01', 10, { controls: { mfa: 8 } });
    await monitor(runOf());
    schedule(TENANT_ID);
    clock.advance(24 * 3_600_000);
    expect(await look()).toMatchObject({ watched: 1, overdue: [], stale: [] });
    clock.advance(7 * 3_600_000);
    expect(await look()).toMatchObject({
      overdue: [{ tenant: TENANT_ID, name: 'Contoso', lastRun: NOW }],
      mails: [{ kind: 'operations', to: ['oncall@contoso.com'] }],
    });
  });

  it('knows the name of a tenant whose runs failed from the first one on, and why they did', async () => {
    const { schedule, look, runOf, graph, clock, mailer } = watched();
    graph.failure = new MonitorError('app-unknown', 'No such app.', 'Make one.');
    await expect(monitor(runOf())).rejects.toThrow('No such app.');
    schedule(TENANT_ID, { since: new Date(NOW) });
    clock.advance(31 * 3_600_000);
    expect(await look()).toMatchObject({ overdue: [{ tenant: TENANT_ID, name: 'Contoso', lastRun: null }] });
    expect(mailer.sent.at(-1)?.text).toMatch(
      /Contoso: No run has ever succeeded[^]*failed\s+since\s+10\s+Mar\s+2026\s+\(app-unknown\)/,
    );
  });

  it.each([
    [false, '30 hours after the last run', { at: '2026-03-09T08:00:00.000Z' }, {}],
    [true, 'a second later', { at: '2026-03-09T07:59:59.000Z' }, {}],
    [
      false,
      'if it never ran, 30 hours after its schedule came',
      null,
      { since: new Date('2026-03-09T08:00:00Z') },
    ],
    [true, 'if it never ran, a second later', null, { since: new Date('2026-03-09T07:59:59Z') }],
    [
      false,
      'if its archive is old and its schedule new',
      { at: '2025-01-01T00:00:00.000Z' },
      { since: new Date(NOW) },
    ],
    [false, 'if its schedule is disabled', { at: '2026-01-01T00:00:00.000Z' }, { enabled: false }],
  ])('calls a tenant overdue: %s, %s', async (overdue, _, run, fields) => {
    const { schedule, ran, look, metrics } = watched();
    schedule(FABRIKAM, fields);
    if (run) ran(FABRIKAM, 'Fabrikam', run.at, { newest: '2026-03-09' });
    const result = await look();
    expect(result.overdue.map(({ tenant }) => tenant)).toEqual(overdue ? [FABRIKAM] : []);
    expect(metrics.published[0]).toMatchObject({ TenantsOverdue: overdue ? 1 : 0 });
  });

  it('is silent about a deployment that has not run yet', async () => {
    const { schedule, look, metrics, mailer } = watched();
    schedule(TENANT_ID, { since: new Date('2026-03-10T09:00:00Z') });
    schedule(FABRIKAM, { since: new Date('2026-03-10T09:00:00Z') });
    expect(await look()).toEqual({
      watched: 2,
      overdue: [],
      overdueDigests: [],
      stale: [],
      certificateDaysLeft: null,
      damaged: [],
      mails: [],
    });
    // No certificate is known: there is no number of days.
    expect(metrics.published).toEqual([{ TenantsOverdue: 0, TenantsStale: 0, ArchivesDamaged: 0 }]);
    expect(mailer.sent).toEqual([]);
  });

  it('ignores a tenant that was removed, and one whose schedule is off', async () => {
    const { schedule, ran, look, logged } = watched();
    schedule(TENANT_ID);
    schedule(NORTHWIND, { enabled: false });
    ran(TENANT_ID, 'Contoso', '2026-03-10T07:00:00.000Z');
    ran(FABRIKAM, 'Fabrikam', '2026-01-10T07:00:00.000Z', { certificateUntil: '2026-02-01T00:00:00.000Z' });
    ran(NORTHWIND, 'Northwind', '2026-01-10T07:00:00.000Z', { certificateUntil: '2026-02-01T00:00:00.000Z' });
    expect(await look()).toEqual({
      watched: 1,
      overdue: [],
      overdueDigests: [],
      stale: [],
      damaged: [],
      certificateDaysLeft: 296,
      mails: [],
    });
    expect(logged).toContainEqual({
      level: 'warn',
      message: 'schedules are disabled: not watched',
      facts: { tenants: [NORTHWIND] },
    });
  });

  it.each([
    ['2026-03-08', false],
    ['2026-03-07', true],
  ])(
    'with a newest snapshot of %s: stale %s, and says so in no mail, for the run does',
    async (newest, stale) => {
      const { schedule, ran, look, metrics, mailer } = watched();
      schedule(FABRIKAM);
      ran(FABRIKAM, 'Fabrikam', '2026-03-10T07:00:00.000Z', { newest });
      expect((await look()).stale).toEqual(stale ? [{ tenant: FABRIKAM, name: 'Fabrikam', newest }] : []);
      expect(metrics.published[0]).toMatchObject({ TenantsStale: stale ? 1 : 0 });
      expect(mailer.sent).toEqual([]);
    },
  );

  it('reports that nothing is watched if no tenant has a schedule', async () => {
    await expect(watched().look()).rejects.toMatchObject({ code: 'nothing-scheduled' });
  });
});

describe('the mail of the watch', () => {
  it('lists the tenants, goes to operations, and is sent once', async () => {
    const { schedule, ran, look, mailer, clock } = watched();
    schedule(TENANT_ID);
    schedule(FABRIKAM);
    ran(TENANT_ID, 'Contoso', '2026-03-01T07:00:00.000Z');
    ran(FABRIKAM, 'Fabrikam', '2026-03-02T07:00:00.000Z');
    const { mails } = await look();
    expect(mails).toEqual([
      {
        kind: 'operations',
        subject: 'secure-score: no successful run for Contoso and Fabrikam',
        to: ['oncall@contoso.com'],
        id: expect.any(String),
      },
    ]);
    const [mail] = mailer.sent;
    expect(mail).toMatchObject({
      kind: 'operations',
      to: ['oncall@contoso.com'],
      subject: mails[0]!.subject,
    });
    for (const part of [mail!.html, mail!.text]) {
      expect(part).toContain('1 Mar 2026');
      expect(part).toContain('secure-score doctor');
    }
    for (let day = 0; day < 5; day += 1) {
      clock.advance(24 * 3_600_000);
      expect(await look()).toMatchObject({ overdue: [{}, {}], mails: [] });
    }
    expect(mailer.sent).toHaveLength(1);
  });

  it('is sent again for one that joins them, and for one that ran and stopped again', async () => {
    const { schedule, ran, look, mailer, clock } = watched();
    schedule(TENANT_ID);
    schedule(FABRIKAM);
    ran(TENANT_ID, 'Contoso', '2026-03-01T07:00:00.000Z');
    ran(FABRIKAM, 'Fabrikam', '2026-03-10T07:00:00.000Z');
    await look();
    clock.set('2026-03-12T14:00:00Z');
    await look();
    expect(mailer.subjects()).toEqual([
      'secure-score: no successful run for Contoso',
      'secure-score: no successful run for Fabrikam',
    ]);
    expect(mailer.sent[1]!.text).toMatch(/Reported before, and still overdue[^]*Contoso/);

    ran(TENANT_ID, 'Contoso', '2026-03-13T07:00:00.000Z');
    clock.set('2026-03-13T14:00:00Z');
    expect((await look()).mails).toEqual([]);
    clock.set('2026-03-15T14:00:00Z');
    expect((await look()).mails).toMatchObject([{ subject: 'secure-score: no successful run for Contoso' }]);
  });

  it('is sent again for one that ran between two watches, and stopped', async () => {
    const { schedule, ran, look, clock } = watched();
    schedule(TENANT_ID);
    ran(TENANT_ID, 'Contoso', '2026-03-01T07:00:00.000Z');
    await look();
    ran(TENANT_ID, 'Contoso', '2026-03-10T20:00:00.000Z');
    clock.set('2026-03-14T14:00:00Z');
    expect((await look()).mails).toHaveLength(1);
  });

  it('is not sent again because the schedule was changed', async () => {
    const { schedule, schedules, look, mailer, clock } = watched();
    schedule(TENANT_ID);
    await look();
    schedules[0]!.since = new Date('2026-03-11T08:00:00Z');
    clock.set('2026-03-11T14:00:00Z');
    expect((await look()).overdue).toEqual([]);
    clock.set('2026-03-13T14:00:00Z');
    expect((await look()).overdue).toHaveLength(1);
    expect(mailer.sent).toHaveLength(1);
  });

  it('reports a certificate 30 days and 7 days before its end and after it, each once', async () => {
    const { schedule, ran, look, clock, mailer, metrics } = watched();
    schedule(TENANT_ID);
    schedule(FABRIKAM);
    const notified: string[] = [];
    for (let day = 0; day < 40; day += 1) {
      const now = new Date(Date.parse('2026-03-10T14:00:00Z') + day * 86_400_000);
      clock.set(now.toISOString());
      for (const [id, name] of [
        [TENANT_ID, 'Contoso'],
        [FABRIKAM, 'Fabrikam'],
      ] as const)
        ran(id, name, now.toISOString(), { certificateUntil: '2026-04-11T12:00:00.000Z' });
      const { certificateDaysLeft, mails } = await look();
      for (const { subject } of mails) notified.push(`${certificateDaysLeft}: ${subject}`);
    }
    // Both tenants use it: it is one certificate, and one mail.
    expect(notified).toEqual([
      '30: secure-score: the certificate of Contoso and Fabrikam expires in 30 days',
      '7: secure-score: the certificate of Contoso and Fabrikam expires in 7 days',
      '-1: secure-score: the certificate of Contoso and Fabrikam has expired',
    ]);
    expect(mailer.sent).toHaveLength(3);
    expect(metrics.published).toContainEqual(expect.objectContaining({ CertificateDaysLeft: -8 }));
  });

  it('leaves one alone that renews itself in time, however short its life is, and reports it once that is late', async () => {
    const { schedule, ran, look, clock, metrics } = watched();
    schedule(TENANT_ID);
    const from = '2026-03-10T14:00:00.000Z';
    const figuresOf = async (life: number, fields: object) => {
      const days: (number | undefined)[] = [];
      const mails: string[] = [];
      for (let day = 0; day <= life; day += 1) {
        const now = new Date(Date.parse(from) + day * 86_400_000).toISOString();
        clock.set(now);
        const certificateUntil = new Date(Date.parse(from) + life * 86_400_000).toISOString();
        ran(TENANT_ID, 'Contoso', now, { certificateFrom: from, certificateUntil, renews: true, ...fields });
        metrics.published.length = 0;
        for (const { subject } of (await look()).mails) mails.push(subject);
        days.push(metrics.published[0]?.['CertificateDaysLeft']);
      }
      return { alarmedFrom: days.findIndex((left) => left! < 30), least: days.at(-1), mails };
    };
    // Renewed at half its life, 20 days before its end; a week later it is late.
    const short = { alarmedFrom: 28, least: 0, mails: [expect.stringContaining('in 7 days')] };
    expect(await figuresOf(40, {})).toEqual(short);
    expect(await figuresOf(8, {})).toMatchObject({
      alarmedFrom: 7,
      mails: [expect.stringContaining('in 1 day')],
    });
    // One for a year: below 30 days its renewal, due 30 days before, is long late.
    expect(await figuresOf(365, {})).toMatchObject({ alarmedFrom: 336 });
    // It does not renew itself, or an older version ran, which left no begin.
    expect(await figuresOf(40, { renews: false })).toMatchObject({ alarmedFrom: 11 });
    expect(await figuresOf(40, { certificateFrom: undefined })).toMatchObject({ alarmedFrom: 11 });
  });

  it('reports one that is first seen late as it is then, and a new one when its time comes', async () => {
    const { schedule, ran, look, clock } = watched();
    schedule(TENANT_ID);
    ran(TENANT_ID, 'Contoso', NOW, { certificateUntil: '2026-03-15T14:00:00.000Z' });
    expect((await look()).mails).toMatchObject([
      { subject: 'secure-score: the certificate of Contoso expires in 5 days' },
    ]);
    ran(TENANT_ID, 'Contoso', NOW, { certificateUntil: '2027-03-15T14:00:00.000Z' });
    expect((await look()).mails).toEqual([]);
    clock.set('2027-02-14T14:00:00Z');
    ran(TENANT_ID, 'Contoso', '2027-02-14T07:00:00.000Z', { certificateUntil: '2027-03-15T14:00:00.000Z' });
    expect((await look()).mails).toMatchObject([
      { subject: 'secure-score: the certificate of Contoso expires in 29 days' },
    ]);
  });

  it('reports a certificate once, even if its tenant was out of sight for a day', async () => {
    const { schedule, ran, put, look, clock, mailer } = watched();
    schedule(TENANT_ID);
    const run = () => ran(TENANT_ID, 'Contoso', NOW, { certificateUntil: '2026-03-25T14:00:00.000Z' });
    run();
    expect((await look()).mails).toHaveLength(1);
    put(layout.state(TENANT_ID), 'torn');
    clock.advance(3_600_000);
    await look();
    run();
    clock.advance(3_600_000);
    expect((await look()).mails).toEqual([]);
    expect(mailer.sent.filter(({ subject }) => subject.includes('certificate'))).toHaveLength(1);
  });

  it('is sent again, not lost, if the memory could not be written, and then only once', async () => {
    const { schedule, look, store, mailer, logged } = watched();
    schedule(TENANT_ID);
    const replace = store.replace.bind(store);
    store.replace = async () => {
      throw new Error('the network is gone');
    };
    await expect(look()).rejects.toThrow('the network is gone');
    store.replace = replace;
    await look();
    await look();
    expect(mailer.sent).toHaveLength(2);
    expect(mailer.sent[0]!.text).toBe(mailer.sent[1]!.text);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is not remembered as sent if it could not be sent; the metrics are still published', async () => {
    const { schedule, look, mailer, metrics } = watched();
    schedule(TENANT_ID);
    const send = mailer.send.bind(mailer);
    mailer.send = async () => {
      throw new Error('SES is down');
    };
    await expect(look()).rejects.toThrow('SES is down');
    expect(metrics.published).toEqual([{ TenantsOverdue: 1, TenantsStale: 0, ArchivesDamaged: 0 }]);
    mailer.send = send;
    expect((await look()).mails).toHaveLength(1);
  });
});

describe('what is damaged', () => {
  it('in one tenant does not prevent the watch of others, and is reported, because no run of it can succeed', async () => {
    const { schedule, ran, put, look, logged, mailer } = watched();
    schedule(TENANT_ID, { since: new Date(NOW) });
    schedule(FABRIKAM);
    put(layout.state(TENANT_ID), '{"version": 1, "curs');
    ran(FABRIKAM, 'Fabrikam', '2026-03-10T07:00:00.000Z', { newest: '2026-03-01' });
    const result = await look();
    expect(result).toMatchObject({
      watched: 2,
      overdue: [{ tenant: TENANT_ID, name: TENANT_ID, lastRun: null }],
      overdueDigests: [],
      stale: [{ tenant: FABRIKAM }],
    });
    expect(mailer.sent[0]!.text).toContain('Its state in the archive is damaged');
    expect(logged).toContainEqual({
      level: 'error',
      message: expect.stringContaining(`${layout.state(TENANT_ID)} is not a state`),
      facts: { tenant: TENANT_ID, advice: expect.stringContaining('Move the object away') },
    });
    expect((await look()).mails).toEqual([]);
  });

  it('in the memory of the watch is replaced, and what was reported is reported once more', async () => {
    const { schedule, put, look, mailer, logged } = watched();
    schedule(TENANT_ID);
    put(layout.watch, 'what?');
    await look();
    await look();
    expect(mailer.sent).toHaveLength(1);
    expect(logged.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('or only unreachable, fails the watch after all else is done, without publishing a wrong number', async () => {
    const { schedule, ran, look, store, metrics, mailer } = watched();
    schedule(TENANT_ID);
    schedule(FABRIKAM);
    ran(TENANT_ID, 'Contoso', '2026-03-01T07:00:00.000Z');
    ran(FABRIKAM, 'Fabrikam', '2026-03-10T07:00:00.000Z');
    await look();
    ran(FABRIKAM, 'Fabrikam', '2026-03-01T07:00:00.000Z');
    metrics.published.length = 0;
    const get = store.get.bind(store);
    store.get = async (key) => {
      if (key === layout.state(TENANT_ID)) {
        throw new MonitorError('archive-unreachable', 'S3 said no.', 'Wait.', { retryable: true });
      }
      return get(key);
    };
    await expect(look()).rejects.toMatchObject({
      code: 'watch-incomplete',
      message: expect.stringContaining(`${TENANT_ID} could not be read: S3 said no.`),
      retryable: true,
    });
    expect(mailer.subjects().at(-1)).toBe('secure-score: no successful run for Fabrikam');
    expect(metrics.published).toEqual([{ MailsSent: 1 }]);
    store.get = get;
    // The memory of the one out of reach stays.
    expect(await look()).toMatchObject({ overdue: [{}, {}], mails: [] });
  });

  it('by another watch at the same time causes a repetition, but no failure', async () => {
    const { schedule, look, store, logged } = watched();
    schedule(TENANT_ID);
    store.replace = async () => undefined;
    expect((await look()).mails).toHaveLength(1);
    expect(logged).toContainEqual({ level: 'warn', message: expect.stringContaining('another watch') });
  });
});

it('many tenants are read in any order and reported in the order of the config', async () => {
  const { schedule, look, store, mailer } = watched();
  const ids = Array.from(
    { length: 500 },
    (_, index) => `44444444-0000-4000-8000-${String(index).padStart(12, '0')}`,
  );
  for (const id of ids) schedule(id);
  let atOnce = 0;
  let most = 0;
  const get = store.get.bind(store);
  store.get = async (key) => {
    most = Math.max(most, (atOnce += 1));
    await new Promise((resolve) => setTimeout(resolve, key.length % 3));
    atOnce -= 1;
    return get(key);
  };
  const { watched: count, overdue } = await look();
  expect(count).toBe(500);
  expect(overdue.map(({ tenant }) => tenant)).toEqual(ids);
  expect(most).toBeLessThanOrEqual(20);
  const [mail] = mailer.sent;
  expect(mail!.subject.length).toBeLessThanOrEqual(150);
  expect(mail!.text).toContain('And 450 more.');
  expect(Buffer.byteLength(mail!.html)).toBeLessThan(88_000);
});

describe('the evidence', () => {
  /** Two weeks of runs, one a day, and a watch after each. */
  async function ranFor(days: number) {
    const w = watched('2026-03-01T14:00:00.000Z');
    w.schedule(TENANT_ID);
    const day = async (change?: () => void) => {
      w.clock.advance(24 * 3_600_000);
      const today = w.clock.now().toISOString().slice(0, 10);
      w.graph.days.set(today, { controls: { mfa: Number(today.slice(-2)) % 9 } });
      await monitor(w.runOf()).catch(() => {});
      change?.();
      return w.look();
    };
    fillDays(w.graph, '2026-02-01', 29, { controls: { mfa: 8 } });
    for (let index = 0; index < days; index += 1) await day();
    const memory = () => JSON.parse(Buffer.from(w.store.objects.get(layout.watch)!).toString()) as Notified;
    const keyOf = (part: string) => [...w.store.objects.keys()].find((key) => key.includes(part))!;
    const acknowledge = async (key: string) => {
      const { ledger } = new Archive(w.store, TENANT_ID);
      const at = w.clock.now().toISOString();
      const acknowledged = [{ key, reason: 'Known' }];
      const last = (await ledger.read()).at(-1)!;
      await ledger.append({ at, kind: 'acknowledged', completed: 0, acknowledged }, last);
    };
    return { ...w, day, memory, keyOf, acknowledge };
  }
  const evidenceMails = ({ mailer }: { mailer: { sent: { subject: string }[] } }) =>
    mailer.sent.filter(({ subject }) => subject.includes('evidence is damaged'));

  it('is checked slice by slice, with a bounded number of reads, and completely', async () => {
    const w = await ranFor(14);
    let reads = 0;
    const get = w.store.get.bind(w.store);
    w.store.get = (key) => {
      reads += 1;
      return get(key);
    };
    const slices = new Set<number>();
    for (let index = 0; index < 4; index += 1) {
      reads = 0;
      expect(await w.look()).toMatchObject({ damaged: [] });
      expect(reads).toBeLessThanOrEqual(120 + 4);
      slices.add(w.memory().evidence[TENANT_ID]!.next.sequence);
    }
    expect(w.metrics.published.at(-1)).toMatchObject({ ArchivesDamaged: 0 });
    expect(evidenceMails(w)).toEqual([]);
  });

  it.each<[string, string]>([
    ['a snapshot', '/date=2026-02-10/'],
    ['a catalogue', 'profiles/'],
    ['a report', 'reports/'],
    ['an entry', 'ledger/'],
  ])('%s that is gone, or changed, is noticed, counted, and mailed once', async (_, part) => {
    for (const how of ['gone', 'changed']) {
      const w = await ranFor(8);
      const key = w.keyOf(part);
      const bytes = w.store.objects.get(key)!;
      if (how === 'gone') w.store.objects.delete(key);
      else w.store.objects.set(key, Buffer.from('{}'));
      let first = 1;
      // Within a tour.
      for (; first < 4 && (await w.day()).damaged.length === 0; first += 1);
      expect(w.metrics.published.at(-2)).toMatchObject({ ArchivesDamaged: 1 });
      const [mail, ...more] = evidenceMails(w);
      expect(mail).toMatchObject({ subject: expect.stringContaining('Contoso'), text: expect.any(String) });
      expect((mail as unknown as { text: string }).text.replaceAll(/\s/g, '')).toContain(key);
      expect(more).toEqual([]);
      expect((await w.day()).damaged).toMatchObject([{ tenant: TENANT_ID, name: 'Contoso' }]);
      expect(evidenceMails(w)).toHaveLength(1);
      // Restored, it is over.
      w.store.objects.set(key, bytes);
      expect((await w.look()).damaged).toEqual([]);
    }
  });

  it('a snapshot of the last days that no run archived is reported once, until it is moved away or acknowledged', async () => {
    const w = await ranFor(8);
    const secureScore = entry('2026-02-20', { controls: { mfa: 1 } }, true);
    const key = layout.snapshot(TENANT_ID, '2026-02-20', contentHash(secureScore));
    const envelope = { fetchedAt: '2026-02-20T07:00:00.000Z', newest: true, secureScore };
    w.store.objects.set(key, gzipSync(JSON.stringify(envelope)));
    expect((await w.day()).damaged).toMatchObject([{ tenant: TENANT_ID, keys: [key] }]);
    expect((await w.day()).damaged).toMatchObject([{ keys: [key] }]);
    const mails = evidenceMails(w) as { subject: string; text?: string }[];
    expect(mails).toHaveLength(1);
    expect(mails[0]!.text!.replaceAll(/\s+/g, ' ')).toContain('no entry of the ledger lists it');

    const kept = w.store.objects.get(key)!;
    w.store.objects.delete(key);
    expect((await w.look()).damaged).toEqual([]);
    w.store.objects.set(key, kept);
    await w.acknowledge(key);
    expect((await w.day()).damaged).toEqual([]);
  });

  it('that was rolled back with its state is noticed the next day, though the slice is another', async () => {
    const w = await ranFor(8);
    const earlier = w.store.copy();
    await w.day();
    await w.day();
    const memory = w.store.objects.get(layout.watch)!;
    for (const key of w.store.objects.keys()) w.store.objects.delete(key);
    for (const [key, bytes] of earlier.objects) w.store.objects.set(key, bytes);
    w.store.objects.set(layout.watch, memory);
    expect((await w.look()).damaged).toMatchObject([{ keys: [expect.stringContaining('ledger/')] }]);
    // And stays so, when a run has gone on from there.
    expect((await w.day()).damaged).toMatchObject([{ tenant: TENANT_ID }]);
  });

  it('whose loss was acknowledged is not reported', async () => {
    const w = await ranFor(8);
    const key = w.keyOf('/date=2026-02-10/');
    w.store.objects.delete(key);
    await w.acknowledge(key);
    for (let index = 0; index < 3; index += 1) expect((await w.day()).damaged).toEqual([]);
  });

  it('is left for another day if time is short', async () => {
    const w = await ranFor(2);
    const before = w.memory();
    w.deadline = new Date(w.clock.now().getTime() + 30_000);
    await w.look();
    expect(w.memory()).toEqual(before);
  });
});
