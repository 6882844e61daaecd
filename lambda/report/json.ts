import * as z from '../zod.ts';
import { kindsOf } from './changes.ts';
import { digestBodySchema, drawDigestJson } from './digest-json.ts';
import { isDigest } from './digest-model.ts';
import { documentOf } from './document-of.ts';
import { reportedChanges } from './entry.ts';
import { line, safeLink } from './plain-text.ts';
import { drawText } from './text.ts';
import { isUrgent } from './urgency.ts';
import type { ConfirmedDrop, MailAccount, Report, ReportedChange } from './model.ts';
import type { MailKind, Message } from '../ports.ts';

/**
 * A report for programs: the body of a webhook, and (its `data`) the detail of an event. The schema is published as
 * docs/report.schema.json, which is made from this one. Fields may be added; none changes its meaning within a version.
 */

const date = z.iso.date();
const nullableText = z.nullable(z.string());
const sides = z.object({ before: z.nullable(z.number()), after: z.nullable(z.number()) });

const score = z.nullable(
  z.object({ date, points: z.number(), maximum: z.number(), percentage: z.nullable(z.number()) }),
);

const part = (description: string) =>
  z.object({ percentagePoints: z.number(), controls: z.int() }).register(z.globalRegistry, { description });

const change = z.object({
  kind: z.enum(['lost', 'gained', 'new', 'removed', 'renamed', 're-scored', 'decided', 'services']),
  control: nullableText.clone().register(z.globalRegistry, {
    description: "Graph's name of the recommendation; null where it is about the tenant.",
  }),
  title: z.string(),
  category: nullableText,
  service: nullableText,
  date: date.clone().register(z.globalRegistry, { description: 'Of the later snapshot.' }),
  previousDate: z.nullable(date),
  points: sides,
  maximum: sides,
  percentagePoints: z
    .number()
    .register(z.globalRegistry, { description: 'Its share of the change of the score, unrounded.' }),
  cause: nullableText
    .clone()
    .register(z.globalRegistry, { description: 'Of the share; null where the row carries none.' }),
  isConfirmed: z
    .boolean()
    .register(z.globalRegistry, { description: 'A drop of an earlier day that waited for confirmation.' }),
  decision: z.nullable(
    z.object({
      state: z.string(),
      previousState: nullableText,
      by: nullableText,
      at: nullableText,
      comment: nullableText,
    }),
  ),
  remediation: nullableText
    .clone()
    .register(z.globalRegistry, { description: 'What to do: plain text, shortened.' }),
  actionUrl: nullableText
    .clone()
    .register(z.globalRegistry, { description: 'Where to do it: https, or null.' }),
});

const data = z.object({
  version: z.literal(1),
  id: z.string().register(z.globalRegistry, { description: 'The same at each repetition of this delivery.' }),
  kind: z.enum(['start', 'scores', 'controls', 'operations']),
  tenant: z.object({ id: z.string(), name: z.string() }),
  isUrgent: z.boolean(),
  urgent: z
    .array(z.string())
    .register(z.globalRegistry, { description: 'Which lines of the alerts were crossed, a sentence each.' }),
  title: z.string().register(z.globalRegistry, { description: 'The essence, for people: one line.' }),
  text: z
    .string()
    .register(z.globalRegistry, { description: 'All of it, for people: plain text of several lines.' }),
  score: z
    .object({ before: score, after: score })
    .register(z.globalRegistry, { description: 'Last reported before this, and now.' }),
  explanation: z
    .nullable(
      z.object({
        gained: part('Earned here.'),
        lost: part('Lost here.'),
        rescored: part('By Microsoft: new, removed and re-scored recommendations.'),
        decided: part("By somebody's decision."),
        drift: part('By people and devices that come and go.'),
        silenced: part("Smaller than the tenant's minimumPoints."),
        muted: part('Of recommendations that are muted.'),
        pending: part('Drops that wait for confirmation.'),
        healed: part('Drops that were back before they were reported.'),
        countedBefore: z.number().register(z.globalRegistry, {
          description: 'The opposite of what an earlier report counted already.',
        }),
        unexplained: z
          .number()
          .register(z.globalRegistry, { description: 'What no recommendation accounts for.' }),
      }),
    )
    .register(z.globalRegistry, {
      description: 'Percentage points, unrounded, that add up to score.after − score.before exactly.',
    }),
  changes: z.array(change).register(z.globalRegistry, {
    description: 'Those of this kind that are reported, largest share first.',
  }),
  moreChanges: z.int().register(z.globalRegistry, {
    description: 'How many there was no room for: the report in the archive has all of them.',
  }),
  operations: z.array(z.looseObject({ kind: z.string() })).register(z.globalRegistry, {
    description: 'What is wrong with the monitoring, by kind, with the facts of each.',
  }),
  notes: z.array(z.string()),
  report: z.string().register(z.globalRegistry, { description: 'Key of the whole report in the archive.' }),
});

const tenantReport = z.object({
  type: z.enum([
    'secure-score.start',
    'secure-score.scores',
    'secure-score.controls',
    'secure-score.operations',
  ]),
  timestamp: z.iso.datetime().register(z.globalRegistry, { description: 'When it was reported.' }),
  data,
});

/** https://www.standardwebhooks.com: type, timestamp, data. */
export const reportSchema = z.union([tenantReport, digestBodySchema]).register(z.globalRegistry, {
  title: 'A report of secure-score-monitor',
  description:
    'The body of a webhook, of one tenant or of a digest; `data` alone is the detail of an EventBridge event.',
});

