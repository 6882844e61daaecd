import * as z from '../zod.ts';
import { digestDocument } from './digest.ts';
import { line } from './plain-text.ts';
import { drawText } from './text.ts';
import type { DigestReport } from './digest-model.ts';

/** A digest for programs, as `drawJson` draws a tenant's report. */

const date = z.iso.date();
const text = z.string();
const nullableText = z.nullable(text);
const sides = z.object({ before: z.nullable(z.number()), after: z.nullable(z.number()) });
const score = z.nullable(
  z.object({ date, points: z.number(), maximum: z.number(), percentage: z.nullable(z.number()) }),
);

const account = z
  .nullable(
    z.object({
      change: z.number(),
      earned: z.number().register(z.globalRegistry, { description: 'Here: lost + gained + other.' }),
      rescored: z.number().register(z.globalRegistry, { description: 'By Microsoft.' }),
      decided: z.number().register(z.globalRegistry, { description: "By somebody's decision." }),
      unexplained: z.number(),
      lost: z.number(),
      gained: z.number(),
      other: z.number().register(z.globalRegistry, {
        description: 'Pending, muted, small, drifting and whatever else is not listed.',
      }),
    }),
  )
  .register(z.globalRegistry, {
    description: 'Percentage points, unrounded: earned + rescored + decided + unexplained = change, exactly.',
  });

const change = z.object({
  kind: text,
  control: nullableText,
  title: text,
  category: nullableText,
  since: date,
  date,
  points: sides,
  maximum: sides,
  percentagePoints: z.number(),
  cause: nullableText,
});

const data = z.object({
  version: z.literal(1),
  id: text
    .clone()
    .register(z.globalRegistry, { description: 'The same at each repetition of this delivery.' }),
  kind: z.literal('digest'),
  digest: z.object({ name: text, every: z.enum(['day', 'week', 'month']) }),
  title: text.clone().register(z.globalRegistry, { description: 'The essence, for people: one line.' }),
  text: text
    .clone()
    .register(z.globalRegistry, { description: 'All of it, for people: plain text of several lines.' }),
  from: z
    .nullable(date)
    .register(z.globalRegistry, { description: 'Day of the oldest score that it starts from.' }),
  to: z.nullable(date).register(z.globalRegistry, { description: 'Day of the newest score.' }),
  fleet: z
    .object({
      tenants: z.int(),
      compared: z.int(),
      before: z.nullable(z.number()),
      after: z.nullable(z.number()),
      median: z.nullable(z.number()),
      lowest: z.nullable(z.number()),
      highest: z.nullable(z.number()),
      account,
      rose: z.int(),
      fell: z.int(),
      stayed: z.int(),
    })
    .register(z.globalRegistry, {
      description: 'Averages, in per cent, over the tenants that have a score in the last digest and now.',
    }),
  attention: z.array(
    z.object({
      kind: z.enum(['unreadable', 'overdue', 'failing', 'urgent', 'stale']),
      tenantId: text,
      name: text,
      since: nullableText,
      message: nullableText,
      isKnown: z
        .boolean()
        .register(z.globalRegistry, { description: 'Whether an earlier digest has reported it.' }),
    }),
  ),
  many: z
    .array(
      z.object({
        kind: text,
        control: nullableText,
        title: text,
        category: nullableText,
        tenants: z.int(),
        percentagePoints: z
          .number()
          .register(z.globalRegistry, { description: 'On average of these tenants.' }),
        tenantIds: z.array(text),
      }),
    )
    .register(z.globalRegistry, {
      description: 'What Microsoft did, and what happened to many: most tenants first.',
    }),
  tenants: z.array(
    z.object({
      tenantId: text,
      name: text,
      before: score,
      after: score,
      isNew: z.boolean(),
      account,
      changes: z.array(change),
    }),
  ),
  moreTenants: z.int().register(z.globalRegistry, {
    description: 'How many there was no room for: the report in the archive has all of them.',
  }),
  removed: z.array(z.object({ tenantId: text, name: text })),
  notes: z.array(text),
  report: text.clone().register(z.globalRegistry, { description: 'Key of the whole report in the archive.' }),
});

