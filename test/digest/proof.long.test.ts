import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DigestReport, TenantAccount } from '../../lambda/report/digest-model.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import * as change from '../../simulator/changes.ts';
import { ADDED, ENTRIES, fleet, FIRST, idOf, nameOf } from './fleet.ts';

/**
 * 300 tenants of the simulator, of which Microsoft changes 280 on one day, five lose points, three fail, two are new, and
 * one decides: one digest. Every number in it is computed here again, from the snapshots in the archive and by the
 * design's formulas alone.
 */
const TENANTS = 300;
const CHANGED = 280;
const DAY = FIRST + 1;
const LOSERS = [0, 50, 100, 150, 290];
const GAINER = 200;
const DECIDER = 210;
const FAILING = [10, 20, 285];
const NEW = [298, 299];

/** A switch that is on in all tenants, one that is off, and one that somebody decides about. */
const isSwitch = (index: number) => ENTRIES[index]!.of === null;
const indexes = ENTRIES.slice(0, 24)
  .map((_, index) => index)
  .filter(isSwitch);

let digest: DigestReport;
let text: string;
let html: string;
let subject: string;
let mails: string[];
/** How many runs failed, on the two days. */
let failed: number[];
let attachments: { name: string; text: string }[];
let world: ReturnType<typeof fleet>;
let on: string;
let off: string;
let granted: string;

beforeAll(async () => {
  // Which are on is the simulator's: the first tenant knows.
  const probe = fleet({ tenants: 1 });
  probe.morning(1);
  const { made } = [...probe.tenants.values()][0]!;
  const reading = made.read();
  const scores = new Map(
    reading.secureScore(reading.dates[0]!, true).controlScores.map((each) => [each.controlName, each.score]),
  );
  const ids = indexes.map((index) => ENTRIES[index]!.id);
  on = ids.find((id) => scores.get(id)! > 0)!;
  [off, granted] = ids.filter((id) => scores.get(id) === 0) as [string, string];

  world = fleet({
    tenants: TENANTS,
    forAll: {
      events: [{ day: DAY, apply: change.added(ADDED, { on: false }) }],
      except: Array.from({ length: TENANTS - CHANGED }, (_, index) => CHANGED + index),
    },
    events: {
      ...Object.fromEntries(
        LOSERS.map((number) => [number, [{ day: DAY, apply: change.turned(on, false) }]]),
      ),
      [GAINER]: [{ day: DAY, apply: change.turned(off, true) }],
      [DECIDER]: [
        {
          day: DAY,
          apply: change.all(
            change.decided(granted, {
              state: 'ThirdParty',
              by: 'ada@customer.example',
              comment: 'Proofpoint does it',
            }),
            change.granted(granted, true),
          ),
        },
      ],
    },
  });
  const numbers = Array.from({ length: TENANTS }, (_, index) => index);
  const old = numbers.filter((number) => !NEW.includes(number));
  for (const number of NEW) world.scheduled.delete(number);
  world.morning(FIRST);
  failed = [await world.run(old)];
  await world.digest();

  for (const number of NEW) world.scheduled.add(number);
  for (const number of FAILING) world.failing.add(number);
  world.morning(DAY);
  world.mailer.sent.length = 0;
  failed.push(await world.run());
  const { report } = await world.digest();
  digest = report!;
  mails = world.mailer.subjects();
  const sent = world.mailer.sent.find(({ kind }) => kind === 'digest')!;
  text = sent.text.replace(/\s+/g, ' ');
  html = sent.html;
  subject = sent.subject;
  attachments = (sent.attachments ?? []).map(({ name, content }) => ({
    name,
    text: Buffer.from(content).toString(),
  }));
}, 300_000);

interface Stored {
  score: number;
  maximum: number;
  controls: Map<string, number>;
}

/** The score as Graph stated it. */
async function stored(store: ObjectStore, number: number, day: number): Promise<Stored | null> {
  const date = new Date(Date.parse('2026-03-01') + day * 86_400_000).toISOString().slice(0, 10);
  const keys = await store.list(`snapshots/tenant=${idOf(number)}/date=${date}/`);
  if (keys.length === 0) return null;
  const { secureScore } = JSON.parse(gunzipSync((await store.get(keys[0]!))!.bytes).toString()) as {
    secureScore: {
      currentScore: number;
      maxScore: number;
      controlScores: { controlName: string; score: number }[];
    };
  };
  return {
    score: secureScore.currentScore,
    maximum: secureScore.maxScore,
    controls: new Map(secureScore.controlScores.map(({ controlName, score }) => [controlName, score])),
  };
}

/** The design's formula: the Shapley value of points and maximum. */
function shareOf(a: Stored, b: Stored, points: number, maximum: number): number {
  return (
    100 *
    ((points * (1 / a.maximum + 1 / b.maximum)) / 2 -
      (maximum * (a.score + b.score)) / (2 * a.maximum * b.maximum))
  );
}

