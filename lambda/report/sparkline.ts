const BARS = '▁▂▃▄▅▆▇█';

/**
 * The course of some numbers in one line of text.
 * @param values in the order of time; null leaves a gap
 * @param width in characters; more values than that share one, as their average
 * @param range of the bars; absent: that of the values
 */
export function sparkline(
  values: readonly (number | null)[],
  width: number,
  range?: { lowest: number; highest: number },
): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const { lowest, highest } = range ?? { lowest: Math.min(...known), highest: Math.max(...known) };
  const length = Math.min(width, values.length);
  return Array.from({ length }, (_, index) => {
    const from = Math.floor((index * values.length) / length);
    const to = Math.floor(((index + 1) * values.length) / length);
    const shared = values.slice(from, to).filter((value) => value !== null);
    if (shared.length === 0) return ' ';
    const mean = shared.reduce((sum, value) => sum + value, 0) / shared.length;
    // A line that never moved is drawn in the middle.
    const height = highest > lowest ? (mean - lowest) / (highest - lowest) : 0.4;
    return BARS[Math.round(height * (BARS.length - 1))] ?? ' ';
  }).join('');
}
