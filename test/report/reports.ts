import type {
  ConfirmedDrop,
  DayReport,
  MailAccount,
  Report,
  ReportedChange,
  ScoreLine,
  TrendDay,
} from '../../lambda/report/model.ts';
import type { ChangeKind } from '../../lambda/score/change.ts';

/**
 * Reports to render: for each kind of mail a typical one, the smallest and a monstrous one. Control names, sizes and
 * the way texts are written follow what Graph sends.
 */

const TENANT = '3f1b2c4d-0000-4000-8000-00000000c0de';

export function scoreLine(date: string, points: number, maximum = 1376): ScoreLine {
  return { date, points, maximum, percentage: maximum > 0 ? (100 * points) / maximum : null };
}

export function trendDay(of: ScoreLine): TrendDay {
  return { ...of, moved: 0, rescored: 0 };
}

export function changeOf(kind: ChangeKind, fields: Partial<ReportedChange> = {}): ReportedChange {
  return {
    kind,
    control: 'aad_admin_mfa',
    title: 'Ensure multifactor authentication is enabled for all users in administrative roles',
    category: 'Identity',
    date: '2026-01-09',
    previousDate: '2026-01-08',
    points: { before: 8, after: 5 },
    maximum: { before: 9, after: 9 },
    percentagePoints: 0,
    cause: null,
    fate: 'told',
    downSince: null,
    decision: null,
    previousControl: null,
    status: null,
    lastSynced: null,
    service: 'AzureAD',
    tier: 'Core',
    implementationCost: null,
    userImpact: null,
    remediation: null,
    actionUrl: null,
    ...fields,
  };
}

export function dayOf(changes: ReportedChange[], before: ScoreLine, after: ScoreLine): DayReport {
  return {
    date: after.date,
    previousDate: before.date,
    before,
    after,
    changes: changes.map((change) => ({ ...change, date: after.date, previousDate: before.date })),
  };
}

export function reportOf(fields: Partial<Report> = {}): Report {
  const before = scoreLine('2026-01-08', 869.6);
  const after = scoreLine('2026-01-09', 858.6);
  const cursor = { snapshot: 'a'.repeat(64), profiles: 'b'.repeat(64) };
  return {
    version: 1,
    tenantId: TENANT,
    name: 'Contoso',
    toldAt: '2026-01-10T06:00:12.345Z',
    timeZone: 'Europe/Budapest',
    account: null,
    confirmed: [],
    trend: [],
    peers: { allTenants: null, similarSize: null },
    from: { date: before.date, ...cursor },
    to: { date: (fields.after ?? after).date, ...cursor },
    before,
    after,
    days: [],
    start: null,
    operations: [],
    notes: [],
    ...fields,
  };
}

const NO_PART = { percentagePoints: 0, controls: 0 };

export const NO_ACCOUNT: MailAccount = {
  gained: NO_PART,
  lost: NO_PART,
  rescored: NO_PART,
  decided: NO_PART,
  drift: NO_PART,
  silenced: NO_PART,
  muted: NO_PART,
  waiting: NO_PART,
  healed: { percentagePoints: 0, drops: [] },
  countedBefore: 0,
  unexplained: 0,
};

/**
 * The report with the shares of its rows, and its account: the rows by cause, then what `parts` say, and what is left
 * over as not explained (or as what `rest` says).
 */