/** What moved a tenant, by what happened to it: no code of the product. */
async function expected(number: number) {
  const [a, b] = [await stored(world.store, number, FIRST), await stored(world.store, number, DAY)];
  // What its first run fetched of the days before is no business of the digest's.
  if (!a || NEW.includes(number)) return null;
  if (!b || FAILING.includes(number))
    return {
      before: (100 * a.score) / a.maximum,
      after: (100 * a.score) / a.maximum,
      change: 0,
      earned: 0,
      rescored: 0,
      decided: 0,
      lost: 0,
      gained: 0,
    };
  const moved = [...b.controls].flatMap(([name, score]) => {
    const before = a.controls.get(name);
    return before === undefined || before === score
      ? []
      : [{ name, share: shareOf(a, b, score - before, 0) }];
  });
  const sum = (of: (each: (typeof moved)[number]) => boolean) =>
    moved.filter(of).reduce((all, { share }) => all + share, 0);
  const decided = number === DECIDER ? sum(({ name }) => name === granted) : 0;
  const isAdded = !a.controls.has(ADDED.id) && b.controls.has(ADDED.id);
  return {
    before: (100 * a.score) / a.maximum,
    after: (100 * b.score) / b.maximum,
    change: (100 * b.score) / b.maximum - (100 * a.score) / a.maximum,
    earned: sum(() => true) - decided,
    rescored: isAdded ? shareOf(a, b, b.controls.get(ADDED.id)!, ADDED.maximum) : 0,
    decided,
    lost: sum(({ share }) => share < 0),
    gained: sum(({ share, name }) => share > 0 && !(number === DECIDER && name === granted)),
  };
}

const byNumber = (number: number): TenantAccount =>
  digest.tenants.find(({ tenantId }) => tenantId === idOf(number))!;

