import { chartBlocks, toneOf } from './common.ts';
import { decisionSentence } from './decision.ts';
import { LIST_NAME } from './csv.ts';
import {
  capitalised,
  count,
  day,
  daysBetween,
  listing,
  moment,
  NOISE,
  score,
  share,
  shortDay,
  sides,
  signedUnits,
  units,
} from './format.ts';
import type { Attention, DigestChange, DigestReport, Every, Many, TenantAccount } from './digest-model.ts';
import { commonOnes, COVERS, essence, membershipOf, percent, sameAs, sumOf } from './digest-sum.ts';
import type { Block, Cell, Entry, MailDocument, Tone } from './document.ts';
import { adviceDetails } from './entry.ts';
import { line, prose, safeLink } from './plain-text.ts';
import { roundTogether } from './rounding.ts';
import { urgentSentences } from './urgency.ts';
import { commandLine } from '../command-line.ts';

/** The document of a digest, from which all faces are drawn. */

const LONGEST = { name: 60, title: 200, text: 500 };

/** How many names of tenants are listed, and how many recommendations of one. */
const NAMES = 10;
const ROWS = 5;
/** More tenants with the same trouble are one entry. */
const ALIKE = 4;
/** How many movers are ranked on each side, and how many of a month. */
const MOVERS = 5;
const IMPROVERS = 10;

export function digestDocument(digest: DigestReport): MailDocument {
  const { fleet, many } = digest;
  const isReport = digest.every === 'month';
  const lost = entriesOf(digest, 'lost');
  const gained = entriesOf(digest, 'gained');
  const title = capitalised(essence(digest)) || 'No notable changes';
  return {
    tenant: `${COVERS[digest.every]} of ${count(fleet.tenants, 'tenant')}, ${periodOf(digest)}`,
    title,
    preview: sumOf(digest)?.sentence ?? title,
    blocks: [
      ...fleetBlocks(digest),
      ...attentionBlocks(digest),
      ...section('Tenants that lost points', lost, TENANT_COLUMNS),
      ...section(
        many.some(({ kind }) => kind === 'lost' || kind === 'gained')
          ? 'What happened to many tenants'
          : 'What Microsoft did',
        many.map((each) => manyEntry(each, digest)),
        MANY_COLUMNS,
      ),
      // Of a month the ranking has them.
      ...(isReport ? [] : section('Tenants that gained points', gained, TENANT_COLUMNS)),
      ...(isReport ? moverBlocks(digest) : []),
      ...decisionBlocks(digest),
      ...(isReport ? [] : moverBlocks(digest)),
      ...(isReport ? outlookBlocks(digest) : []),
      ...membershipBlocks(digest),
      ...(digest.notes.length > 0
        ? [
            { type: 'heading' as const, level: 2 as const, text: 'Notes' },
            { type: 'list' as const, items: digest.notes.map((note) => line(note, LONGEST.text)) },
          ]
        : []),
    ],
    footer: [
      'Each tenant is compared with its score in the last digest. Averages cover the tenants that have both scores.',
      `Digest “${digest.name}”, reported ${moment(digest.toldAt, digest.timeZone)}.`,
    ],
    list: LIST_NAME,
    ...(digest.from !== null &&
      digest.to !== null && {
        everything: commandLine(`history changes --from ${digest.from} --to ${digest.to}`),
      }),
  };
}

const TENANT_COLUMNS = { title: 'Tenant', figures: 'Score', amount: 'Change' };
const MANY_COLUMNS = { title: 'Recommendation', figures: 'Tenants', amount: 'Average' };
const ATTENTION_COLUMNS = { title: 'Tenant', figures: 'What', amount: '' };

function section(
  heading: string,
  entries: Entry[],
  columns: { title: string; figures: string; amount: string },
): Block[] {
  if (entries.length === 0) return [];
  return [
    { type: 'heading', level: 2, text: heading, aside: String(entries.length) },
    { type: 'entries', entries, columns },
  ];
}

/** "28 Nov 2026", "21 to 28 Nov 2026". */
function periodOf({ from, to, toldAt, timeZone }: DigestReport): string {
  if (from === null || to === null) return day(toldAt, timeZone);
  return daysBetween(from, to) <= 1 ? day(to) : `${shortDay(from)} to ${day(to)}`;
}

