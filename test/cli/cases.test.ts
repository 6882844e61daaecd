import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterEach, expect, it } from 'vitest';
import { Archive } from '../../lambda/archive/archive.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { onAnswer, type Fault } from '../../simulator/faults.ts';
import { handmadeTenant, type HandmadeControl, type HandmadeDay } from '../../simulator/handmade-tenant.ts';
import type { WireStateUpdate } from '../../simulator/wire.ts';
import { practise, secureScore, type Practice } from './support.ts';

/** Answers that were once reported wrongly, or not at all: the real command, from Graph to the mail. */

const TENANT = '0f0f0f0f-1111-4222-8333-444444444444';
const TODAY = dateOf(new Date());
const YESTERDAY = addDays(TODAY, -1);
const POLICIES = {
  policy_a: { points: 5, maximum: 5 },
  policy_b: { points: 3, maximum: 3 },
  policy_c: { points: 2, maximum: 2, category: 'Data' },
};

let practice: Practice | undefined;
afterEach(() => practice?.end());

interface Day extends Omit<HandmadeDay, 'date' | 'controls'> {
  controls: Record<string, HandmadeControl>;
}

/** A tenant with these two days, of which the first has been reported. Its profiles state the maxima. */
async function reported(yesterday: Day, today: Day) {
  const days = [
    { ...yesterday, date: YESTERDAY },
    { ...today, date: TODAY },
  ];
  const maxima = days.flatMap(({ controls }) => Object.entries(controls));
  const profiles = Object.fromEntries(maxima.map(([id, { maximum = 10 }]) => [id, { maxScore: maximum }]));
  const tenant = handmadeTenant({ tenantId: TENANT, days, profiles, today: YESTERDAY });
  practice = await practise(tenant);
  const { folder, config, pem, simulator } = practice;
  const archive = join(folder, 'archive');
  const seen = new Set<string>();
  const run = async () => {
    const { code, json, stderr } = await secureScore(
      'run',
      '--json',
      '--config',
      config,
      '--certificate',
      pem,
      '--archive',
      archive,
      '--outbox',
      join(folder, 'mails'),
    );
    const names = (await readdir(join(folder, 'mails'))).filter((name) => !seen.has(name));
    const mails = await Promise.all(
      names.toSorted().map(async (name) => {
        seen.add(name);
        const { subject, text } = await PostalMime.parse(await readFile(join(folder, 'mails', name)));
        return `${subject}\n${text!.replaceAll(/\s+/g, ' ')}`;
      }),
    );
    return { code, stderr, result: json(), mails };
  };
  const start = await run();
  expect(start.result.mails).toMatchObject([{ kind: 'start' }]);
  const archived = async () => [...(await new Archive(folderStore(archive), TENANT).days('')).keys()];
  /** The run of today. */
  const next = async (fault?: { at: 'secureScores' | 'profiles'; with: Fault }) => {
    simulator.advance();
    const takeBack = fault && simulator.fault({ ...fault, times: Infinity });
    const done = await run();
    takeBack?.();
    return done;
  };
  return { tenant, run, archived, next };
}

const changesOf = ({ result }: { result: { changes: Record<string, unknown>[] } }) =>
  result.changes.map(({ kind, control, cause }) => [kind, control, cause]);

it('unprotected newcomers: ten of fifty without MFA, and no administrator with it, are two losses', async () => {
  const mfa = (points: number, count: number, total: number) => ({ points, maximum: 9, count, total });
  const { next } = await reported(
    {
      controls: {
        ...POLICIES,
        MFARegistrationV2: mfa(9, 40, 40),
        AdminMFAV2: { points: 10, count: 2, total: 2 },
      },
    },
    {
      controls: {
        ...POLICIES,
        MFARegistrationV2: mfa(7.2, 40, 50),
        AdminMFAV2: { points: 0, count: 0, total: 4 },
      },
    },
  );
  const today = await next();
  expect(changesOf(today)).toEqual([
    ['lost', 'AdminMFAV2', 'earned'],
    ['lost', 'MFARegistrationV2', 'earned'],
  ]);
  expect(today.result.explanation).toMatchObject({
    earned: expect.closeTo((100 * -11.8) / 29, 9),
    unexplained: 0,
  });
  expect(today.mails).toHaveLength(1);
  expect(today.mails[0]).toMatch(/^Contoso: Secure Score 59\.3 % \(−40\.7\): 2 recommendations lost points/);
  expect(today.mails[0]).toContain('two recommendations lost 40.7 here');
});

it.each(['2019-03-19T22:37:14.628799Z', '0001-01-01T00:00:00Z'])(
  'a decision of 2019: Defaults that nobody set, of %s, are none',
  async (updatedDateTime) => {
    const { tenant, next } = await reported({ controls: POLICIES }, { controls: POLICIES });
    const set: WireStateUpdate = {
      state: 'Default',
      assignedTo: null,
      comment: null,
      updatedBy: null,
      updatedDateTime,
    };
    for (const id of Object.keys(POLICIES)) tenant.setProfile(id, { controlStateUpdates: [set] });
    const today = await next();
    expect(today).toMatchObject({ code: 0, mails: [], result: { archived: [TODAY], changes: [] } });
  },
);

