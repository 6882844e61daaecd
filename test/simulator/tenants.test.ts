import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { handmadeTenant } from '../../simulator/handmade-tenant.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { addDays, type SimulatedTenant } from '../../simulator/tenant.ts';
import { percentageOf, type WireProfile, type WireSecureScore } from '../../simulator/wire.ts';
import { changesBetween, isSuspect, watch } from './history.ts';
import { TENANT } from './support.ts';

const FIRST = '2026-01-01';
const DAYS = 103;

function everything(tenant: SimulatedTenant): { scores: WireSecureScore[]; profiles: WireProfile[] } {
  const reading = tenant.read();
  return {
    scores: reading.dates.map((date, index) => reading.secureScore(date, index === 0)),
    profiles: reading.profiles(),
  };
}

describe('the practice tenant', () => {
  const tenant = practiceTenant({ today: FIRST, day: 1 });
  const served = watch(tenant, DAYS);
  const at = (day: number) => served[day - 1] ?? expect.fail(`There is no day ${day}`);

  /** The days that are compared: those with a new snapshot that nobody has to doubt. */
  const compared: { after: number; day: number; changes: Set<string> }[] = [];
  const suspect: number[] = [];
  let reported = at(1);
  for (const now of served.slice(1)) {
    if (now.newestDay === reported.newestDay) continue;
    if (isSuspect(reported, now)) suspect.push(now.day);
    else {
      compared.push({ after: reported.day, day: now.day, changes: changesBetween(reported, now) });
      reported = now;
    }
  }

  /** The script in the same words. What restates a day is seen on the next, both as that and as a loss there. */
  const scripted = tenant.events.flatMap(({ day, kind, control }) => {
    if (kind === 'stale' || kind === 'suspect') return [];
    if (kind === 'restated') {
      return [
        { day: day + 1, text: `restated ${tenant.dateOf(day)}` },
        { day: day + 1, text: `lost ${control}` },
      ];
    }
    return [{ day, text: control ? `${kind} ${control}` : kind }];
  });

  test('what differs from day to day is what the script says, and nothing else', () => {
    for (const { after, day, changes } of compared) {
      const wanted = scripted
        .filter((event) => event.day > after && event.day <= day)
        .map(({ text }) => text);
      // The script lists no controls if a number of people changes: all those that moved are drift.
      const found = new Set([...changes].map((text) => (text.startsWith('drift ') ? 'drift' : text)));
      expect([day, [...found].toSorted()]).toEqual([day, [...new Set(wanted)].toSorted()]);
    }
    expect(compared.length).toBeGreaterThan(95);
  });

  const KINDS = [
    'lost',
    'gained',
    'drift',
    'new',
    'removed',
    'renamed',
    're-scored',
    'decided',
    'services',
    'restated',
  ];
  test.each(KINDS)('%s: it happens in the past and in the days that are watched', (kind) => {
    const days = compared.filter(({ changes }) => [...changes].some((text) => text.split(' ')[0] === kind));
    expect(days.some(({ day }) => day <= 90)).toBe(true);
    expect(days.some(({ day }) => day > 90 && day <= 100)).toBe(true);
  });

  test('ten categories move on one day', () => {
    const days = compared.filter(({ changes }) => [...changes].some((text) => text.startsWith('category ')));
    expect(days).toHaveLength(1);
    expect([...(days[0]?.changes ?? [])].filter((text) => text.startsWith('category '))).toHaveLength(10);
  });

  test('a services change brings and takes several controls', () => {
    for (const { changes } of compared.filter((one) => one.changes.has('services') && one.day > 90)) {
      expect([...changes].filter((text) => text.startsWith('new ')).length).toBeGreaterThan(3);
      expect([...changes].filter((text) => text.startsWith('removed ')).length).toBeGreaterThan(3);
    }
  });

  test('one day is suspect, one of the watched days is quiet, and after day 100 all are', () => {
    expect(suspect).toEqual([95]);
    const quiet = compared.filter(({ changes }) => changes.size === 0).map(({ day }) => day);
    expect(quiet).toContain(93);
    expect(quiet).toEqual(expect.arrayContaining([101, 102, 103]));
  });

  test('for four days there is no new snapshot; two of them come late, two never', () => {
    expect([40, 41, 42, 43, 44, 45].map((day) => at(day).newestDay)).toEqual([40, 40, 40, 40, 40, 45]);
    expect(at(45).dates).not.toContain(tenant.dateOf(42));
    for (const day of [41, 42]) expect(at(46).dates).toContain(tenant.dateOf(day));
    for (const day of [43, 44]) expect(at(90).dates).not.toContain(tenant.dateOf(day));
  });

  test('a decision names who, when and why, can be taken back, and gives the points where it is a third party’s', () => {
    const updates = at(90).profiles.get('AATP_PrintSpooler')?.controlStateUpdates;
    expect(updates).toEqual([
      { assignedTo: null, comment: null, state: 'Default', updatedBy: null, updatedDateTime: null },
      expect.objectContaining({
        state: 'ThirdParty',
        comment: 'Covered by the print appliance',
        updatedDateTime: `${tenant.dateOf(56)}T09:24:51Z`,
      }),
      expect.objectContaining({ state: 'Default', updatedBy: expect.stringContaining('@') as string }),
    ]);
    const pointsOn = (day: number) =>
      at(day).newest.controlScores.find(({ controlName }) => controlName === 'AATP_PrintSpooler')?.score;
    expect([56, 57, 68, 69].map(pointsOn)).toEqual([0, 5, 5, 0]);
  });

  const controlOn = (day: number, name: string) =>
    at(day).newest.controlScores.find(({ controlName }) => controlName === name) ?? expect.fail(name);

  test('device controls of the newest day count the exposed, and say their own state: an exception is one', () => {
    for (const { newest, day, newestDay } of served) {
      for (const control of newest.controlScores.filter(
        ({ controlCategory }) => controlCategory === 'Device',
      )) {
        expect(control.state).toBe(control.controlName === 'scid_30' && day >= 99 ? 'thirdParty' : 'default');
        expect(control.lastSynced! < `${tenant.dateOf(newestDay)}T23`).toBe(true);
      }
      const others = newest.controlScores.filter(({ controlCategory }) => controlCategory !== 'Device');
      expect(others.filter((control) => 'state' in control)).toEqual([]);
    }
    expect(controlOn(90, 'scid_2016')).toMatchObject({ count: '0', total: '164', scoreInPercentage: 100 });
    expect(controlOn(99, 'scid_2016')).toMatchObject({ count: '37', total: '164' });
    expect(controlOn(90, 'mdo_zapspam')).toMatchObject({ count: '157', total: '195' });
    const [before, after] = [controlOn(98, 'scid_30'), controlOn(99, 'scid_30')];
    expect([before.score, after.score, after.count, after.total]).toEqual([0, 8, '164', '164']);
    expect(at(99).profiles.get('scid_30')?.controlStateUpdates).toEqual(
      at(98).profiles.get('scid_30')?.controlStateUpdates,
    );
  });

  test('devices are synced in the afternoon: the snapshot of a morning has them as of the day before', () => {
    // Day 40 is the newest for five days: from the second on its own afternoon is in it.
    const syncs = [40, 41].map((day) => controlOn(day, 'scid_2016').lastSynced);
    expect(syncs).toEqual([39, 40].map((day) => `${tenant.dateOf(day)}T15:21:09Z`));
    // What came to light on the afternoon of day 98 is not in that morning's, and is in the one served on day 99.
    expect(controlOn(98, 'scid_2016').score).toBe(9);
    expect(at(99).restated).toContain(tenant.dateOf(98));
  });

  test('percentages are made of the rounded points', () => {
    const odd: unknown[] = [];
    for (const { newest, profiles } of served) {
      for (const { controlName, score, scoreInPercentage } of newest.controlScores) {
        const made = (100 * score) / profiles.get(controlName)!.maxScore;
        if (Math.abs(scoreInPercentage - made) > 0.005 + 1e-9)
          odd.push([controlName, score, scoreInPercentage]);
      }
    }
    expect(odd).toEqual([]);
    expect(percentageOf(1.87, 7)).toBe(26.71);
  });

  test('some count without a total, and older texts lose their numbers to nothing or to 0', () => {
    const counted = at(90).newest.controlScores.filter(({ count, total }) => count && total === undefined);
    expect(counted.map(({ controlName, on }) => [controlName, on])).toEqual([
      ['OneAdmin', undefined],
      ['RoleOverlap', undefined],
    ]);
    expect(counted[0]!.implementationStatus).toMatch(/^You currently have [13] of them\.$/);
    const text = (complete: boolean, name: string) =>
      practiceTenant({ today: FIRST })
        .read()
        .secureScore(FIRST, complete)
        .controlScores.find(({ controlName }) => controlName === name)?.implementationStatus;
    expect([text(true, 'scid_30'), text(false, 'scid_30')]).toEqual([
      '164/164 exposed devices',
      '/ exposed devices',
    ]);
    expect(text(false, 'OneAdmin')).toBe('You currently have 0 of them.');
  });

  test('have about the number of enabled services that real ones have', () => {
    expect(at(90).newest.enabledServices).toEqual(expect.arrayContaining(['HasMDB', 'HasDLP']));
  });

  test('sums add up on every day, and scores are shares of their maximum', () => {
    for (const { newest } of served) {
      const sum = newest.controlScores.reduce((total, { score }) => total + score, 0);
      expect(Math.abs(sum - newest.currentScore)).toBeLessThan(1e-6);
      const odd = newest.controlScores.filter(
        ({ score, scoreInPercentage: share }) =>
          Number(score.toFixed(2)) !== score || share < 0 || share > 100,
      );
      expect(odd).toEqual([]);
    }
  });

  test('it has a believable size and composition', () => {
    const { newest, profiles } = at(90);
    const percentage = (100 * newest.currentScore) / newest.maxScore;
    expect(percentage).toBeGreaterThan(55);
    expect(percentage).toBeLessThan(65);
    expect(newest.controlScores.length).toBeGreaterThan(220);
    expect(newest.controlScores.length).toBeLessThan(240);
    expect(new Set(newest.controlScores.map(({ controlCategory }) => controlCategory))).toEqual(
      new Set(['Identity', 'Apps', 'Data', 'Device']),
    );
    expect(
      newest.controlScores.filter(({ scoreInPercentage: share }) => share > 0 && share < 100).length,
    ).toBeGreaterThan(30);
    expect(
      new Set(newest.controlScores.map(({ lastSynced }) => lastSynced?.slice(0, 10))).size,
    ).toBeGreaterThan(2);
    for (const { controlName } of newest.controlScores) expect(profiles.has(controlName)).toBe(true);

    const all = [...profiles.values()];
    expect(all).toHaveLength(410);
    expect(all.filter(({ title }) => title === 'Enable multi-factor authentication (MFA)')).toHaveLength(4);
    expect(
      all.some(({ actionUrl }) => actionUrl.startsWith(' ') && actionUrl.includes(`?tid=${tenant.tenantId}`)),
    ).toBe(true);
    for (const spelling of ['low', 'Low', 'Unknown', null]) {
      expect(
        all.some(({ implementationCost, userImpact }) => [implementationCost, userImpact].includes(spelling)),
      ).toBe(true);
    }
    const texts = JSON.stringify([newest.controlScores, all]);
    const tags = [
      'p',
      'ul',
      'ol',
      'li',
      'br',
      'strong',
      'em',
      'i',
      'b',
      'u',
      'a',
      'span',
      'style',
      'div',
      'abbr',
      'label',
    ];
    for (const tag of tags.filter((one) => one !== 'style'))
      expect(texts).toMatch(new RegExp(`<${tag}[ >/]`));
    for (const found of [' style=', 'href=https:', '&nbsp;', '\\t', '’']) expect(texts).toContain(found);
  });
});

