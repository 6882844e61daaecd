import { compose, type Part } from '../../lambda/digest/compose.ts';
import { fleetOutlook, type TenantOutlook } from '../../lambda/digest/outlook.ts';
import { addDays } from '../../lambda/dates.ts';
import { accountOf } from '../../lambda/digest/account.ts';
import { catalogue } from '../../simulator/catalogue.ts';
import { randomOf } from '../../simulator/random.ts';
import type { DigestChange, DigestReport, Every } from '../../lambda/report/digest-model.ts';
import type { ScoreLine, TrendDay } from '../../lambda/report/model.ts';

/** Digests as they may come, for the pictures and for the limits of all faces. */

const PLACES =
  'Northwind Traders|Fabrikam|Tailspin Toys|Adventure Works|Wingtip Toys|Litware|Proseware|Fourth Coffee|Graphic Design Institute|Lucerne Publishing|Margie’s Travel|Southridge Video|Trey Research|Woodgrove Bank|Alpine Ski House|City Power & Light|Consolidated Messenger|Humongous Insurance|Blue Yonder Airlines|Relecloud|School of Fine Art|VanArsdel|Wide World Importers|Coho Winery|Best For You Organics'.split(
    '|',
  );
const ENTRIES = catalogue(460);

export interface DigestOptions {
  tenants: number;
  every: Every;
  /** Days that it covers. */
  days: number;
  losing: number;
  gaining: number;
  failing: number;
  /** How many of the tenants Microsoft gave each of these recommendations. */
  added: number[];
  deciding?: number;
  adding?: number;
  removed?: number;
  /** Over how many recommendations the losses spread; 40 where absent. */
  spread?: number;
  /** Rows of each tenant that loses. */
  rows?: number;
}

const TO = '2026-11-28';

function nameOf(number: number): string {
  const place = PLACES[number % PLACES.length]!;
  const round = Math.floor(number / PLACES.length);
  return round === 0
    ? place
    : `${place} ${['North', 'South', 'East', 'West', 'Group'][(round - 1) % 5]} ${round > 5 ? round : ''}`.trim();
}

/** The same options give the same digest. */
export function digestOf(options: DigestOptions): DigestReport {
  const { tenants, every, days, losing, gaining, failing, added } = options;
  const random = randomOf(`digest of ${tenants} tenants`);
  const from = addDays(TO, -days);
  const parts = Array.from({ length: tenants }, (_, number): Part => {
    const tenantId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const name = nameOf(number);
    const isFailing = number >= tenants - failing;
    const isNew = !isFailing && number >= tenants - failing - (options.adding ?? 0);
    const day = () => addDays(TO, -random.integer(0, days - 1));
    const rows: DigestChange[] = [];
    const rowsOfLosses = number < losing ? (options.rows ?? 1 + (number % 3)) : 0;
    if (!isFailing && !isNew) {
      for (let row = 0; row < rowsOfLosses; row += 1)
        rows.push(
          rowOf(
            'lost',
            (number * 7 + row * 11) % (options.spread ?? 40),
            day(),
            -(0.2 + random.next() * 1.6),
          ),
        );
      if (number >= losing && number < losing + gaining)
        rows.push(rowOf('gained', (number * 5) % 40, day(), 0.2 + random.next()));
      for (const [index, hit] of added.entries())
        if (number % tenants < hit) rows.push(rowOf('new', 440 + index, day(), -(0.1 + random.next() * 0.2)));
      if (number >= 60 && number < 60 + (options.deciding ?? 0)) rows.push(rowOf('decided', 30, day(), 0.4));
    }
    const trend = trendOf(48 + random.next() * 30, rows, isFailing ? addDays(TO, -days) : TO, random);
    const [before, after] = [trend.findLast(({ date }) => date <= from) ?? trend[0]!, trend.at(-1)!].map(
      ({ date, points, maximum, percentage }) => ({ date, points, maximum, percentage }),
    ) as [ScoreLine, ScoreLine];
    return {
      account: {
        tenantId,
        name,
        before: isNew ? null : before,
        after,
        days: isFailing ? 0 : days,
        isNew,
        account: isNew
          ? null
          : accountOf(
              before,
              after,
              trend.filter(({ date }) => date > before.date),
              { changes: rows, decidedOn: new Map() },
            ),
        changes: rows,
      },
      trend,
      isOlder: false,
      attention: isFailing
        ? [
            {
              kind: number % 2 ? 'overdue' : 'failing',
              tenantId,
              name,
              since: `${addDays(TO, -1)}T05:03:00Z`,
              message: 'The app is not allowed to read security events: AADSTS65001, no consent was given.',
              advice: `Have an administrator of ${name} open the consent address that “secure-score tenant check” prints.`,
              urgent: [],
            },
          ]
        : number === 0 && losing > 0
          ? [
              {
                kind: 'urgent',
                tenantId,
                name,
                since: null,
                message: null,
                advice: null,
                urgent: [{ rule: 'drop', limit: 1, lost: 1.8, since: from }],
              },
            ]
          : [],
    };
  });
  const reported = {
    tenants: Object.fromEntries(
      Array.from({ length: options.removed ?? 0 }, (_, index) => [
        `ffffffff-0000-4000-8000-${String(index).padStart(12, '0')}`,
        {
          name: `Former customer ${index + 1}`,
          score: { date: from, points: 1, maximum: 2, percentage: 50 },
        },
      ]),
    ),
    attention: [],
  };
  return compose(parts, reported, {
    name: { day: 'daily', week: 'weekly', month: 'monthly' }[every],
    every,
    timeZone: 'Europe/Budapest',
    toldAt: `${TO}T07:30:00.000Z`,
    outlook: every === 'month' ? fleetOutlook(parts.map(outlookOf), 2) : null,
  });
}