function accounted(
  report: Report,
  parts: Partial<MailAccount> = {},
  rest: 'unexplained' | 'drift' = 'unexplained',
): Report {
  const account = { ...structuredClone(NO_ACCOUNT), ...parts };
  const add = (part: 'gained' | 'lost' | 'rescored' | 'decided', share: number) => {
    account[part] = {
      percentagePoints: account[part].percentagePoints + share,
      controls: account[part].controls + 1,
    };
  };
  const days = report.days.map((day) => ({
    ...day,
    changes: day.changes.map((change) => {
      if (change.percentagePoints !== 0 || change.control === null) return change;
      const [c0, c1, m0, m1] = [day.before.points, day.after.points, day.before.maximum, day.after.maximum];
      const known = change.maximum.before ?? change.maximum.after ?? 0;
      const points = (change.points.after ?? 0) - (change.points.before ?? 0);
      const rescored = ['new', 'removed', 're-scored'].includes(change.kind);
      const maximum =
        (change.maximum.after ?? (change.kind === 'removed' ? 0 : known)) -
        (change.maximum.before ?? (change.kind === 'new' ? 0 : known));
      const share =
        ['decided', 'renamed'].includes(change.kind) || m0 === 0 || m1 === 0
          ? 0
          : 100 * ((points * (1 / m0 + 1 / m1)) / 2 - (rescored ? (maximum * (c0 + c1)) / (2 * m0 * m1) : 0));
      const cause = rescored ? 'rescored' : change.decision ? 'decided' : 'earned';
      if (change.fate === 'told' && share !== 0) {
        add(cause === 'earned' ? (change.kind === 'lost' ? 'lost' : 'gained') : cause, share);
      }
      return { ...change, percentagePoints: share, cause: share === 0 ? null : cause } as const;
    }),
  }));
  for (const drop of report.confirmed) add('lost', drop.percentagePoints);
  const total = (report.after?.percentage ?? 0) - (report.before?.percentage ?? 0);
  const left =
    total -
    Object.values(account).reduce<number>(
      (sum, part) => sum + (typeof part === 'number' ? part : part.percentagePoints),
      0,
    );
  if (rest === 'unexplained') account.unexplained += left;
  else
    account.drift = {
      percentagePoints: account.drift.percentagePoints + left,
      controls: account.drift.controls || 3,
    };
  return { ...report, days, account };
}

/** 90 days that end at a score: earned slowly, a leap, a day of Microsoft's, a drop, and a week of silence. */
export function trendTo(last: ScoreLine): TrendDay[] {
  const start = Date.parse(last.date) - 89 * 86_400_000;
  const levels = Array.from({ length: 90 }, (_, index) => {
    const leap = (at: number, by: number) => (index >= at ? by : 0);
    return 52 + index * 0.07 + 0.35 * Math.sin(index / 2.3) + leap(36, 3.1) + leap(66, -4.2) + leap(75, 2.4);
  });
  const shift = (last.percentage ?? 0) - levels.at(-1)!;
  return levels
    .map((level, index): TrendDay => {
      const date = new Date(start + index * 86_400_000).toISOString().slice(0, 10);
      const percentage = Math.min(100, Math.max(0, level + shift * (index / 89)));
      const step = index === 0 ? 0 : level - levels[index - 1]!;
      const byMicrosoft = index === 66;
      return {
        date,
        points: Math.round(percentage * last.maximum) / 100,
        maximum: last.maximum,
        percentage,
        moved: byMicrosoft ? 0 : step,
        rescored: byMicrosoft ? step : 0,
      };
    })
    .filter((_, index) => index < 20 || index > 24);
}

const MFA = changeOf('lost', {
  status: {
    before: 'You have 3 of 40 users with administrative roles that aren’t registered and protected with MFA.',
    after: 'You have 17 of 40 users with administrative roles that aren’t registered and protected with MFA.',
  },
  lastSynced: '2025-12-28T04:34:13Z',
  remediation:
    '1. In the Microsoft Entra admin center, select Protection > Conditional Access.\n2. Select New policy, and name it.\n3. Under Users, include the directory roles of administrators.\n4. Under Grant, require multifactor authentication, and set Enable policy to On.',
  actionUrl:
    'https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies',
});