test('the same seed gives the same bytes, another seed others', () => {
  const bytes = (seed?: string): string =>
    JSON.stringify(everything(practiceTenant({ today: FIRST, ...(seed ? { seed } : {}) })));
  expect(bytes()).toBe(bytes());
  expect(bytes('other')).not.toBe(bytes());
});

describe('generated tenants', () => {
  test('have the asked-for number of controls, sums that add up, and differ by their seeds', () => {
    const ids = new Set<string>();
    for (const seed of [0, 1, 2]) {
      const tenant = generatedTenant(seed, { today: FIRST });
      const { scores, profiles } = everything(tenant);
      ids.add(tenant.tenantId);
      expect(scores).toHaveLength(90);
      expect(scores[0]?.controlScores).toHaveLength(411);
      expect(profiles.length).toBeGreaterThanOrEqual(411);
      for (const { currentScore, controlScores } of scores) {
        expect(
          Math.abs(controlScores.reduce((sum, { score }) => sum + score, 0) - currentScore),
        ).toBeLessThan(1e-6);
      }
    }
    expect(ids.size).toBe(3);
  });

  test('have devices synced in the afternoon: what happens to them restates the day', () => {
    const scoresOf = (date: string, tenant: SimulatedTenant) =>
      JSON.stringify(tenant.read().secureScore(date, false).controlScores);
    const restated = Array.from({ length: 30 }, (_, day) => {
      const [morning, later] = [0, 1].map((more) =>
        generatedTenant('morning', { today: addDays(FIRST, day + more), day: 60 + day + more }),
      );
      return scoresOf(addDays(FIRST, day), morning!) !== scoresOf(addDays(FIRST, day), later!);
    });
    expect(new Set(restated)).toEqual(new Set([true, false]));
  });

  test('are the same however one comes to a day', () => {
    const walked = generatedTenant('walk', { today: FIRST, day: 90, controls: 50 });
    for (let day = 0; day < 200; day += 1) walked.advance(1);
    const jumped = generatedTenant('walk', { today: addDays(FIRST, 200), day: 290, controls: 50 });
    expect(everything(walked)).toEqual(everything(jumped));
  });
});

