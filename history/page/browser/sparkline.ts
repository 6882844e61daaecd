import { html } from 'htm/preact';
import { domainOf, px } from './plot.ts';
import type { Drawn } from './words.ts';

interface SparklineProps {
  /** A value a day; null: unknown. */
  values: (number | null)[];
  width: number;
  height: number;
  /** The least range of values, so that a wobble does not look like a fall. */
  leastSpan: number;
}

/** A line in small, as steps: a value stands until the next one. */
export function Sparkline({ values, width, height, leastSpan }: SparklineProps): Drawn {
  return html`
    <svg
      class="spark"
      viewBox=${`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path d=${steps({ values, width, height, leastSpan })} vector-effect="non-scaling-stroke" />
    </svg>
  `;
}

function steps({ values, width, height, leastSpan }: SparklineProps): string {
  const [lowest, highest] = domainOf(
    values.flatMap((value) => value ?? []),
    leastSpan,
  );
  const x = (index: number) => px(1 + (index * (width - 2)) / Math.max(1, values.length - 1));
  const y = (value: number) => px(height - 2 - ((value - lowest) / (highest - lowest)) * (height - 4));
  const last = values.findLastIndex((value) => value !== null);
  let path = '';
  let before: number | null = null;
  for (const [index, value] of values.entries()) {
    if (value === null || value === before) continue;
    path += before === null ? `M${x(index)} ${y(value)}` : `H${x(index)}V${y(value)}`;
    before = value;
  }
  // A line of no length is not drawn.
  return before === null ? '' : `${path}H${Math.max(x(last), 2)}`;
}