const FORWARDING = changeOf('lost', {
  control: 'mdo_autoforwardingmode',
  title: 'Set the email auto-forwarding rules to “Automatic – System-controlled”',
  category: 'Apps',
  points: { before: 1, after: 0.43 },
  maximum: { before: 1, after: 1 },
  lastSynced: '2026-01-09T17:12:14Z',
  remediation:
    'In the Defender portal, open Anti-spam policies, and set automatic forwarding for each outbound policy.',
  remediationLinks: [{ start: 7, end: 22, url: 'https://security.microsoft.com/' }],
  actionUrl: ' https://security.microsoft.com/antispam?tid=3f1b2c4d-0000-4000-8000-00000000c0de',
});

const LINKEDIN = changeOf('gained', {
  control: 'aad_linkedin_connection_disables',
  title: "Ensure 'LinkedIn account connections' is disabled",
  points: { before: 0, after: 3 },
  maximum: { before: 3, after: 3 },
  lastSynced: '2026-01-07T02:00:00Z',
});

const PEERS = { allTenants: 47.31, similarSize: 51.04 };

/** New ones, reported in the other mail of the run. */
const ARRIVED = Array.from({ length: 5 }, (_, index) =>
  changeOf('new', {
    control: `mdo_arrived_${index}`,
    title: `Ensure that protection ${index} is on`,
    category: 'Apps',
    service: 'MDO',
    points: { before: null, after: 0 },
    maximum: { before: null, after: [1, 1, 1, 1, 1][index]! },
  }),
);

/** One day: two drops and a gain, five new ones, and a little drift. */
export const typicalScores = accounted(
  reportOf({
    days: [
      dayOf(
        [
          changeOf('lost', {
            ...MFA,
            points: { before: 9, after: 0 },
            status: {
              before:
                'You have 0 of 40 users with administrative roles that aren’t registered and protected with MFA.',
              after:
                'You have 40 of 40 users with administrative roles that aren’t registered and protected with MFA.',
            },
          }),
          changeOf('lost', {
            ...FORWARDING,
            control: 'mip_auditlog',
            title: 'Ensure Microsoft 365 audit log search is enabled',
            category: 'Data',
            service: 'MIP',
            points: { before: 5, after: 0 },
            maximum: { before: 5, after: 5 },
            lastSynced: '2026-01-09T17:12:14Z',
            remediation: 'Turn on auditing in the Purview portal: Solutions > Audit > Start recording.',
            remediationLinks: [{ start: 24, end: 38, url: 'https://purview.microsoft.com/' }],
            actionUrl: 'https://purview.microsoft.com/audit',
          }),
          LINKEDIN,
          ...ARRIVED,
        ],
        scoreLine('2026-01-08', 869.6),
        scoreLine('2026-01-09', 858.9, 1381),
      ),
    ],
    before: scoreLine('2026-01-08', 869.6),
    after: scoreLine('2026-01-09', 858.9, 1381),
    trend: trendTo(scoreLine('2026-01-09', 858.9, 1381)),
    peers: PEERS,
  }),
  {},
  'drift',
);

/** The same, which took the score below a line, and so fast that it crossed another one. */
export const urgentScores: Report = {
  ...typicalScores,
  urgent: [
    { rule: 'below', limit: 62.5 },
    { rule: 'drop', limit: 1, lost: 1.0027, since: '2026-01-08' },
  ],
};

function dropOf(fields: Partial<ConfirmedDrop> = {}): ConfirmedDrop {
  return {
    control: 'scid_2010',
    title: 'Turn on Microsoft Defender Antivirus real-time protection',
    category: 'Device',
    date: '2026-01-07',
    previousDate: '2026-01-06',
    points: { before: 9, after: 7.4 },
    maximum: { before: 9, after: 9 },
    percentagePoints: -0.1163,
    snapshots: 2,
    counted: -0.1163,
    remediation: 'Turn on real-time protection with Intune, on the devices that lack it.',
    actionUrl: 'https://security.microsoft.com/securescore?viewid=actions',
    ...fields,
  };
}

