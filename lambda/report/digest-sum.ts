import { capitalised, count, NOISE, score, signedUnits, units } from './format.ts';
import type { Account, DigestReport, Many } from './digest-model.ts';
import { line } from './plain-text.ts';
import { roundTogether } from './rounding.ts';

/** What a digest says in a line: its subject, and the account of its fleet. Its document is drawn from these, in digest.ts. */

const LONGEST_SUBJECT = 150;

export const COVERS = { day: 'Daily digest', week: 'Weekly digest', month: 'Monthly report' } as const;

/** Of a digest in one line: the fleet's score, what happened, what needs attention. */
export function digestSubject(digest: DigestReport): string {
  const { fleet } = digest;
  const now = fleet.after === null ? '' : ` ${percent(fleet.after)} on average (${changeOf(digest)})`;
  const what = essence(digest);
  const whose = `${COVERS[digest.every]} of ${count(fleet.tenants, 'tenant')}`;
  return line(
    `${whose}${now || what ? ':' : ''}${now}${what ? `${now ? ':' : ''} ${what}` : ''}`,
    LONGEST_SUBJECT,
  );
}

export function percent(percentage: number): string {
  return score({ date: '', points: 0, maximum: 0, percentage });
}

/** What happened, in a line: "5 tenants lost points, 2 gained, 1 recommendation changed for many, 3 need attention". */
export function essence(digest: DigestReport): string {
  const { attention, many, tenants } = digest;
  const common = commonOnes(digest);
  const numberWith = (kind: 'lost' | 'gained') =>
    tenants.filter(({ changes }) => changes.some((row) => row.kind === kind && !common.has(sameAs(row))))
      .length;
  const [lost, gained] = [numberWith('lost'), numberWith('gained')];
  const shared = new Set(
    many.flatMap(({ tenantIds, control, title }) => (tenantIds.length > 1 ? (control ?? title) : [])),
  ).size;
  const needy = new Set(attention.map(({ tenantId }) => tenantId)).size;
  const parts = [
    ...(lost > 0 ? [`${count(lost, 'tenant')} lost points`] : []),
    ...(gained > 0 ? [lost > 0 ? `${gained} gained` : `${count(gained, 'tenant')} gained points`] : []),
    ...(shared > 0 ? [`${count(shared, 'recommendation')} changed for many`] : []),
    ...(needy > 0 ? [`${needy} ${needy === 1 ? 'needs' : 'need'} attention`] : []),
  ];
  return (parts.length > 0 ? parts : membershipOf(digest)).join(', ');
}

/** "4 added", "2 removed". */
export function membershipOf({ tenants, removed }: DigestReport): string[] {
  const added = tenants.filter(({ isNew, after }) => isNew && after !== null).length;
  return [
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed.length > 0 ? [`${removed.length} removed`] : []),
  ];
}

export function commonOnes({ many }: DigestReport): Set<string> {
  return new Set(many.map(sameAs));
}

export function sameAs({ kind, control, title }: Pick<Many, 'kind' | 'control' | 'title'>): string {
  return JSON.stringify([kind, control ?? title]);
}

/** "−0.19", with the decimals that the parts are printed with. */
function changeOf(digest: DigestReport): string {
  return sumOf(digest)?.change ?? '±0.0';
}

const PARTS = ['lost', 'gained', 'rescored', 'decided', 'other', 'unexplained'] as const;
const MAIN = new Set<(typeof PARTS)[number]>(['lost', 'gained', 'rescored']);
const LABEL = {
  decided: 'By decisions',
  other: 'Drift, and changes that are pending, muted, small or already counted',
  unexplained: 'Not explained by any recommendation',
};

/** The parts of an account, rounded so that they add up as printed. */
function printed(account: Account): {
  total: number;
  decimals: number;
  parts: Map<(typeof PARTS)[number], number>;
} {
  const shown = PARTS.filter((part) => Math.abs(account[part]) >= NOISE);
  for (let decimals = 2; ; decimals += 1) {
    const rounded = roundTogether(
      shown.map((part) => account[part]),
      account.change,
      decimals,
    );
    // A third decimal where two would hide what the digest is about; more only where they hide all of it.
    const hidesMain = shown.some((part, index) => MAIN.has(part) && rounded.parts[index] === 0);
    const hidesAll = rounded.total === 0 && Math.abs(account.change) >= NOISE;
    if ((hidesMain && decimals < 3) || (hidesAll && decimals < 5)) continue;
    return {
      total: rounded.total,
      decimals,
      parts: new Map(shown.map((part, index) => [part, rounded.parts[index]!])),
    };
  }
}

/** The sentence of the fleet, and what else belongs to the sum. Null where nothing is compared. */
export function sumOf({ fleet }: DigestReport): {
  change: string;
  sentence: string;
  lines: { label: string; amount: string; note: string }[];
} | null {
  if (fleet.account === null) return null;
  const { total, decimals, parts } = printed(fleet.account);
  const amount = (of: number) => units(Math.abs(of), decimals);
  const head =
    total === 0 ? 'Unchanged' : `${total < 0 ? 'Down' : 'Up'} ${amount(total)} percentage points on average`;
  const [lost, gained, rescored] = (['lost', 'gained', 'rescored'] as const).map(
    (part) => parts.get(part) ?? 0,
  );
  const here = [
    ...(lost ? [`lost ${amount(lost)}`] : []),
    ...(gained ? [`gained ${amount(gained)}`] : []),
  ].join(' and ');
  const another = (rescored ?? 0) < 0 ? lost : gained;
  const [first, ...others] = [
    ...(here ? [`tenants themselves ${here}`] : []),
    ...(rescored
      ? [
          `Microsoft's changes ${rescored < 0 ? 'took' : 'gave'} ${another ? 'another ' : ''}${amount(rescored)}`,
        ]
      : []),
  ];
  const lines = (['decided', 'other', 'unexplained'] as const).flatMap((part) => {
    const of = parts.get(part);
    if (of === undefined) return [];
    return [
      {
        label: LABEL[part],
        amount: of === 0 ? `less than ${units(1, decimals)}` : signedUnits(of, decimals),
        note: '',
      },
    ];
  });
  return {
    change: signedUnits(total, decimals),
    sentence: [first === undefined ? head : `${head}: ${first}`, ...others]
      .map((each) => `${capitalised(each)}.`)
      .join(' '),
    lines,
  };
}
