import { snapshotOf } from '../../lambda/graph/schema.ts';
import { dayReport } from '../../lambda/report/build.ts';
import { NOTHING_SETTLED, settleDay } from '../../lambda/score/settle.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { measured } from '../measure.ts';

/** Comparing, explaining and settling: all 90 days of 411 controls, from snapshots in memory. */
const DAYS = 90;

const { dates, ...reading } = generatedTenant('bench', { today: '2026-03-01', day: DAYS }).read();
const days = dates.toReversed().map((date) => snapshotOf(reading.secureScore(date, false), false));

await measured(async () => {
  const profiles = { before: new Map(), after: new Map() };
  let settling = NOTHING_SETTLED;
  for (const [index, after] of days.entries()) {
    const before = days[index - 1];
    if (!before) continue;
    const { day, explanation } = await dayReport(before, after, profiles);
    const { unexplained } = explanation;
    const alerts = { confirmDrops: 2, minimumPoints: 0.5 };
    settling = settleDay(settling, day.changes, { date: day.date, unexplained }, alerts).settling;
  }
});