/** Everything that settling has: confirmed, back, waiting, healed, silenced, decided, counted before. */
const settledScores = accounted(
  reportOf({
    before: scoreLine('2026-01-06', 869.6),
    after: scoreLine('2026-01-09', 858.6),
    days: [
      dayOf(
        [
          changeOf('gained', {
            ...MFA,
            points: { before: 5, after: 9 },
            status: null,
            downSince: '2026-01-02',
            kind: 'gained',
          }),
          changeOf('gained', {
            control: 'mdo_phishing',
            title: 'Turn on anti-phishing policies',
            category: 'Apps',
            service: 'MDO',
            points: { before: 0, after: 7 },
            maximum: { before: 7, after: 7 },
            decision: {
              state: 'ThirdParty',
              previousState: null,
              by: 'alex@contoso.com',
              at: '2026-01-05T23:30:00Z',
              comment: 'Proofpoint does it.',
            },
          }),
          changeOf('lost', { ...FORWARDING, fate: 'waiting' }),
        ],
        scoreLine('2026-01-08', 869.6),
        scoreLine('2026-01-09', 858.6),
      ),
    ],
    confirmed: [dropOf()],
    trend: trendTo(scoreLine('2026-01-09', 858.6)),
    peers: PEERS,
  }),
  {
    drift: { percentagePoints: 0.04, controls: 3 },
    silenced: { percentagePoints: -0.11, controls: 2 },
    waiting: { percentagePoints: -0.5, controls: 2 },
    healed: {
      percentagePoints: 0.0004,
      drops: [{ ...dropOf({ control: 'a', title: 'Enable safe attachments' }), back: '2026-01-08' }],
    },
    countedBefore: 0.1163,
  },
);

/** A change of the enabled services took recommendations away, and brought others. */
const servicesScores = accounted(
  reportOf({
    days: [
      dayOf(
        [
          changeOf('services', { control: null, title: 'Enabled services changed: + Microsoft Teams' }),
          FORWARDING,
          ...ARRIVED,
          changeOf('removed', {
            control: 'aad_sspr',
            title: 'Enable self-service password reset',
            points: { before: 1, after: null },
            maximum: { before: 1, after: null },
          }),
        ],
        scoreLine('2026-01-08', 869.6),
        scoreLine('2026-01-09', 868.03, 1380),
      ),
    ],
    before: scoreLine('2026-01-08', 869.6),
    after: scoreLine('2026-01-09', 868.03, 1380),
    trend: trendTo(scoreLine('2026-01-09', 868.03, 1380)).slice(-20),
  }),
);

/** One bare drop: no texts, no maximum. */
const tinyScores = accounted(
  reportOf({
    days: [
      dayOf(
        [
          changeOf('lost', {
            category: null,
            points: { before: 8.57, after: 8.5 },
            maximum: { before: null, after: null },
          }),
        ],
        scoreLine('2026-01-08', 869.6),
        scoreLine('2026-01-09', 869.53),
      ),
    ],
    after: scoreLine('2026-01-09', 869.53),
  }),
);

/** After 40 days of absence, three of them with changes, one a change of services; one drop came back meanwhile. */
const absenceScores = accounted(
  reportOf({
    before: scoreLine('2025-11-30', 869.6),
    after: scoreLine('2026-01-09', 869.03),
    days: Array.from({ length: 40 }, (_, index) => {
      const date = (offset: number): string =>
        new Date(Date.UTC(2025, 10, 30 + index + offset)).toISOString().slice(0, 10);
      const points = (after: number): number => (after <= 10 ? 869.6 : after <= 25 ? 866.6 : 869.03);
      const changes =
        index === 10
          ? [MFA]
          : index === 25
            ? [
                FORWARDING,
                changeOf('gained', {
                  ...MFA,
                  kind: 'gained',
                  points: { before: 5, after: 8 },
                  status: null,
                  downSince: '2025-12-11',
                }),
              ]
            : index === 30
              ? [
                  changeOf('services', {
                    control: null,
                    title: 'Enabled services changed: + Microsoft Teams, − Yammer Enterprise',
                  }),
                ]
              : [];
      return dayOf(changes, scoreLine(date(0), points(index)), scoreLine(date(1), points(index + 1)));
    }),
    trend: trendTo(scoreLine('2026-01-09', 869.03)),
    notes: ['The entry of 12 Dec 2025 was left out: its maxScore is missing.'],
  }),
);

