import type { Row } from '../../history/answer.ts';
import type { Wanted } from '../../history/questions.ts';
import { CONTOSO, FABRIKAM } from './sample.ts';

/** Questions on the sample, and what is to be answered, worked out by hand from sample.ts. */
export interface Case {
  question: string;
  wanted: Wanted;
  rows: Row[];
}

const FEBRUARY = { from: '2026-02-01', to: '2026-02-06' };
const MFA = { control: 'mfa', title: 'Require MFA', category: 'Identity' };
const SAFE = { control: 'safe', title: "Safe Links, and 'quotes'", category: 'Apps' };
const LEGACY = { control: 'legacy', title: 'Block legacy sign-in', category: 'Identity' };

const contoso = (date: string, points: number, maximum = 100): Row => ({
  tenant: CONTOSO,
  date,
  points,
  maximum,
  percentage: (100 * points) / maximum,
});

const category = (date: string, name: string, points: number, maximum: number): Row => ({
  tenant: CONTOSO,
  date,
  category: name,
  points,
  maximum,
  percentage: (100 * points) / maximum,
  unknown: 0,
});

const change = (fields: Row): Row => ({
  previous_control: null,
  decision: null,
  decided_by: null,
  ...fields,
});

const RENAMED = { control: '2.dlp', title: 'Have a DLP policy', category: 'Data' };

const spread = (
  kind: string,
  control: Row,
  tenants: number,
  changes: number,
  [average, lowest, highest]: [number, number, number],
  first: string,
  last = first,
): Row => ({
  kind,
  ...control,
  tenants,
  watched: 2,
  changes,
  percentage_points: average,
  lowest_percentage_points: lowest,
  highest_percentage_points: highest,
  first_date: first,
  last_date: last,
});

const exposed = (tenant: string, control: Row, fields: Row): Row => ({
  tenant,
  ...control,
  state: null,
  state_by: null,
  state_at: null,
  date: '2026-02-06',
  ...fields,
});

const plan = (
  effort: string,
  control: Row,
  tenants: number,
  points: number,
  average: number,
  sum: number,
): Row => ({
  effort,
  ...control,
  tenants,
  points,
  average_percentage_points: average,
  percentage_points: sum,
});