function rowOf(
  kind: DigestChange['kind'],
  index: number,
  date: string,
  percentagePoints: number,
): DigestChange {
  const entry = ENTRIES[index]!;
  const moved = Math.round(Math.abs(percentagePoints) * 3 * 100) / 100;
  return {
    kind,
    control: entry.id,
    title: entry.title,
    category: entry.category,
    since: date,
    date,
    points:
      kind === 'new'
        ? { before: null, after: 0 }
        : kind === 'lost'
          ? { before: entry.maximum, after: Math.max(0, entry.maximum - moved) }
          : { before: Math.max(0, entry.maximum - moved), after: entry.maximum },
    maximum: { before: kind === 'new' ? null : entry.maximum, after: entry.maximum },
    percentagePoints,
    cause: kind === 'new' ? 'rescored' : kind === 'decided' ? 'decided' : 'earned',
    decision:
      kind === 'decided'
        ? {
            state: 'ThirdParty',
            previousState: 'Default',
            by: 'ada@msp.example',
            at: `${date}T09:00:00Z`,
            comment: 'Proofpoint does it',
          }
        : null,
    remediation:
      kind === 'lost'
        ? 'Sign in to the Microsoft Entra admin center as an administrator, open Protection, then Conditional Access, and switch the policy on again for all users.'
        : null,
    ...(kind === 'lost' && {
      remediationLinks: [{ start: 15, end: 47, url: 'https://entra.microsoft.com/' }],
    }),
    actionUrl: kind === 'lost' ? 'https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess' : null,
  };
}

/** Ninety days that end on a day, with what the rows moved. */
function trendOf(
  level: number,
  rows: DigestChange[],
  to: string,
  random: ReturnType<typeof randomOf>,
): TrendDay[] {
  let percentage = level;
  return Array.from({ length: 90 }, (_, index): TrendDay => {
    const date = addDays(to, index - 89);
    const on = (cause: DigestChange['cause']) =>
      rows.reduce(
        (sum, row) => sum + (row.date === date && row.cause === cause ? row.percentagePoints : 0),
        0,
      );
    const drift = random.next() < 0.05 ? (random.next() - 0.45) * 1.2 : 0;
    const [moved, rescored, decided] = [on('earned') + on('decided') + drift, on('rescored'), on('decided')];
    percentage += index === 0 ? 0 : moved + rescored;
    return { date, points: percentage * 2, maximum: 200, percentage, moved, rescored, decided };
  });
}

function outlookOf({ account: { tenantId } }: Part): TenantOutlook {
  const random = randomOf(`outlook of ${tenantId}`);
  const open = ENTRIES.slice(0, 60).filter(() => random.next() < 0.3);
  return {
    gaps: open.map((entry) => ({
      control: entry.id,
      title: entry.title,
      category: entry.category,
      implementationCost: entry.cost,
      userImpact: entry.impact,
      percentagePoints: entry.maximum / 4,
      actionUrl: null,
    })),
    decisions: [3, 14, 25].flatMap((index) =>
      random.next() < 0.2
        ? [
            {
              control: ENTRIES[index]!.id,
              title: ENTRIES[index]!.title,
              state: index === 3 ? 'Ignored' : 'ThirdParty',
            },
          ]
        : [],
    ),
  };
}

export const digests = {
  daily: digestOf({
    tenants: 300,
    every: 'day',
    days: 1,
    losing: 5,
    gaining: 4,
    failing: 3,
    added: [280, 3],
    deciding: 2,
    adding: 2,
    removed: 1,
  }),
  monthly: digestOf({
    tenants: 300,
    every: 'month',
    days: 30,
    losing: 14,
    gaining: 40,
    failing: 2,
    added: [280, 120, 12],
    deciding: 9,
    adding: 4,
    removed: 2,
  }),
  weekly: digestOf({ tenants: 40, every: 'week', days: 7, losing: 2, gaining: 3, failing: 0, added: [38] }),
  quiet: digestOf({ tenants: 12, every: 'week', days: 7, losing: 0, gaining: 0, failing: 0, added: [] }),
  monstrous: digestOf({
    tenants: 1000,
    every: 'month',
    days: 30,
    losing: 600,
    gaining: 300,
    failing: 90,
    added: Array.from({ length: 18 }, (_, index) => 1000 - 50 * index),
    deciding: 200,
    adding: 9,
    removed: 9,
    rows: 12,
    spread: 401,
  }),
} satisfies Record<string, DigestReport>;