function fleetBlocks(digest: DigestReport): Block[] {
  const { fleet, trend, from } = digest;
  const sum = sumOf(digest);
  if (fleet.after === null || !sum || from === null) return [{ type: 'facts', items: coverage(digest) }];
  return [
    {
      type: 'score',
      value: percent(fleet.after),
      change: {
        text: `${sum.change} percentage points since ${day(from)}, on average`,
        tone: toneOf(fleet.account?.change ?? 0),
      },
    },
    { type: 'sum', sentence: sum.sentence, lines: sum.lines },
    ...(digest.every === 'day' ? [] : chartBlocks(trend)),
    {
      type: 'facts',
      items: [
        `${fleet.fell} of ${count(fleet.compared, 'tenant')} fell, ${fleet.rose} rose, ${fleet.stayed} did not move`,
        ...(fleet.median === null || fleet.compared < 3
          ? []
          : [
              `Median ${percent(fleet.median)}, lowest ${percent(fleet.lowest ?? 0)}, highest ${percent(fleet.highest ?? 0)}`,
            ]),
        ...coverage(digest),
      ],
    },
  ];
}

/** Who is not compared, and why. */
function coverage(digest: DigestReport): string[] {
  const { tenants, fleet } = digest;
  const without = tenants.filter(({ isNew, after, days }) => !isNew && after !== null && days === 0).length;
  const unknown = tenants.filter(({ after }) => after === null).length;
  const parts = [
    ...membershipOf(digest),
    ...(without > 0 ? [`${without} without a new snapshot`] : []),
    ...(unknown > 0 ? [`${unknown} without a score`] : []),
  ];
  return parts.length > 0 ? [`${count(fleet.tenants, 'tenant')}: ${parts.join(', ')}`] : [];
}

/** What needs attention; where the same is wrong with many, once. */
function attentionBlocks(digest: DigestReport): Block[] {
  const { attention } = digest;
  const groups = [...Map.groupBy(attention, (each) => groupOf(each)).values()].flatMap((group) =>
    group.length > ALIKE ? [group] : group.map((each) => [each]),
  );
  const entries = groups.map((group, index) => attentionEntry(group, digest, groups.length - index));
  const tenants = new Set(attention.map(({ tenantId }) => tenantId)).size;
  if (entries.length === 0) return [];
  return [
    { type: 'heading', level: 2, text: 'Needs attention', aside: count(tenants, 'tenant') },
    { type: 'entries', entries, columns: ATTENTION_COLUMNS },
  ];
}

function groupOf({ kind, message, tenantId }: Attention): string {
  return JSON.stringify(kind === 'urgent' ? [kind, tenantId] : [kind, message]);
}

function attentionEntry(group: Attention[], digest: DigestReport, rank: number): Entry {
  const [first] = group as [Attention];
  const { message, advice } = first;
  const known = group.filter(({ isKnown }) => isKnown).length;
  const names = group.map(({ name }) => line(name, LONGEST.name));
  return {
    tone: 'bad',
    mark: '!',
    amount: '',
    title: names.length === 1 ? names[0]! : `${names.length} of ${count(digest.fleet.tenants, 'tenant')}`,
    id: null,
    figures: attentionText(first, digest.timeZone, names.length > 1),
    share: null,
    context: known === group.length && first.kind !== 'urgent' ? ['reported before'] : [],
    details: [
      ...(message ? [{ label: 'What happened', text: prose(message, LONGEST.text) }] : []),
      ...(advice ? [{ label: 'What to do', text: prose(advice, LONGEST.text), isAdvice: true }] : []),
      ...(names.length > 1 ? [{ label: 'Tenants', text: named(names) }] : []),
    ],
    notes: [],
    link: null,
    weight: 1000 + rank,
  };
}

function attentionText({ kind, since, urgent }: Attention, timeZone: string, several: boolean): string {
  const from =
    since === null || several ? '' : ` since ${since.includes('T') ? day(since, timeZone) : day(since)}`;
  switch (kind) {
    case 'urgent':
      return urgentSentences({ urgent }).join(' ');
    case 'unreadable':
      return 'The state in the archive cannot be read';
    case 'overdue':
      return since === null && !several ? 'No run has ever succeeded' : `No successful run${from}`;
    case 'failing':
      return several || since === null ? 'Runs are failing' : `Runs have failed${from}`;
    case 'stale':
      return `No new snapshot${from}`;
  }
}

/** "a, b and 12 more". */
function named(names: string[]): string {
  const shown = names.slice(0, NAMES);
  const more = names.length - shown.length;
  return listing(more > 0 ? [...shown, `${more} more`] : shown);
}