export const CASES: Case[] = [
  {
    // The suspect 3rd is not there.
    question: 'trend',
    wanted: { tenant: CONTOSO },
    rows: [
      contoso('2026-01-30', 50),
      contoso('2026-01-31', 40),
      contoso('2026-02-01', 50),
      contoso('2026-02-02', 40),
      contoso('2026-02-04', 40),
      contoso('2026-02-05', 50),
      contoso('2026-02-06', 50, 125),
    ],
  },
  {
    question: 'trend',
    wanted: { from: '2026-02-05', to: '2026-02-05' },
    rows: [
      contoso('2026-02-05', 50),
      { tenant: FABRIKAM, date: '2026-02-05', points: 50, maximum: 100, percentage: 50 },
    ],
  },
  { question: 'trend', wanted: { tenant: CONTOSO, limit: 1 }, rows: [contoso('2026-01-30', 50)] },
  { question: 'trend', wanted: { from: '2025-01-01', to: '2025-12-31' }, rows: [] },
  {
    question: 'categories',
    wanted: { tenant: CONTOSO, from: '2026-02-02', to: '2026-02-04' },
    rows: [
      category('2026-02-02', 'Data', 10, 30),
      category('2026-02-04', 'Data', 10, 30),
      category('2026-02-02', 'Identity', 30, 70),
      category('2026-02-04', 'Identity', 30, 70),
    ],
  },
  {
    // Of unknown maximum: it counts in neither, and is counted.
    question: 'categories',
    wanted: { tenant: FABRIKAM, from: '2026-02-06' },
    rows: [
      {
        tenant: FABRIKAM,
        date: '2026-02-06',
        category: 'Apps',
        points: null,
        maximum: null,
        percentage: null,
        unknown: 1,
      },
      {
        tenant: FABRIKAM,
        date: '2026-02-06',
        category: 'Data',
        points: 20,
        maximum: 50,
        percentage: 40,
        unknown: 0,
      },
      {
        tenant: FABRIKAM,
        date: '2026-02-06',
        category: 'Identity',
        points: 30,
        maximum: 50,
        percentage: 60,
        unknown: 0,
      },
    ],
  },
  {
    question: 'changes',
    wanted: { ...FEBRUARY, from: '2026-02-04', control: 'mfa' },
    rows: [
      change({
        tenant: FABRIKAM,
        date: '2026-02-04',
        previous_date: '2026-02-03',
        kind: 'lost',
        ...MFA,
        points_before: 50,
        points_after: 30,
        maximum_before: 50,
        maximum_after: 50,
        percentage_points: -20,
        cause: 'earned',
      }),
      change({
        tenant: CONTOSO,
        date: '2026-02-05',
        previous_date: '2026-02-04',
        kind: 'gained',
        ...MFA,
        points_before: 30,
        points_after: 40,
        maximum_before: 50,
        maximum_after: 50,
        percentage_points: 10,
        cause: 'earned',
      }),
    ],
  },
  {
    question: 'changes',
    wanted: { from: '2026-02-04', to: '2026-02-04', tenant: CONTOSO },
    rows: [
      change({
        tenant: CONTOSO,
        date: '2026-02-04',
        previous_date: '2026-02-02',
        kind: 'decided',
        ...LEGACY,
        points_before: 0,
        points_after: 0,
        maximum_before: 20,
        maximum_after: 20,
        percentage_points: 0,
        cause: null,
        decision: 'Ignored',
        decided_by: 'ada@contoso.com',
      }),
    ],
  },
  {
    // Under its former name too.
    question: 'changes',
    wanted: { ...FEBRUARY, control: 'dlp' },
    rows: [
      change({
        tenant: FABRIKAM,
        date: '2026-02-05',
        previous_date: '2026-02-04',
        kind: 'renamed',
        control: '2.dlp',
        previous_control: 'dlp',
        title: 'Have a DLP policy',
        category: 'Data',
        points_before: 20,
        points_after: 20,
        maximum_before: 50,
        maximum_after: 50,
        percentage_points: 0,
        cause: null,
      }),
    ],
  },
  {
    // mfa of Contoso fell and rose again: it stands as it stood.
    question: 'between',
    wanted: { tenant: CONTOSO, ...FEBRUARY },
    rows: [
      {
        tenant: CONTOSO,
        ...LEGACY,
        points_before: 0,
        points_after: 0,
        maximum_before: 20,
        maximum_after: 20,
        state_before: null,
        state_after: 'Ignored',
      },
      {
        tenant: CONTOSO,
        ...SAFE,
        points_before: null,
        points_after: 0,
        maximum_before: null,
        maximum_after: 25,
        state_before: null,
        state_after: null,
      },
    ],
  },
  {
    question: 'life',
    wanted: { control: 'mfa', tenant: CONTOSO },
    rows: [
      ['2026-01-30', '2026-01-30', 1, 40],
      ['2026-01-31', '2026-01-31', 1, 30],
      ['2026-02-01', '2026-02-01', 1, 40],
      ['2026-02-02', '2026-02-04', 2, 30],
      ['2026-02-05', '2026-02-06', 2, 40],
    ].map(([first = '', last = '', days = 0, points = 0]) => ({
      tenant: CONTOSO,
      ...MFA,
      first_date: first,
      last_date: last,
      days,
      points,
      maximum: 50,
      state: null,
      state_by: null,
    })),
  },
  {
    // By its former name: what it is called now belongs to its life.
    question: 'life',
    wanted: { control: 'dlp', tenant: FABRIKAM },
    rows: [
      ['dlp', '2026-02-01', '2026-02-04', 4],
      ['2.dlp', '2026-02-05', '2026-02-06', 2],
    ].map(([name = '', first = '', last = '', days = 0]) => ({
      tenant: FABRIKAM,
      control: name,
      title: 'Have a DLP policy',
      category: 'Data',
      first_date: first,
      last_date: last,
      days,
      points: 20,
      maximum: 50,
      state: null,
      state_by: null,
    })),
  },
  {
    // Also the suspect day: the control was there.
    question: 'life',
    wanted: { control: 'legacy' },
    rows: [
      {
        tenant: CONTOSO,
        ...LEGACY,
        first_date: '2026-01-30',
        last_date: '2026-02-03',
        days: 5,
        points: 0,
        maximum: 20,
        state: null,
        state_by: null,
      },
      {
        tenant: CONTOSO,
        ...LEGACY,
        first_date: '2026-02-04',
        last_date: '2026-02-06',
        days: 3,
        points: 0,
        maximum: 20,
        state: 'Ignored',
        state_by: 'ada@contoso.com',
      },
    ],
  },
  {
    // mfa of Contoso lost 20 and gained 20.
    question: 'losses',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        tenant: FABRIKAM,
        ...MFA,
        lost_percentage_points: -20,
        gained_percentage_points: 0,
        percentage_points: -20,
        last_date: '2026-02-04',
      },
      {
        tenant: CONTOSO,
        ...SAFE,
        lost_percentage_points: -10,
        gained_percentage_points: 0,
        percentage_points: -10,
        last_date: '2026-02-06',
      },
    ],
  },
  {
    question: 'losses',
    wanted: { to: '2026-02-06', limit: 1 },
    rows: [
      {
        tenant: FABRIKAM,
        ...MFA,
        lost_percentage_points: -20,
        gained_percentage_points: 0,
        percentage_points: -20,
        last_date: '2026-02-04',
      },
    ],
  },
  {
    question: 'gains',
    wanted: FEBRUARY,
    rows: [
      {
        tenant: CONTOSO,
        ...MFA,
        lost_percentage_points: -10,
        gained_percentage_points: 20,
        percentage_points: 10,
        last_date: '2026-02-05',
      },
    ],
  },
  {
    question: 'movers',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        tenant: FABRIKAM,
        first_date: '2026-02-01',
        last_date: '2026-02-06',
        percentage_before: 70,
        percentage_after: 50,
        percentage_points: -20,
        earned_percentage_points: -20,
        rescored_percentage_points: 0,
        decided_percentage_points: 0,
      },
      {
        tenant: CONTOSO,
        first_date: '2026-01-30',
        last_date: '2026-02-06',
        percentage_before: 50,
        percentage_after: 40,
        percentage_points: -10,
        earned_percentage_points: 0,
        rescored_percentage_points: -10,
        decided_percentage_points: 0,
      },
    ],
  },
  {
    question: 'rescored',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        date: '2026-02-06',
        kind: 'new',
        ...SAFE,
        maximum_before: null,
        maximum_after: 25,
        tenants: 1,
        percentage_points: -10,
        lowest_percentage_points: -10,
        highest_percentage_points: -10,
      },
    ],
  },
  {
    question: 'decisions',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        tenant: CONTOSO,
        ...LEGACY,
        state: 'Ignored',
        state_by: 'ada@contoso.com',
        state_at: '2026-02-03T12:00:00Z',
        points: 0,
        maximum: 20,
        date: '2026-02-06',
      },
    ],
  },
  { question: 'decisions', wanted: { to: '2026-02-02' }, rows: [] },
  { question: 'decisions', wanted: { to: '2026-02-06', control: 'mfa' }, rows: [] },
  {
    question: 'flapping',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        tenant: CONTOSO,
        ...MFA,
        losses: 2,
        gains: 2,
        first_date: '2026-01-31',
        last_date: '2026-02-05',
        percentage_points: 0,
      },
    ],
  },
  {
    // What still stands comes first; the suspect day neither recovers anything nor counts as the last.
    question: 'recovery',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        tenant: FABRIKAM,
        ...MFA,
        lost_on: '2026-02-04',
        recovered_on: null,
        days: 2,
        points_before: 50,
        points_after: 30,
      },
      {
        tenant: CONTOSO,
        ...MFA,
        lost_on: '2026-02-02',
        recovered_on: '2026-02-05',
        days: 3,
        points_before: 40,
        points_after: 30,
      },
      {
        tenant: CONTOSO,
        ...MFA,
        lost_on: '2026-01-31',
        recovered_on: '2026-02-01',
        days: 1,
        points_before: 40,
        points_after: 30,
      },
    ],
  },
  {
    // Not mfa (lost, gained), not legacy (decided); odd last, for nobody knows what it is worth.
    question: 'untouched',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        tenant: FABRIKAM,
        control: '2.dlp',
        title: 'Have a DLP policy',
        category: 'Data',
        points: 20,
        maximum: 50,
        first_date: '2026-02-05',
        days: 1,
        percentage_points: 30,
      },
      {
        tenant: CONTOSO,
        ...SAFE,
        points: 0,
        maximum: 25,
        first_date: '2026-02-06',
        days: 0,
        percentage_points: 20,
      },
      {
        tenant: CONTOSO,
        control: 'dlp',
        title: 'Have a DLP policy',
        category: 'Data',
        points: 10,
        maximum: 30,
        first_date: '2026-01-30',
        days: 7,
        percentage_points: 16,
      },
      {
        tenant: FABRIKAM,
        control: 'odd',
        title: 'Of unknown maximum',
        category: 'Apps',
        points: 0,
        maximum: null,
        first_date: '2026-02-01',
        days: 5,
        percentage_points: null,
      },
    ],
  },
  {
    question: 'fleet',
    wanted: { to: '2026-02-06' },
    rows: [
      {
        rank: 1,
        tenant: FABRIKAM,
        date: '2026-02-06',
        percentage: 50,
        percentage_points: -20,
        points: 50,
        maximum: 100,
        controls: 3,
      },
      {
        rank: 2,
        tenant: CONTOSO,
        date: '2026-02-06',
        percentage: 40,
        percentage_points: -10,
        points: 50,
        maximum: 125,
        controls: 4,
      },
    ],
  },
  {
    // Its rank is that among all.
    question: 'fleet',
    wanted: { to: '2026-02-06', tenant: CONTOSO },
    rows: [
      {
        rank: 2,
        tenant: CONTOSO,
        date: '2026-02-06',
        percentage: 40,
        percentage_points: -10,
        points: 50,
        maximum: 125,
        controls: 4,
      },
    ],
  },
  {
    question: 'peers',
    wanted: { from: '2026-02-06', to: '2026-02-06' },
    rows: [
      {
        tenant: CONTOSO,
        date: '2026-02-06',
        percentage: 40,
        peers_all: 45,
        ahead_all_percentage_points: -5,
        peers_similar: null,
        ahead_similar_percentage_points: null,
      },
      {
        tenant: FABRIKAM,
        date: '2026-02-06',
        percentage: 50,
        peers_all: 45,
        ahead_all_percentage_points: 5,
        peers_similar: 60,
        ahead_similar_percentage_points: -10,
      },
    ],
  },
  {
    // Lost by both: 20 points of Contoso's on two days. Of one tenant each, what moved the score the most comes first.
    question: 'spread',
    wanted: { to: '2026-02-06' },
    rows: [
      spread('lost', MFA, 2, 3, [-20, -20, -20], '2026-01-31', '2026-02-04'),
      spread('gained', MFA, 1, 2, [20, 20, 20], '2026-02-01', '2026-02-05'),
      spread('new', SAFE, 1, 1, [-10, -10, -10], '2026-02-06'),
      spread('decided', LEGACY, 1, 1, [0, 0, 0], '2026-02-04'),
      spread('renamed', RENAMED, 1, 1, [0, 0, 0], '2026-02-05'),
      spread(
        'services',
        { control: null, title: 'Enabled services', category: null },
        1,
        1,
        [0, 0, 0],
        '2026-02-03',
      ),
    ],
  },
  {
    // In February Contoso lost 10, Fabrikam 20.
    question: 'spread',
    wanted: { ...FEBRUARY, control: 'mfa' },
    rows: [
      spread('lost', MFA, 2, 2, [-15, -20, -10], '2026-02-02', '2026-02-04'),
      spread('gained', MFA, 1, 2, [20, 20, 20], '2026-02-01', '2026-02-05'),
    ],
  },
  {
    // 20 of Fabrikam's 100 points, 10 of Contoso's 125.
    question: 'exposed',
    wanted: { to: '2026-02-06', control: 'mfa' },
    rows: [
      exposed(FABRIKAM, MFA, { points: 30, maximum: 50, percentage_points: 20 }),
      exposed(CONTOSO, MFA, { points: 40, maximum: 50, percentage_points: 8 }),
    ],
  },
  {
    // Under the name that it has at Fabrikam by now, too.
    question: 'exposed',
    wanted: { to: '2026-02-06', control: 'dlp' },
    rows: [
      exposed(FABRIKAM, RENAMED, { points: 20, maximum: 50, percentage_points: 30 }),
      exposed(CONTOSO, { ...RENAMED, control: 'dlp' }, { points: 10, maximum: 30, percentage_points: 16 }),
    ],
  },
  {
    question: 'exposed',
    wanted: { to: '2026-02-06', control: 'legacy' },
    rows: [
      exposed(CONTOSO, LEGACY, {
        points: 0,
        maximum: 20,
        percentage_points: 16,
        state: 'Ignored',
        state_by: 'ada@contoso.com',
        state_at: '2026-02-03T12:00:00Z',
      }),
    ],
  },
  {
    // Below 100 per cent of nobody knows what.
    question: 'exposed',
    wanted: { to: '2026-02-06', control: 'odd' },
    rows: [
      exposed(
        FABRIKAM,
        { control: 'odd', title: 'Of unknown maximum', category: 'Apps' },
        { points: 0, maximum: null, percentage_points: null },
      ),
    ],
  },
  { question: 'exposed', wanted: { to: '2026-02-06', control: 'mfa', tenant: 'nobody' }, rows: [] },
  {
    // mfa: 28 for low effort. Half of safe (nobody says what it costs) and a third of 2.dlp are 10 each. Not legacy, which
    // is decided, and not odd, of which nobody knows what it is worth.
    question: 'plan',
    wanted: { to: '2026-02-06' },
    rows: [
      plan('low', MFA, 2, 30, 14, 28),
      plan('high', RENAMED, 1, 30, 30, 30),
      plan('unknown', SAFE, 1, 25, 20, 20),
      plan('high', { ...RENAMED, control: 'dlp' }, 1, 20, 16, 16),
    ],
  },
  {
    question: 'plan',
    wanted: { to: '2026-02-06', tenant: CONTOSO, limit: 1 },
    rows: [plan('unknown', SAFE, 1, 25, 20, 20)],
  },
  {
    question: 'silent',
    wanted: { to: '2026-02-10' },
    rows: [
      { tenant: CONTOSO, date: '2026-02-06', days: 4, last_run: null },
      { tenant: FABRIKAM, date: '2026-02-06', days: 4, last_run: null },
    ],
  },
  {
    // A suspect day is a snapshot as well; Fabrikam began on the 1st.
    question: 'silent',
    wanted: { to: '2026-02-03' },
    rows: [
      { tenant: CONTOSO, date: '2026-02-03', days: 0, last_run: null },
      { tenant: FABRIKAM, date: '2026-02-03', days: 0, last_run: null },
    ],
  },
  {
    // The oldest first.
    question: 'silent',
    wanted: { from: '2026-01-31', to: '2026-02-01' },
    rows: [
      { tenant: CONTOSO, date: '2026-02-01', days: 0, last_run: null },
      { tenant: FABRIKAM, date: '2026-02-01', days: 0, last_run: null },
    ],
  },
];

/** Sums of doubles depend on their order in the last bits; nothing else of an answer may differ. */
export function rounded(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? Math.round(value * 1e9) / 1e9 + 0 : value,
      ]),
    ),
  );
}