export const digestBodySchema = z.object({
  type: z.literal('secure-score.digest'),
  timestamp: z.iso.datetime().register(z.globalRegistry, { description: 'When it was reported.' }),
  data,
});
type DigestBody = z.infer<typeof digestBodySchema>;

const LONGEST = { text: 60_000, title: 300, word: 300 };

/** The limits of the lists, from the preferred to the smallest: the tenants that moved most, and the first of other lists. */
const PLANS = [
  { tenants: 2000, rows: 200, ids: 2000, listed: 500, text: LONGEST.text },
  { tenants: 500, rows: 20, ids: 2000, listed: 200, text: LONGEST.text },
  { tenants: 200, rows: 10, ids: 500, listed: 100, text: 20_000 },
  { tenants: 50, rows: 5, ids: 50, listed: 30, text: 5_000 },
  { tenants: 0, rows: 0, ids: 0, listed: 10, text: 2_000 },
];

/** @param largest bytes of JSON */
export function drawDigestJson(
  digest: DigestReport,
  id: string,
  reportKey: string,
  largest: number,
): DigestBody {
  const document = digestDocument(digest);
  const all = drawText(document);
  const moved = digest.tenants.toSorted(
    (a, b) => Math.abs(b.account?.change ?? 0) - Math.abs(a.account?.change ?? 0),
  );
  const draw = (plan: (typeof PLANS)[number]): DigestBody => ({
    type: 'secure-score.digest',
    timestamp: digest.toldAt,
    data: {
      version: 1,
      id,
      kind: 'digest',
      digest: { name: digest.name, every: digest.every },
      title: line(document.title, LONGEST.title),
      // Never half of a pair.
      text: all.length > plan.text ? `${all.slice(0, plan.text).replace(/[\uD800-\uDBFF]$/, '')}…\n` : all,
      from: digest.from,
      to: digest.to,
      fleet: digest.fleet,
      attention: digest.attention
        .slice(0, plan.listed)
        .map(({ kind, tenantId, name, since, message, isKnown }) => ({
          kind,
          tenantId,
          name: line(name, LONGEST.word),
          since,
          message: message && line(message, LONGEST.word),
          isKnown,
        })),
      many: digest.many.slice(0, plan.listed).map((each) => ({
        kind: each.kind,
        control: each.control && line(each.control, LONGEST.word),
        title: line(each.title, LONGEST.title),
        category: each.category && line(each.category, LONGEST.word),
        tenants: each.tenantIds.length,
        percentagePoints: each.percentagePoints / each.tenantIds.length,
        tenantIds: each.tenantIds.slice(0, plan.ids),
      })),
      tenants: moved
        .slice(0, plan.tenants)
        .map(({ tenantId, name, before, after, isNew, account: of, changes }) => ({
          tenantId,
          name: line(name, LONGEST.word),
          before,
          after,
          isNew,
          account: of,
          changes: changes
            .toSorted((a, b) => Math.abs(b.percentagePoints) - Math.abs(a.percentagePoints))
            .slice(0, plan.rows)
            .map((row) => ({
              kind: row.kind,
              control: row.control && line(row.control, LONGEST.word),
              title: line(row.title, LONGEST.title),
              category: row.category && line(row.category, LONGEST.word),
              since: row.since,
              date: row.date,
              points: row.points,
              maximum: row.maximum,
              percentagePoints: row.percentagePoints,
              cause: row.cause,
            })),
        })),
      moreTenants: Math.max(0, moved.length - plan.tenants),
      removed: digest.removed.slice(0, plan.listed),
      notes: digest.notes.slice(0, plan.listed).map((note) => line(note, LONGEST.word)),
      report: reportKey,
    },
  });
  const last = PLANS.at(-1)!;
  return draw(PLANS.find((plan) => Buffer.byteLength(JSON.stringify(draw(plan))) <= largest) ?? last);
}