/** What tenants lost or gained, a tenant an entry, largest first; what happened to many is elsewhere. */
function entriesOf(digest: DigestReport, kind: 'lost' | 'gained'): Entry[] {
  const common = commonOnes(digest);
  return digest.tenants
    .flatMap((tenant) => {
      const rows = tenant.changes
        .filter((row) => row.kind === kind && !common.has(sameAs(row)))
        .toSorted((a, b) => weightOf(b) - weightOf(a));
      return rows.length === 0 ? [] : [tenantEntry(tenant, rows, { kind, every: digest.every })];
    })
    .toSorted((a, b) => b.weight - a.weight || (a.title < b.title ? -1 : 1));
}

/** By the share; a loss of Microsoft's making has none, and counts little. */
function weightOf({ percentagePoints, points }: DigestChange): number {
  return Math.abs(percentagePoints) || Math.abs((points.after ?? 0) - (points.before ?? 0)) / 1000;
}

function tenantEntry(
  tenant: TenantAccount,
  rows: DigestChange[],
  { kind, every }: { kind: 'lost' | 'gained'; every: Every },
): Entry {
  const sum = rows.reduce((all, { percentagePoints }) => all + percentagePoints, 0);
  const shown = rows.slice(0, ROWS).map((row) => {
    const title = line(row.title, LONGEST.title) || line(row.control ?? '', LONGEST.title);
    const part = Math.abs(row.percentagePoints) < NOISE ? '' : ` (${share(row.percentagePoints)})`;
    return `${title}: ${sides(row.points, row.maximum)}${part}`;
  });
  const more = rows.length - shown.length;
  const [largest] = rows;
  return {
    tone: kind === 'lost' ? 'bad' : 'good',
    mark: kind === 'lost' ? '▼' : '▲',
    amount: share(sum),
    title: line(tenant.name, LONGEST.name),
    id: null,
    figures: figuresOf(tenant),
    share: null,
    context: alsoBy(tenant, sum),
    details: [
      {
        label: count(rows.length, 'recommendation'),
        // Where a face has no lines it needs the semicolons.
        text: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(';\n'),
        ...(kind === 'lost' && { isAdvice: true }),
      },
      ...(kind === 'lost' && largest && every !== 'month' ? adviceDetails('What to do', largest) : []),
    ],
    notes: [],
    link: safeLink(largest?.actionUrl ?? null),
    weight: rows.reduce((all, row) => all + weightOf(row), 0),
  };
}

/** "61.2 % → 60.4 %". */
function figuresOf({ before, after }: TenantAccount): string {
  if (!before || !after) return after ? score(after) : '';
  return `${score(before)} → ${score(after)}`;
}

/** What else moved it, so that all adds up: "by Microsoft −0.30", "other +0.10". */
function alsoBy({ account }: TenantAccount, listed: number): string[] {
  if (!account) return [];
  const { change, rescored, decided } = account;
  return [
    { what: 'by Microsoft', of: rescored },
    { what: 'by decisions', of: decided },
    { what: 'other', of: change - listed - rescored - decided },
  ].flatMap(({ what, of }) => (Math.abs(of) >= 0.005 ? [`${what} ${share(of)}`] : []));
}

const DID: Partial<Record<DigestChange['kind'], { verb: string; mark: string }>> = {
  new: { verb: 'Microsoft added', mark: '+' },
  removed: { verb: 'Microsoft removed', mark: '−' },
  're-scored': { verb: 'Microsoft re-scored', mark: '±' },
  services: { verb: 'Services:', mark: '~' },
  lost: { verb: 'Lost:', mark: '▼' },
  gained: { verb: 'Gained:', mark: '▲' },
};

/** "Microsoft added Turn on X": 287 of 300 tenants, −0.2 percentage points on average. */
function manyEntry(each: Many, digest: DigestReport): Entry {
  const { kind, tenantIds, percentagePoints, most } = each;
  const { verb, mark } = DID[kind] ?? { verb: '', mark: '' };
  const number = tenantIds.length;
  const average = percentagePoints / number;
  const [low, high] = rangeOf(each, digest);
  const hasShare = Math.abs(average) >= NOISE;
  const title = line(each.title, LONGEST.title) || line(each.control ?? '', LONGEST.title);
  const tone: Tone = kind === 'lost' ? 'bad' : kind === 'gained' ? 'good' : 'neutral';
  return {
    tone,
    // The verb says it where a sign of the amount would stand beside it.
    mark: hasShare && tone === 'neutral' ? '' : mark,
    amount: hasShare ? share(average) : '',
    title: line(`${verb} ${title}`.trim(), LONGEST.title + 30),
    id: null,
    figures: `${hasShare && number > 1 ? 'on average in ' : ''}${number} of ${count(digest.fleet.tenants, 'tenant')}`,
    share: null,
    context: each.category ? [line(each.category, LONGEST.name)] : [],
    details: [
      { label: 'Tenants', text: whoOf(tenantIds, digest), isAdvice: number <= NAMES },
      ...adviceDetails('What to do', each),
    ],
    notes:
      low <= -NOISE && high >= NOISE
        ? [`Between ${share(low)} and ${share(high)}.`]
        : number > 1 && most && Math.abs(most.percentagePoints) > 2 * Math.abs(average) && hasShare
          ? [`Most at ${line(most.name, LONGEST.name)}: ${share(most.percentagePoints)}.`]
          : [],
    link: safeLink(each.actionUrl),
    weight: Math.abs(percentagePoints),
  };
}

