import { dayReport, trendDay } from '../report/build.ts';
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
export function explain({ lastReported, baseline, accepted, profiles }: Compared): Explained {
  const days: Explained['days'] = [];
  const trend = lastReported ? [...lastReported.trend] : [trendDay(baseline, null)];
  // A day that lists no services changes none. The next day that lists them is compared with the last one that did.
  let services = baseline.enabledServices ?? lastReported?.services ?? null;
  for (const [index, { before, after }] of carryStates(accepted.steps).entries()) {
    const explained = dayReport({ ...before, enabledServices: services }, after, profiles[index]!);
    services = after.enabledServices ?? services;
    trend.push(trendDay(after, explained.explanation));
    if (lastReported) days.push(explained);
  }
  return { days, services, trend: trend.slice(-TREND_DAYS) };
}