it('a device exception: its points are a decision that is not in the catalogue', async () => {
  const exposed = { maximum: 8, category: 'Device', count: 15, total: 15 };
  const { next } = await reported(
    { controls: { ...POLICIES, scid_51: { ...exposed, points: 0 } } },
    { controls: { ...POLICIES, scid_51: { ...exposed, points: 8, state: 'thirdParty' } } },
  );
  const today = await next();
  expect(changesOf(today)).toEqual([
    ['gained', 'scid_51', null],
    ['decided', 'scid_51', 'decided'],
  ]);
  expect(today.result.explanation).toMatchObject({ earned: 0, decided: expect.closeTo((100 * 8) / 18, 9) });
  const [controls, scores] = today.mails;
  expect(scores).toMatch(/1 recommendation gained points by a decision/);
  expect(controls).toMatch(/^Contoso: 1 decision on Secure Score recommendations/);
  expect(controls).toContain('Marked as third party. The recommendation itself carries this decision');
});

it('a device exception that gives no points is reported as well', async () => {
  const exposed = { points: 0, maximum: 8, category: 'Device', count: 15, total: 15 };
  const { next } = await reported(
    { controls: { ...POLICIES, scid_51: exposed } },
    { controls: { ...POLICIES, scid_51: { ...exposed, state: 'riskAccepted' } } },
  );
  const today = await next();
  expect(changesOf(today)).toEqual([['decided', 'scid_51', null]]);
  expect(today.mails).toEqual([
    expect.stringContaining('Risk accepted. The recommendation itself carries this decision'),
  ]);
});

it('no services and no controls: a day on which 9 of 11 are gone is suspect', async () => {
  const others = Array.from({ length: 8 }, (_, index) => [`ctl_${index}`, { points: 2, maximum: 2 }]);
  const { policy_a, policy_b } = POLICIES;
  const { next } = await reported(
    { controls: { ...POLICIES, ...Object.fromEntries(others) } },
    { controls: { policy_a, policy_b }, services: [] },
  );
  const today = await next();
  expect(changesOf(today)).toEqual([['suspect', null, null]]);
  expect(today.mails).toEqual([
    expect.stringMatching(/^Contoso: suspect Secure Score of .*: 9 of 11 recommendations are missing/),
  ]);
  expect(today.result.mails).toMatchObject([{ kind: 'operations' }]);
});

/** Ten recommendations, enough to distinguish a complete catalogue from a partial one. */
const TEN = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`ctl_${index}`, { points: 6, maximum: 10 }]),
);
const LESS = { ...TEN, ctl_0: { points: 2, maximum: 10 } };
const newest = (fields: object): Fault =>
  onAnswer((body) => ({
    ...body,
    value: [{ ...(body.value[0] as object), ...fields }, ...body.value.slice(1)],
  }));
const first = (size: number): Fault => onAnswer((body) => ({ ...body, value: body.value.slice(0, size) }));

it('an entry dated five months ahead is left out and mentioned, and the real newest day is reported', async () => {
  const { next, archived } = await reported({ controls: TEN }, { controls: LESS });
  const ahead = addDays(TODAY, 150);
  const future = { id: `${TENANT}_${ahead}`, createdDateTime: `${ahead}T00:00:00Z` };
  const insert: Fault = onAnswer((body) => ({
    ...body,
    value: [{ ...(body.value[0] as object), ...future }, ...body.value],
  }));
  const today = await next({ at: 'secureScores', with: insert });
  expect(changesOf(today)).toEqual([['lost', 'ctl_0', 'earned']]);
  expect(today.result.score.date).toBe(TODAY);
  expect(today.mails[0]).toContain(`${TENANT}_${ahead}`);
  expect(await archived()).toEqual([YESTERDAY, TODAY]);
});

it.each([
  ['more points than there are', { currentScore: 99_999 }, 'is more than its maxScore'],
  ['no maximum', { maxScore: 0 }, 'though its maxScore is 0'],
])('%s: the run fails, and nothing is archived or sent', async (_, fields, reason) => {
  const { next, archived } = await reported({ controls: TEN }, { controls: LESS });
  const { code, result, mails } = await next({ at: 'secureScores', with: newest(fields) });
  expect(code).toBe(1);
  expect(result.error).toMatchObject({ code: 'malformed-entry', message: expect.stringContaining(reason) });
  expect(await archived()).toEqual([YESTERDAY]);
  expect(mails.filter((mail) => !mail.includes('monitoring fails'))).toEqual([]);
});

it('a total that does not match its controls is suspect', async () => {
  const { next } = await reported({ controls: TEN }, { controls: TEN, points: 47.5 });
  const today = await next();
  expect(changesOf(today)).toEqual([['suspect', null, null]]);
  expect(today.mails).toEqual([
    expect.stringContaining('the total and its recommendations disagree by 12.5 points'),
  ]);
});

it.each([
  ['an empty catalogue', 0],
  ['a quarter of a catalogue', 2],
])('%s: the last complete one stays in force, and no decision counts as taken back', async (_, size) => {
  const { tenant, run, next } = await reported({ controls: TEN }, { controls: LESS });
  const accepted = { updatedBy: 'ada@contoso.com', updatedDateTime: `${YESTERDAY}T01:00:00Z` };
  tenant.decide('ctl_9', { state: 'Ignored', ...accepted });
  await run();
  const today = await next({ at: 'profiles', with: first(size) });
  expect(changesOf(today).filter(([kind]) => kind !== 'decided')).toEqual([
    ['lost', 'ctl_0', 'earned'],
    ['suspect', null, null],
  ]);
  expect(today.result.changes[0].title).toBe('Title of ctl_0');
  expect(today.mails.some((mail) => mail.includes(`list of recommendations is partial: ${size} of 10`))).toBe(
    true,
  );
  expect(today.mails.join()).not.toContain('taken back');
});
