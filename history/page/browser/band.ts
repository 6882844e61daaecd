import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { area, line } from 'd3-shape';
import { stepCurve } from '../../../lambda/report/chart/steps.ts';
import { day as fullDay } from '../../../lambda/report/format.ts';
import type { bandOf } from '../fleet-model.ts';
import { dateOfNumber, type Day } from '../wire.ts';
import { domainOf, Plot, px, useMedia, type Scale } from './plot.ts';
import { percent, percentTick, type Drawn } from './words.ts';

interface BandChartProps {
  /** The newest day, since 1970-01-01. */
  last: number;
  band: ReturnType<typeof bandOf>;
  /** The days of the period, which begins where a line stands. */
  since: number;
}

/** The median of all tenants over the window, and between what the middle half of them lies. */
export function BandChart({ last, band, since }: BandChartProps) {
  const narrow = useMedia('(max-width: 640px)');
  const { low, median, high } = band;
  const days = useMemo(
    () => median.map((_, index) => dayOf(last - median.length + 1 + index)),
    [last, median],
  );
  const span = useMemo(() => ({ from: 0, to: days.length - 1 }), [days]);
  const domain = useMemo(
    () =>
      domainOf(
        [...low, ...high].flatMap((value) => value ?? []),
        4,
      ),
    [band],
  );
  const layers = useMemo(() => (scale: Scale) => drawBand(band, since, scale), [band, since]);
  const describe = (index: number) => {
    const [from, to] = [low[index] ?? null, high[index] ?? null];
    return `median ${percent(median[index] ?? null)}, half of the tenants between ${percent(from)} and ${percent(to)}`;
  };
  return html`
    <${Plot}
      name="Secure Score of all tenants, day by day"
      days=${days}
      span=${span}
      domain=${domain}
      tick=${percentTick}
      height=${narrow ? 160 : 170}
      quiet=${median.slice(-1)}
      right=${narrow ? 64 : 70}
      layers=${layers}
      describe=${(index: number) => `${fullDay(days[index]!.date)}: ${describe(index)}`}
      tip=${(index: number) => html`
        <p class="tip-day">${fullDay(days[index]!.date)}</p>
        <p class="tip-score"><strong>${percent(median[index] ?? null)}</strong></p>
        <p class="soft">
          ${`half of the tenants between ${percent(low[index] ?? null)} and ${percent(high[index] ?? null)}`}
        </p>
      `}
      dots=${(index: number) => [median[index] ?? null]}
      stops=${[]}
      picked=${null}
    />
    <p class="legend">
      <span><span class="key line" aria-hidden="true"></span>median</span>
      <span><span class="key band-key" aria-hidden="true"></span>the middle half of the tenants</span>
    </p>
  `;
}

/** What a plot needs of a day. */
export function dayOf(number: number): Day {
  return {
    number,
    date: dateOfNumber(number),
    points: 0,
    maximum: 0,
    percentage: null,
    peersAll: null,
    peersSimilar: null,
  };
}

function drawBand({ low, median, high }: BandChartProps['band'], since: number, scale: Scale): Drawn {
  const places = median.flatMap((value, place) => (value === null ? [] : [place]));
  const between = area<number>(
    (place) => scale.x(place),
    (place) => scale.y(low[place]!),
    (place) => scale.y(high[place]!),
  )
    .curve(stepCurve)
    .digits(1);
  const middle = line<number>(
    (place) => scale.x(place),
    (place) => scale.y(median[place]!),
  )
    .curve(stepCurve)
    .digits(1);
  const start = median.length - 1 - since;
  const last = median.at(-1) ?? null;
  return html`
    <path class="between" d=${between(places)} />
    ${start > 0 && html`<line class="since" x1=${px(scale.x(start))} x2=${px(scale.x(start))} y1=${scale.top} y2=${scale.bottom} />`}
    <path class="line" d=${middle(places)} />
    ${
      last !== null &&
      html`<text class="label last" x=${px(scale.right + 10)} y=${px(scale.y(last) + 5.5)}
        >${percent(last)}</text
      >`
    }
  `;
}