export type ReportBody = z.infer<typeof tenantReport>;
export type Body = z.infer<typeof reportSchema>;

type Drawn = Omit<Message, 'deadline' | 'urgent'>;

/** EventBridge takes 256 kB an event, everything counted: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const LARGEST = 240_000;

/** The maximum numbers of changes, tried in turn until the JSON fits; the largest changes stay. */
const CHANGES = [1000, 300, 100, 30, 10, 0];

const LONGEST = { text: 60_000, title: 300, word: 300, advice: 1000, comment: 1000 };
const MOST_NOTES = 50;
const MOST_ITEMS = 20;

/**
 * Draws a report for programs; its sentences are those of the document, its figures those of the report.
 * @returns less than 240 kB of JSON
 */
export function drawJson(message: Drawn & { report: Report }): ReportBody;
export function drawJson(message: Drawn): Body;
export function drawJson({ id, kind, report, reportKey }: Drawn): Body {
  if (isDigest(report)) return drawDigestJson(report, id, reportKey, LARGEST);
  if (kind === 'digest') throw new Error(`${id} is no digest`);
  const document = documentOf(report, kind);
  const changes = changesOf(report, kind);
  const body = (most: number, all: string): ReportBody => ({
    type: `secure-score.${kind}`,
    timestamp: report.toldAt,
    data: {
      version: 1,
      id,
      kind,
      tenant: { id: line(report.tenantId, LONGEST.word), name: line(report.name, LONGEST.word) },
      isUrgent: isUrgent(report, kind),
      urgent: document.urgent ?? [],
      title: line(document.title, LONGEST.title),
      text: all,
      score: { before: report.before, after: report.after },
      explanation: report.account && explanationOf(report.account),
      changes: changes.slice(0, most),
      moreChanges: Math.max(0, changes.length - most),
      operations: kind === 'operations' ? report.operations.slice(0, MOST_ITEMS).map(itemOf) : [],
      notes: report.notes.slice(0, MOST_NOTES).map((note) => line(note, LONGEST.word)),
      report: reportKey,
    },
  });
  const whole = drawText(document);
  // Never half of a pair.
  const shown =
    whole.length > LONGEST.text
      ? `${whole.slice(0, LONGEST.text).replace(/[\uD800-\uDBFF]$/, '')}…\n`
      : whole;
  const fitting = CHANGES.map((most) => body(most, shown)).find(
    (each) => Buffer.byteLength(JSON.stringify(each)) <= LARGEST,
  );
  return fitting ?? body(0, line(document.preview, LONGEST.advice));
}

function changesOf(report: Report, kind: MailKind): z.infer<typeof change>[] {
  const kinds = kindsOf(kind);
  const reported = reportedChanges(report, kinds).map(rowOf);
  const confirmed = kinds.includes('lost') ? report.confirmed.map(confirmedRow) : [];
  return [...reported, ...confirmed].toSorted(
    (a, b) => Math.abs(b.percentagePoints) - Math.abs(a.percentagePoints),
  );
}

function rowOf(of: ReportedChange): z.infer<typeof change> {
  const { decision } = of;
  return {
    kind: of.kind as z.infer<typeof change>['kind'],
    control: text(of.control),
    title: line(of.title, LONGEST.title),
    category: text(of.category),
    service: text(of.service),
    date: of.date,
    previousDate: of.previousDate,
    points: of.points,
    maximum: of.maximum,
    percentagePoints: of.percentagePoints,
    cause: of.cause,
    isConfirmed: false,
    decision: decision && {
      state: line(decision.state, LONGEST.word),
      previousState: text(decision.previousState),
      by: text(decision.by),
      at: text(decision.at),
      comment: text(decision.comment, LONGEST.comment),
    },
    remediation: text(of.remediation, LONGEST.advice),
    actionUrl: safeLink(of.actionUrl),
  };
}

function confirmedRow(of: ConfirmedDrop): z.infer<typeof change> {
  return {
    kind: 'lost',
    control: text(of.control),
    title: line(of.title, LONGEST.title),
    category: text(of.category),
    service: null,
    date: of.date,
    previousDate: of.previousDate,
    points: of.points,
    maximum: of.maximum,
    percentagePoints: of.percentagePoints,
    cause: null,
    isConfirmed: true,
    decision: null,
    remediation: text(of.remediation, LONGEST.advice),
    actionUrl: safeLink(of.actionUrl),
  };
}

function explanationOf({
  waiting,
  healed,
  ...account
}: MailAccount): NonNullable<ReportBody['data']['explanation']> {
  return {
    ...account,
    muted: account.muted ?? { percentagePoints: 0, controls: 0 },
    pending: waiting,
    healed: { percentagePoints: healed.percentagePoints, controls: healed.drops.length },
  };
}

/** Its facts, texts of foreign hands cleaned and bounded. */
function itemOf(item: Report['operations'][number]): { kind: string; [fact: string]: unknown } {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return line(value, LONGEST.advice);
    if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map(clean);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, clean(each)]));
  };
  const facts = Object.entries(item).map(([name, value]) => [name, clean(value)]);
  return { ...Object.fromEntries(facts), kind: item.kind };
}

function text(of: string | null, maximumLength = LONGEST.word): string | null {
  return of === null ? null : line(of, maximumLength);
}