/** The lowest and the highest of its amounts: where some of them rise and others fall, their average says little. */
function rangeOf(many: Many, { tenants }: DigestReport): [low: number, high: number] {
  const amounts = tenants.flatMap(({ changes }) =>
    changes.flatMap((row) => (sameAs(row) === sameAs(many) ? row.percentagePoints : [])),
  );
  return [Math.min(...amounts), Math.max(...amounts)];
}

/** Who it hit; where nearly all were, who it did not. */
function whoOf(ids: string[], { tenants }: DigestReport): string {
  const hit = new Set(ids);
  const names = (isHit: boolean) =>
    tenants.filter(({ tenantId }) => hit.has(tenantId) === isHit).map(({ name }) => line(name, LONGEST.name));
  const [those, others] = [names(true), names(false)];
  if (those.length <= NAMES) return listing(those);
  if (others.length === 0) return 'all';
  return others.length <= NAMES ? `all except ${listing(others)}` : named(those);
}

/** The same decision in several tenants once. */
function decisionBlocks({ tenants, timeZone }: DigestReport): Block[] {
  const rows = tenants.flatMap((tenant) =>
    tenant.changes.flatMap((row) =>
      row.kind === 'decided' && row.decision
        ? [{ name: line(tenant.name, LONGEST.name), row, decision: row.decision }]
        : [],
    ),
  );
  if (rows.length === 0) return [];
  const groups = Map.groupBy(rows, ({ row, decision }) =>
    JSON.stringify([row.control, decision.state.toLowerCase()]),
  );
  const items = [...groups.values()]
    .toSorted((a, b) => b.length - a.length)
    .map((group) => {
      const [{ row, decision }] = group as [(typeof rows)[number]];
      const sum = group.reduce((all, each) => all + each.row.percentagePoints, 0) / group.length;
      const moved = Math.abs(sum) < NOISE ? '' : ` (${share(sum)}${group.length > 1 ? ' on average' : ''})`;
      const who =
        group.length === 1
          ? group[0]!.name
          : `${count(group.length, 'tenant')} (${named(group.map(({ name }) => name))})`;
      const what = decisionSentence(
        group.length === 1 ? decision : { ...decision, by: null, at: null, comment: null },
        timeZone,
        row.date,
      );
      return line(`${who}: ${line(row.title, LONGEST.title)}${moved}. ${what}`, LONGEST.text);
    });
  return [
    { type: 'heading', level: 2, text: 'Decisions', aside: String(rows.length) },
    { type: 'list', items },
  ];
}

/** Who moved most by what was done there: what Microsoft did is nobody's merit or fault. */
function moverBlocks({ tenants, every }: DigestReport): Block[] {
  const moved = tenants
    .flatMap((tenant) =>
      tenant.account
        ? [{ tenant, account: tenant.account, here: tenant.account.earned + tenant.account.decided }]
        : [],
    )
    .filter(({ here }) => Math.abs(here) >= NOISE);
  const up = moved.filter(({ here }) => here > 0).toSorted((a, b) => b.here - a.here);
  const down = moved.filter(({ here }) => here < 0).toSorted((a, b) => a.here - b.here);
  const table = (text: string, rows: typeof moved): Block[] =>
    rows.length === 0
      ? []
      : [
          { type: 'heading', level: 2, text },
          {
            type: 'table',
            columns: [
              { label: 'Tenant', align: 'left' },
              { label: 'Score', align: 'right' },
              { label: 'Own', align: 'right' },
              { label: 'Microsoft', align: 'right' },
              { label: 'Change', align: 'right' },
            ],
            rows: rows.map(({ tenant, account, here }): Cell[] => {
              // What no recommendation explains has no column: where it is seen, the others do not add up.
              const { parts, total } = roundTogether(
                [here, account.rescored, account.unexplained],
                account.change,
                1,
              );
              return [
                line(tenant.name, LONGEST.name),
                tenant.after ? score(tenant.after) : '',
                ...[parts[0]!, parts[1]!, total].map((tenths) => signedUnits(tenths, 1)),
              ];
            }),
          },
        ];
  if (every === 'month') {
    return [
      ...table('Most improved', up.slice(0, IMPROVERS)),
      ...table('Largest losses', down.slice(0, MOVERS)),
    ];
  }
  return moved.length < 2
    ? []
    : table('Movers', [...down.slice(0, MOVERS), ...up.slice(0, MOVERS).toReversed()]);
}