/** 300 controls fall and rise on one day, each with all the texts there can be. */
const monstrousScores = accounted(
  reportOf({
    name: 'The Consolidated Amalgamated Holdings of Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch & Sons <International>',
    days: [
      dayOf(
        Array.from({ length: 300 }, (_, index) =>
          changeOf(index % 3 ? 'lost' : 'gained', {
            control: `MDA_Google_Control_${String(index).padStart(3, '0')}`,
            title:
              index % 7
                ? `Ensure that setting number ${index} of a long list of settings is configured as recommended`
                : 'Enable two-factor authentication',
            category: ['Identity', 'Apps', 'Data', 'Device'][index % 4] ?? null,
            points:
              index % 3
                ? { before: 1 + (index % 9), after: (index % 9) / 2 }
                : { before: 0, after: 1 + (index % 9) },
            maximum: { before: 10, after: 10 },
            status: {
              before: `You have ${index} of 400 users. `.repeat(20),
              after: `You have ${index + 1} of 400 users. `.repeat(20),
            },
            lastSynced: '2025-12-28T04:34:13Z',
            remediation: `Do this & that <carefully>, as “documented”.\n`.repeat(40),
            actionUrl: `https://security.microsoft.com/securescore?control=${index}&tid=${TENANT}&view=${'x'.repeat(200)}`,
          }),
        ),
        scoreLine('2026-01-08', 869.6),
        scoreLine('2026-01-09', 458.6),
      ),
    ],
    after: scoreLine('2026-01-09', 458.6),
    notes: Array.from(
      { length: 120 },
      (_, index) => `Note ${index}: the sum of the controls differs from the total by 0.${index} points.`,
    ),
    trend: trendTo(scoreLine('2026-01-09', 458.6)),
    peers: PEERS,
  }),
);

const NEW = changeOf('new', {
  control: 'mdo_safelinksforemail',
  title: 'Create Safe Links policies for email messages',
  category: 'Apps',
  points: { before: null, after: 0 },
  maximum: { before: null, after: 9 },
  service: 'MDO',
  tier: 'Core',
  implementationCost: 'low',
  userImpact: 'Unknown',
  remediation:
    'Create a policy that:\n• applies to all domains\n• rewrites links in e-mail\n• scans them when they are clicked',
  actionUrl: 'https://security.microsoft.com/safelinksv2',
});