describe('handmade tenants', () => {
  const build = () =>
    handmadeTenant({
      tenantId: TENANT,
      days: [
        { date: '2026-01-01', controls: { a: 5, b: { points: 2, maximum: 4, category: 'Data' } } },
        { date: '2026-01-02', controls: { a: 6 }, maximum: 100, points: 7 },
        { date: '2026-01-03', published: '2026-01-05', controls: { a: 7 } },
      ],
      today: '2026-01-02',
      profiles: { a: { title: 'A', maxScore: 8 }, b: null, catalogued: {} },
    });

  test('have the given numbers, and fill in the rest', () => {
    const { scores, profiles } = everything(build());
    expect(scores.map(({ id }) => id.slice(-2))).toEqual(['02', '01']);
    expect(scores[0]).toMatchObject({ currentScore: 7, maxScore: 100 });
    expect(scores[1]).toMatchObject({
      currentScore: 7,
      maxScore: 12,
      controlScores: [
        { controlName: 'a', score: 5, scoreInPercentage: 62.5 },
        { controlName: 'b', controlCategory: 'Data', scoreInPercentage: 50 },
      ],
    });
    expect(profiles.map(({ id, title }) => [id, title])).toEqual([
      ['a', 'A'],
      ['catalogued', 'Title of catalogued'],
    ]);
  });

  test('publish late, restate, withdraw and decide', () => {
    const tenant = build();
    const dates = (): string[] => tenant.read().dates.map((date) => date.slice(-2));
    tenant.publish({ date: '2026-01-04', controls: { a: 1 } });
    tenant.advance(2);
    expect(dates()).toEqual(['04', '02', '01']);
    tenant.advance(1);
    expect(dates()).toEqual(['04', '03', '02', '01']);
    tenant.restate('2026-01-01', { controls: { a: 1, b: null } });
    expect(tenant.read().secureScore('2026-01-01', false)).toMatchObject({
      currentScore: 1,
      controlScores: [{ score: 1 }],
    });
    tenant.withdraw('2026-01-02');
    expect(dates()).toEqual(['04', '03', '01']);
    tenant.decide('a', { state: 'Ignored', comment: 'Accepted' });
    expect(tenant.read().profiles()[0]?.controlStateUpdates).toMatchObject([
      { state: 'Default' },
      { state: 'Ignored' },
    ]);
  });
});