function outlookBlocks({ outlook, fleet }: DigestReport): Block[] {
  if (!outlook) return [];
  const { gaps, decisions, decisionsInForce, missing } = outlook;
  const known = fleet.tenants - missing;
  return [
    ...(gaps.length > 0
      ? [
          { type: 'heading' as const, level: 2 as const, text: 'Most points for the least effort' },
          {
            type: 'paragraph' as const,
            text: `Percentage points still to earn, summed over ${count(known, 'tenant')}. Low effort comes first.`,
          },
          {
            type: 'table' as const,
            columns: [
              { label: 'What to do', align: 'left' as const },
              { label: 'Effort', align: 'left' as const },
              { label: 'Tenants', align: 'right' as const },
              { label: 'Points', align: 'right' as const },
            ],
            rows: gaps.map((gap): Cell[] => [
              line(gap.title, LONGEST.title),
              effort(gap.implementationCost),
              String(gap.tenants),
              `+${units(Math.round(10 * gap.percentagePoints), 1)}`,
            ]),
          },
        ]
      : []),
    ...(decisions.length > 0
      ? [
          {
            type: 'heading' as const,
            level: 2 as const,
            text: 'Decisions in force',
            aside: String(decisionsInForce),
          },
          {
            type: 'table' as const,
            columns: [
              { label: 'Decided on', align: 'left' as const },
              { label: 'Decision', align: 'left' as const },
              { label: 'Tenants', align: 'right' as const },
            ],
            rows: decisions.map(({ title, state, tenants }): Cell[] => [
              line(title, LONGEST.title),
              decisionSentence(
                { state, previousState: null, by: null, at: null, comment: null },
                'UTC',
                '2000-01-01',
              ).replace(/\.$/, ''),
              String(tenants),
            ]),
          },
        ]
      : []),
    ...(missing > 0
      ? [
          {
            type: 'facts' as const,
            items: [
              `${count(missing, 'tenant')} without a score ${missing === 1 ? 'is' : 'are'} not counted here.`,
            ],
          },
        ]
      : []),
  ];
}

function effort(cost: string | null): string {
  const clean = line(cost ?? '', 20);
  return clean === '' || /^unknown$/i.test(clean) ? '' : capitalised(clean.toLowerCase());
}

/** Which of the tenants that were added have nothing to compare with yet. */
function laterOf(added: TenantAccount[]): string {
  const later = added.filter(({ account }) => account === null);
  if (later.length === 0) return '';
  const who =
    later.length === added.length
      ? later.length === 1
        ? 'It'
        : 'They'
      : named(later.map(({ name }) => line(name, LONGEST.name)));
  return ` ${who} ${later.length === 1 ? 'counts' : 'count'} from the next digest on.`;
}

/** Who came, who went, and who has no new snapshot. */
function membershipBlocks({ tenants, removed }: DigestReport): Block[] {
  const names = (of: { name: string }[]) => named(of.map(({ name }) => line(name, LONGEST.name)));
  const added = tenants.filter(({ isNew, after }) => isNew && after !== null);
  const without = tenants.filter(({ isNew, after, days }) => !isNew && after !== null && days === 0);
  const items = [
    ...(added.length > 0
      ? [
          `Added: ${named(added.map(({ name, after }) => `${line(name, LONGEST.name)}${after ? ` (${score(after)})` : ''}`))}.${laterOf(added)}`,
        ]
      : []),
    ...(removed.length > 0 ? [`Removed or switched off: ${names(removed)}.`] : []),
    ...(without.length > 0
      ? [
          `Without a new snapshot since the last digest: ${names(without)}. ${without.length === 1 ? 'It counts' : 'They count'} as unchanged.`,
        ]
      : []),
  ];
  return items.length === 0
    ? []
    : [
        { type: 'heading', level: 2, text: 'Tenants' },
        { type: 'list', items },
      ];
}