/** New, removed, re-scored and renamed ones, a decision, and the change of services that brought some of them. */
const typicalControls = accounted(
  reportOf({
    days: [
      dayOf(
        [
          NEW,
          changeOf('new', {
            control: 'dlp_datalossprevention',
            title: 'Ensure DLP policies are enabled',
            category: 'Data',
            points: { before: null, after: 2.5 },
            maximum: { before: null, after: 5 },
            service: 'MIP',
            tier: 'Defense In Depth',
            implementationCost: 'Moderate',
            userImpact: 'moderate',
          }),
          changeOf('removed', {
            control: 'aad_sspr',
            title: 'Enable self-service password reset',
            points: { before: 1, after: null },
            maximum: { before: 1, after: null },
          }),
          changeOf('renamed', {
            control: '11770.MDA_Google_EnableTwoFactorAuth',
            previousControl: 'MDA_Google_EnableTwoFactorAuth',
            title: 'Enable two-factor authentication',
            category: 'Apps',
            service: 'MDA_Google',
            points: { before: 3, after: 3 },
            maximum: { before: 3, after: 3 },
          }),
          changeOf('re-scored', {
            control: 'aad_legacy_auth',
            title: 'Block legacy authentication',
            points: { before: 8, after: 9 },
            maximum: { before: 8, after: 9 },
          }),
          changeOf('decided', {
            control: 'aad_pim',
            title: 'Use least privileged administrative roles',
            points: { before: 0, after: 0 },
            maximum: { before: 1, after: 1 },
            decision: {
              state: 'Ignored',
              previousState: 'Default',
              by: 'maria@contoso.com',
              at: '2026-01-08T22:45:00Z',
              comment: 'Two break-glass accounts, reviewed every quarter.',
            },
          }),
          changeOf('decided', {
            control: 'mdo_zap',
            title: 'Turn on zero-hour auto purge',
            category: 'Apps',
            points: { before: 3, after: 3 },
            maximum: { before: 3, after: 3 },
            decision: {
              state: 'Default',
              previousState: 'ThirdParty',
              by: 'alex@contoso.com',
              at: '2026-01-09T09:12:00Z',
              comment: null,
            },
          }),
          changeOf('services', {
            control: null,
            title: 'Enabled services changed: + Microsoft Defender for Office 365',
          }),
        ],
        scoreLine('2026-01-08', 869.6, 1363),
        scoreLine('2026-01-09', 872.1, 1377),
      ),
    ],
    before: scoreLine('2026-01-08', 869.6, 1363),
    after: scoreLine('2026-01-09', 872.1, 1377),
    trend: trendTo(scoreLine('2026-01-09', 872.1, 1377)),
    peers: PEERS,
  }),
);

/** One new control of which the catalogue knows nothing. */
const tinyControls = reportOf({
  days: [
    dayOf(
      [
        changeOf('new', {
          control: 'AATP_NewSensor',
          title: '',
          category: null,
          service: null,
          tier: null,
          points: { before: null, after: 0 },
          maximum: { before: null, after: null },
        }),
      ],
      scoreLine('2026-01-08', 869.6),
      scoreLine('2026-01-09', 869.6),
    ),
  ],
  before: scoreLine('2026-01-08', 869.6),
  after: scoreLine('2026-01-09', 869.6),
});

/** Hundreds of new ones on each of 90 days. */
const monstrousControls = accounted(
  reportOf({
    before: scoreLine('2025-10-11', 869.6),
    after: scoreLine('2026-01-09', 858.6),
    days: Array.from({ length: 90 }, (_, index) => {
      const date = (offset: number): string =>
        new Date(Date.UTC(2025, 9, 11 + index + offset)).toISOString().slice(0, 10);
      return dayOf(
        (['new', 'removed', 'renamed', 'services'] as const).flatMap((kind) =>
          Array.from({ length: 5 }, (__, each) => ({
            ...NEW,
            kind,
            control: `MDA_${kind}_${index}_${each}`,
            title: `Ensure that ${kind} thing ${each} of day ${index} is as it should be`,
            remediation: NEW.remediation?.repeat(5) ?? null,
          })),
        ),
        scoreLine(date(0), 869.6 - (11 * index) / 90),
        scoreLine(date(1), 869.6 - (11 * (index + 1)) / 90),
      );
    }),
  }),
);

const GAPS: [title: string, category: string, points: number, maximum: number, cost: string | null][] = [
  ['Block legacy authentication', 'Identity', 0, 10, 'Moderate'],
  ['Turn on Microsoft Defender Antivirus real-time protection', 'Device', 0.5, 10, 'low'],
  ['Create Safe Links policies for email messages', 'Apps', 0, 9, 'Unknown'],
  ['Ensure multifactor authentication is enabled for all users', 'Identity', 0.3, 9, null],
  ['Enable two-factor authentication', 'Apps', 0, 8, 'low'],
  ['Enable two-factor authentication', 'Apps', 0, 8, 'low'],
  ['Block all Office applications from creating child processes', 'Device', 1.25, 9, 'low'],
  ['Turn on Safe Attachments in block mode', 'Apps', 0, 7, 'Unknown'],
  ['Ensure DLP policies are enabled', 'Data', 0, 5, 'high'],
  ['Do not allow users to grant consent to unreliable applications', 'Identity', 0, 4, 'low'],
];

