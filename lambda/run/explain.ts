import { dayExplanation, dayReport, trendDay } from '../report/build.ts';
import type { DayReport, TrendDay } from '../report/model.ts';
import type { Explanation } from '../score/change.ts';
import { carryStates } from '../score/decision.ts';
import type { Compared } from './compare.ts';

/** The number of days in the chart. */
const TREND_DAYS = 90;

/** What changed from day to day, and why the number moved, before settling. */
export interface Explained {
  /** Empty on a first run, whose days are only for the chart. */
  days: { day: DayReport; explanation: Explanation }[];
  /** The enabled services last known. */
  services: string[] | null;
  trend: TrendDay[];
}

/** Explains each step: its changes, and their shares of the change of the percentage. Pure. */
export async function explain({ lastReported, baseline, accepted, profiles }: Compared): Promise<Explained> {
  const days: Explained['days'] = [];
  const trend = lastReported ? [...lastReported.trend] : [trendDay(baseline, null)];
  // A day that lists no services changes none. The next day that lists them is compared with the last one that did.
  let services = baseline.enabledServices ?? lastReported?.services ?? null;
  for (const [index, { before, after }] of carryStates(accepted.steps).entries()) {
    const from = { ...before, enabledServices: services };
    services = after.enabledServices ?? services;
    if (lastReported) {
      const explained = await dayReport(from, after, profiles[index]!);
      days.push(explained);
      trend.push(trendDay(after, explained.explanation));
    } else trend.push(trendDay(after, dayExplanation(from, after, profiles[index]!)));
  }
  return { days, services, trend: trend.slice(-TREND_DAYS) };
}