describe('300 tenants', () => {
  test('give one message; the tenants themselves send none, except the three that fail', () => {
    expect(mails.filter((each) => each.includes('monitoring fails'))).toHaveLength(FAILING.length);
    expect(mails).toHaveLength(FAILING.length + 1);
    expect(failed).toEqual([0, FAILING.length]);
  });

  test('each counts from the score last digested to now, by cause, exactly', async () => {
    expect(digest.tenants).toHaveLength(TENANTS);
    const PARTS = ['change', 'earned', 'rescored', 'decided', 'lost', 'gained'] as const;
    const near = (a: number | null | undefined, b: number, epsilon = 1e-9) =>
      Math.abs((a ?? NaN) - b) < epsilon;
    const faults: string[] = [];
    let compared = 0;
    for (let number = 0; number < TENANTS; number += 1) {
      const [got, want] = [byNumber(number), await expected(number)];
      const check = (what: string, holds: boolean) => {
        if (!holds) faults.push(`${nameOf(number)}: ${what}`);
      };
      check('is new', got.isNew === NEW.includes(number));
      check('has an account', (got.account !== null) === (want !== null));
      if (!want || !got.account) continue;
      compared += 1;
      const { change: total, earned, rescored, decided, unexplained, lost, gained, other } = got.account;
      check('before', near(got.before?.percentage, want.before));
      check('after', near(got.after?.percentage, want.after));
      for (const part of PARTS) check(part, near(got.account[part], want[part]));
      check('unexplained', near(unexplained, 0));
      check('adds up', near(earned + rescored + decided + unexplained, total, 1e-12));
      check('what was earned adds up', near(lost + gained + other, earned, 1e-12));
    }
    expect(faults).toEqual([]);
    expect(compared).toBe(TENANTS - NEW.length);
  });

  test('the fleet is the average of those that can be compared', async () => {
    const all = (await Promise.all(Array.from({ length: TENANTS }, (_, number) => expected(number)))).flatMap(
      (each) => each ?? [],
    );
    expect(digest.fleet).toMatchObject({ tenants: TENANTS, compared: TENANTS - NEW.length });
    const mean = (of: (each: (typeof all)[number]) => number) =>
      all.reduce((sum, each) => sum + of(each), 0) / all.length;
    expect(digest.fleet.before).toBeCloseTo(
      mean(({ before }) => before),
      9,
    );
    expect(digest.fleet.after).toBeCloseTo(
      mean(({ after }) => after),
      9,
    );
    for (const part of ['change', 'earned', 'rescored', 'decided', 'lost', 'gained'] as const) {
      expect(digest.fleet.account![part]).toBeCloseTo(
        mean((each) => each[part]),
        9,
      );
    }
    const scores = all.map(({ after }) => after).toSorted((a, b) => a - b);
    expect(digest.fleet.median).toBeCloseTo((scores[148]! + scores[149]!) / 2, 9);
    expect([digest.fleet.lowest, digest.fleet.highest]).toEqual([
      expect.closeTo(scores[0]!, 9),
      expect.closeTo(scores.at(-1)!, 9),
    ]);
    expect(digest.fleet).toMatchObject({
      fell: all.filter((each) => each.change < -1e-6).length,
      rose: all.filter((each) => each.change > 1e-6).length,
      stayed: all.filter((each) => Math.abs(each.change) <= 1e-6).length,
    });

    // As printed: the parts add up to the change.
    const printed =
      /(Down|Up) ([\d.]+) percentage points on average: tenants themselves lost ([\d.]+) and gained ([\d.]+)\. Microsoft's changes took another ([\d.]+)\./.exec(
        text,
      )!;
    const [total, lost, gained, microsoft] = printed.slice(2).map(Number) as [number, number, number, number];
    const decided = Number(/By decisions: \+([\d.]+)/.exec(text)![1]);
    expect(total).toBeCloseTo(Math.abs(mean((each) => each.change)), 2);
    expect(-lost + gained - microsoft + decided).toBeCloseTo(-total, 9);
    expect(lost).toBeCloseTo(-mean((each) => each.lost), 1.7);
    expect(text).toContain(`${mean(({ after }) => after).toFixed(1)} %`);
    expect(subject).toContain(`${mean(({ after }) => after).toFixed(1)} % on average (−${total.toFixed(2)})`);
  });

  test('what happened to many is listed once, with how many and which', async () => {
    const hit = Array.from({ length: CHANGED }, (_, number) => number).filter(
      (number) => !FAILING.includes(number),
    );
    expect(digest.many).toHaveLength(1);
    const [many] = digest.many;
    expect(many).toMatchObject({ kind: 'new', control: ADDED.id, title: ADDED.title });
    expect(many!.tenantIds.toSorted()).toEqual(hit.map(idOf).toSorted());
    const shares = await Promise.all(hit.map(async (number) => (await expected(number))!.rescored));
    const average = shares.reduce((sum, each) => sum + each, 0) / hit.length;
    expect(many!.percentagePoints / hit.length).toBeCloseTo(average, 9);
    expect(text).toContain(
      `−${Math.abs(average).toFixed(2)} Microsoft added ${ADDED.title} on average in ${hit.length} of 300 tenants`,
    );
    expect(text.split(ADDED.title)).toHaveLength(2);
    const list = attachments.find(({ name }) => name === 'changes.csv')!.text.split('\r\n');
    expect(
      list
        .filter((row) => row.includes(`,new,`))
        .map((row) => row.split(',')[1]!)
        .toSorted(),
    ).toEqual(hit.map(idOf).toSorted());
  });

  test('on top: what needs attention, then what was lost, tenant by tenant, largest first', async () => {
    expect(digest.attention.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      FAILING.map((number) => `failing ${nameOf(number)}`),
    );
    const losses = await Promise.all(
      LOSERS.map(async (number) => ({ number, ...(await expected(number))! })),
    );
    const ordered = losses.toSorted((a, b) => a.lost - b.lost);
    const places = [
      'Needs attention: 3 tenants',
      ...FAILING.map(nameOf),
      'Tenants that lost points: 5',
      ...ordered.map(
        ({ number, lost, before, after }) =>
          `−${Math.abs(lost).toFixed(2)} ${nameOf(number)} ${before.toFixed(1)} % → ${after.toFixed(1)} %`,
      ),
      'What Microsoft did: 1',
      'Tenants that gained points: 1',
      nameOf(GAINER),
      'Decisions: 1',
      `${nameOf(DECIDER)}: `,
      'Movers',
      'Movers',
      'Tenants',
      `Added: ${nameOf(298)}`,
    ];
    // In this order.
    const last = places.reduce((at, place) => (at < 0 ? at : text.indexOf(place, at)), 0);
    expect(places.filter((place) => !text.includes(place))).toEqual([]);
    expect(last).toBeGreaterThan(0);
    expect(subject).toContain(
      '5 tenants lost points, 1 gained, 1 recommendation changed for many, 3 need attention',
    );
    expect(text).toContain('Marked as third party by ada@customer.example');
  });

  test('the list of tenants has every account, and each adds up', () => {
    const [, ...rows] = attachments
      .find(({ name }) => name === 'tenants.csv')!
      .text.trim()
      .split('\r\n')
      .map((row) => row.split(','));
    expect(rows).toHaveLength(TENANTS);
    for (const row of rows) {
      const [total, ...parts] = row.slice(6, 13);
      expect(parts.reduce((sum, part) => sum + Number(part), 0)).toBeCloseTo(Number(total), 5);
    }
  });

  test('a page below the size at which Gmail clips', () => {
    expect(Buffer.byteLength(html)).toBeLessThan(102_000);
  });

  test('there is no digest without findings', async () => {
    world.clock.advance(24 * 3_600_000);
    world.mailer.sent.length = 0;
    expect((await world.digest()).report).toBeNull();
    expect(world.mailer.sent).toEqual([]);
  });
});