const typicalStart = reportOf({
  from: null,
  before: null,
  peers: PEERS,
  trend: trendTo(scoreLine('2026-01-09', 858.6)),
  start: {
    categories: [
      { category: 'Identity', controls: 42, points: 121.5, maximum: 301 },
      { category: 'Apps', controls: 103, points: 402.1, maximum: 566 },
      { category: 'Device', controls: 61, points: 280, maximum: 421 },
      { category: 'Data', controls: 24, points: 55, maximum: 69, unknown: 2 },
    ],
    gaps: GAPS.map(([title, category, points, maximum, implementationCost], index) => ({
      control: `control_${index}`,
      title,
      category,
      points,
      maximum,
      implementationCost,
      userImpact: index % 2 ? 'Low' : null,
      actionUrl: index % 3 ? 'https://entra.microsoft.com/' : null,
    })),
  },
});

/** The only day there is, of a tenant that cannot earn anything. */
const tinyStart = reportOf({
  from: null,
  before: null,
  after: scoreLine('2026-01-09', 0, 0),
  trend: [trendDay(scoreLine('2026-01-09', 0, 0))],
  start: { categories: [], gaps: [] },
});

const monstrousStart = reportOf({
  ...typicalStart,
  name: 'W'.repeat(200),
  start: {
    categories: Array.from({ length: 20 }, (_, index) => ({
      category: `CategoryOfAnExtraordinaryLengthWithoutAnyBlank${index}`,
      controls: 411,
      points: 1234.56,
      maximum: 1376.25,
    })),
    gaps: Array.from({ length: 10 }, (_, index) => ({
      control: `control_${index}`,
      title: 'Unbreakable'.repeat(30),
      category: 'CategoryOfAnExtraordinaryLengthWithoutAnyBlank',
      points: 0,
      maximum: 100,
      implementationCost: 'an essay about how dear it would be '.repeat(20),
      userImpact: null,
      actionUrl: `https://security.microsoft.com/${'x'.repeat(1500)}`,
    })),
  },
});

const typicalOperations = reportOf({
  operations: [
    {
      kind: 'failing',
      code: 'certificate-expired',
      message: 'The certificate "4A:6F…" expired on 8 Jan 2026.',
      advice:
        'Create a new certificate, upload its public part to the app registration, and put both into the secret.',
      since: '2026-01-09T06:00:00.000Z',
    },
  ],
});

const tinyOperations = reportOf({
  before: null,
  after: null,
  from: null,
  to: null,
  operations: [{ kind: 'stale', since: '2026-01-09', days: 3 }],
});

const monstrousOperations = reportOf({
  operations: [
    { kind: 'stale', since: '2026-01-01', days: 9 },
    { kind: 'suspect', date: '2026-01-01', gone: 312, told: 412 },
    {
      kind: 'failing',
      code: 'graph-refused',
      message: 'Graph answered <html>\r\n'.repeat(500),
      advice: 'x'.repeat(9000),
      since: '2026-01-02',
    },
  ],
  notes: ['A'.repeat(5000)],
});

/** All of them, by kind of mail and size. */
export const reports = {
  scores: {
    typical: typicalScores,
    urgent: urgentScores,
    tiny: tinyScores,
    settled: settledScores,
    services: servicesScores,
    absence: absenceScores,
    monstrous: monstrousScores,
  },
  controls: { typical: typicalControls, tiny: tinyControls, monstrous: monstrousControls },
  start: { typical: typicalStart, tiny: tinyStart, monstrous: monstrousStart },
  operations: { typical: typicalOperations, tiny: tinyOperations, monstrous: monstrousOperations },
} as const;