const SAMPLE = new URL('../../../shared/data/', import.meta.url);
describe.skipIf(!existsSync(SAMPLE))('beside a real answer', () => {
  const sample = <T>(name: string): T[] =>
    (JSON.parse(readFileSync(new URL(name, SAMPLE), 'utf8')) as { value: T[] }).value;
  const keys = (list: object[]): string[] => [...new Set(list.flatMap((one) => Object.keys(one)))].toSorted();

  test('entries, control scores and profiles have the same keys', () => {
    const real = {
      scores: sample<WireSecureScore>('secureScores.json'),
      profiles: sample<WireProfile>('secureScoreControlProfiles.page1.json'),
    };
    const ours = everything(practiceTenant({ today: FIRST }));
    expect(keys(ours.scores)).toEqual(keys(real.scores));
    expect(keys(ours.profiles)).toEqual(keys(real.profiles));
    // This one is of 2024; a later one has a state on device controls as well.
    expect(keys(ours.scores.flatMap(({ controlScores }) => controlScores))).toEqual(
      [...keys(real.scores.flatMap(({ controlScores }) => controlScores)), 'state'].toSorted(),
    );
    expect(keys(ours.scores.flatMap((score) => score.averageComparativeScores))).toEqual(
      keys(real.scores.flatMap((score) => score.averageComparativeScores)),
    );
  });
});
