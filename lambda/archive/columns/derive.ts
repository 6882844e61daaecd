import {
  derivationOf,
  endsAnswer,
  isBaseline,
  lastOfAnswer,
  type ArchivedDay,
  type Derivation,
  type Rows,
} from './rows.ts';

/** The number of days read at once beyond those of a month: at least two are needed, and rarely more. */
const AHEAD = 4;

/** The month of a day, as yyyy-mm. */
export function monthOf(date: string): string {
  return date.slice(0, 7);
}

/**
 * The rows of each month, with no more in memory than about a month of days, or the days of one answer of Graph (90 at
 * most).
 * @param options.baseline the counted day before `dates`; null: they are the tenant's first
 * @param options.dates ascending
 * @param options.months ascending; all those of the dates, and perhaps others
 * @param options.load reads days, ascending; those that cannot be read are left out
 */
export async function* deriveMonths(options: {
  tenantId: string;
  baseline: ArchivedDay | null;
  dates: string[];
  months: string[];
  load: (dates: string[]) => Promise<ArchivedDay[]>;
}): AsyncGenerator<{ month: string; rows: Rows }> {
  const { tenantId, dates, months, load } = options;
  let { baseline } = options;
  let days: ArchivedDay[] = [];
  let loaded = 0;
  // The first answer has three months in it, which are compared once.
  let derived: Derivation | null = null;
  for (const month of months) {
    // The rows of the last days depend on those of the same answer, whose acceptance depends on the two that follow.
    while (loaded < dates.length && days.filter(({ date }) => date > lastNeeded(days, month)).length < 2) {
      const end = Math.max(dates.findLastIndex((date) => monthOf(date) <= month) + 1, loaded) + AHEAD;
      days.push(...(await load(dates.slice(loaded, end))));
      loaded = Math.min(end, dates.length);
      derived = null;
    }
    derived ??= derivationOf(tenantId, baseline, days);
    const { rows, isCounted }: Derivation = derived;
    yield { month, rows: rows((date) => monthOf(date) === month) };
    const last = days.findLast(
      (day, index) =>
        monthOf(day.date) <= month &&
        isCounted(day.date) &&
        isBaseline(day) &&
        endsAnswer(day, days.slice(index + 1)),
    );
    if (last) {
      baseline = last;
      days = days.filter(({ date }) => date > last.date);
      derived = null;
    }
  }
}

function lastNeeded(days: ArchivedDay[], month: string): string {
  const end = `${month}-31`;
  const last = days.findLast(({ date }) => date <= end);
  return last && lastOfAnswer(last) > end ? lastOfAnswer(last) : end;
}
