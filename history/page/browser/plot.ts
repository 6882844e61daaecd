import { html } from 'htm/preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { nice, ticks as ticksOf } from 'd3-array';
import { nearest, type Span } from '../model.ts';
import type { Day } from '../wire.ts';
import type { Drawn } from './words.ts';

/** The frame of a chart over days: axes, and a day that the pointer or the keys move. */
export interface PlotProps {
  name: string;
  days: Day[];
  span: Span;
  /** Lowest and highest value. */
  domain: [number, number];
  tick: (value: number) => string;
  /** Values with grid lines; by default about as many as there is room for. */
  ticks?: number[];
  height: number;
  /** Values whose own labels stand at the axis: those of the grid give way. */
  quiet?: (number | null)[];
  /** Room for labels at the right end. */
  right: number;
  /** Redraws when the function changes. */
  layers: (scale: Scale) => Drawn;
  /** What a screen reader says of a day, */
  describe: (day: number) => string;
  /** and what is shown beside it. */
  tip: (day: number) => Drawn;
  /** Values on which a dot stands. */
  dots: (day: number) => (number | null)[];
  /** Days that Page Up and Page Down go to. */
  stops: number[];
  picked: number | null;
  onPick?: (day: number, by: 'pointer' | 'keys') => void;
  onZoom?: (span: Span) => void;
}

export interface Scale {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Of a day's place, in CSS pixels. */
  x: (day: number) => number;
  y: (value: number) => number;
  /** The place of the day that is nearest. */
  day: (x: number) => number;
}

const TOP = 22;
const BOTTOM = 30;
/** A finger or a hand that shakes draws no range. */
const LEAST_DRAG = 10;

export function Plot(props: PlotProps) {
  const { name, days, span, domain, height, layers, picked, stops, onPick, onZoom } = props;
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [cursor, setCursor] = useState<number | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const down = useRef<number | null>(null);

  const scale = useMemo(
    () => scaleOf(days, span, domain, { width, height, right: props.right }),
    [days, span.from, span.to, domain[0], domain[1], width, height, props.right],
  );
  const drawn = useMemo(() => layers(scale), [layers, scale]);
  const axes = useMemo(() => drawAxes(scale, props), [scale, props.tick, props.ticks, props.quiet?.join()]);

  const place = (event: PointerEvent) => {
    const { left } = frame.current!.getBoundingClientRect();
    return event.clientX - left;
  };
  const within = (day: number) => Math.min(span.to, Math.max(span.from, day));
  const at = cursor === null ? null : within(cursor);
  const now = at ?? within(picked ?? span.to);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = (day: number | undefined) => {
      if (day !== undefined) setCursor(within(day));
      event.preventDefault();
    };
    const step = event.shiftKey ? 7 : 1;
    switch (event.key) {
      case 'ArrowLeft':
      case 'ArrowDown':
        return to(now - step);
      case 'ArrowRight':
      case 'ArrowUp':
        return to(now + step);
      case 'PageUp':
        return to(stops.find((day) => day > now));
      case 'PageDown':
        return to(stops.findLast((day) => day < now));
      case 'Home':
        return to(span.from);
      case 'End':
        return to(span.to);
      case 'Enter':
      case ' ':
        onPick?.(now, 'keys');
        return event.preventDefault();
      default:
    }
  };

  return html`
    <div
      class="plot"
      ref=${frame}
      style=${{ height: `${height}px` }}
      tabindex="0"
      role="slider"
      aria-label=${name}
      aria-valuemin=${span.from}
      aria-valuemax=${span.to}
      aria-valuenow=${now}
      aria-valuetext=${props.describe(now)}
      onKeyDown=${onKeyDown}
      onFocus=${() => frame.current?.matches(':focus-visible') && setCursor(now)}
      onBlur=${() => setCursor(null)}
      onPointerMove=${(event: PointerEvent) => {
        const x = place(event);
        setCursor(scale.day(x));
        const from = down.current;
        if (from !== null && (drag || Math.abs(x - from) > LEAST_DRAG)) setDrag({ from, to: x });
      }}
      onPointerLeave=${() => {
        if (!drag) setCursor(null);
      }}
      onPointerDown=${(event: PointerEvent) => {
        if (event.button !== 0 || event.pointerType !== 'mouse' || !onZoom) return;
        down.current = place(event);
        frame.current?.setPointerCapture(event.pointerId);
      }}
      onPointerUp=${() => (down.current = null)}
      onPointerCancel=${() => {
        down.current = null;
        setDrag(null);
      }}
      onClick=${(event: PointerEvent) => {
        if (!drag) return onPick?.(within(scale.day(place(event))), 'pointer');
        const ends = [scale.day(drag.from), scale.day(drag.to)].toSorted((a, b) => a - b);
        setDrag(null);
        if (ends[1]! - ends[0]! > 1) onZoom?.({ from: ends[0]!, to: ends[1]! });
      }}
    >
      ${
        width > 0 &&
        html`<svg
          width=${width}
          height=${height}
          viewBox=${`0 0 ${width} ${height}`}
          aria-hidden="true"
          focusable="false"
        >
          ${axes}
          ${
            picked !== null &&
            picked >= span.from &&
            picked <= span.to &&
            html`<line
              class="picked"
              x1=${px(scale.x(picked))}
              x2=${px(scale.x(picked))}
              y1=${scale.top}
              y2=${scale.bottom}
            />`
          }
          ${drawn}
          ${
            drag &&
            html`<rect
              class="drag"
              x=${Math.min(drag.from, drag.to)}
              width=${Math.abs(drag.to - drag.from)}
              y=${scale.top}
              height=${scale.bottom - scale.top}
            />`
          }
          ${
            at !== null &&
            html`
              <line
                class="cursor"
                x1=${px(scale.x(at))}
                x2=${px(scale.x(at))}
                y1=${scale.top}
                y2=${scale.bottom}
              />
              ${props
                .dots(at)
                .map(
                  (value, index) =>
                    value !== null &&
                    html`<circle
                      class=${index === 0 ? 'dot' : 'dot other'}
                      cx=${px(scale.x(at))}
                      cy=${px(scale.y(value))}
                      r=${index === 0 ? 5 : 3.5}
                    />`,
                )}
            `
          }
        </svg>`
      }
      ${at !== null && !drag && html`<${Tip} x=${scale.x(at)} width=${width}>${props.tip(at)}</${Tip}>`}
    </div>
  `;
}

/** Beside the day, on the side that has more room. */
function Tip({ x, width, children }: { x: number; width: number; children: Drawn }) {
  const leftwards = x > width / 2;
  const style = leftwards ? { right: `${width - x + 14}px` } : { left: `${x + 14}px` };
  return html`<div class="tip" style=${style} aria-hidden="true">${children}</div>`;
}

/** In CSS pixels; 0 until it is known. */
export function useWidth(frame: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(Math.floor(frame.current?.clientWidth ?? 0));
    measure();
    const observer = new ResizeObserver(measure);
    if (frame.current) observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

export function scaleOf(
  days: Day[],
  span: Span,
  domain: [number, number],
  size: { width: number; height: number; right: number },
): Scale {
  const box = {
    left: 2,
    right: Math.max(40, size.width - size.right),
    top: TOP,
    bottom: size.height - BOTTOM,
  };
  const [first, last] = [days[span.from]!.number, days[span.to]!.number];
  const start = box.left + 4;
  const perDay = (box.right - start) / Math.max(1, last - first);
  const perUnit = (box.bottom - box.top) / (domain[1] - domain[0]);
  return {
    ...box,
    width: size.width,
    height: size.height,
    x: (day) => start + (days[day]!.number - first) * perDay,
    y: (value) => box.bottom - (value - domain[0]) * perUnit,
    day: (x) =>
      Math.min(span.to, Math.max(span.from, nearest(days, Math.round(first + (x - start) / perDay)))),
  };
}

/** The distance of two values that stand a number of CSS pixels apart. @param height of the whole plot */
export function valuesIn(pixels: number, [lowest, highest]: [number, number], height: number): number {
  return (pixels * (highest - lowest)) / (height - TOP - BOTTOM);
}

/** A round range around values, with a minimum span so that a wobble does not look like a fall. */
export function domainOf(values: number[], leastSpan: number): [number, number] {
  if (values.length === 0) return [0, 100];
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const spare = Math.max((highest - lowest) * 0.12, (leastSpan - (highest - lowest)) / 2);
  const [bottom, top] = nice(Math.max(0, lowest - spare), Math.min(100, highest + spare), 8);
  return [Math.max(0, bottom), Math.min(100, top)];
}

function drawAxes(scale: Scale, { days, span, domain, tick, ticks, quiet = [] }: PlotProps): Drawn {
  const room = Math.max(2, Math.min(6, Math.floor((scale.bottom - scale.top) / 52)));
  const values = ticks ?? ticksOf(domain[0], domain[1], room);
  return html`
    <g class="axes">
      ${values.map(
        (value) => html`
          <line x1=${scale.left} x2=${scale.right} y1=${px(scale.y(value))} y2=${px(scale.y(value))} />
          ${
            quiet.every((other) => other === null || Math.abs(scale.y(value) - scale.y(other)) > 18) &&
            html`<text x=${scale.right + 10} y=${px(scale.y(value) + 4.5)}>${tick(value)}</text>`
          }
        `,
      )}
      ${dateTicks(days, span, scale).map(
        ({ x, label, strong }) => html`
          <line class="tick" x1=${px(x)} x2=${px(x)} y1=${scale.bottom} y2=${scale.bottom + 5} />
          <text
            class=${strong ? 'strong' : ''}
            x=${px(x)}
            y=${scale.bottom + 20}
            text-anchor=${x < 24 ? 'start' : 'middle'}
          >
            ${label}
          </text>
        `,
      )}
    </g>
  `;
}

const month = new Intl.DateTimeFormat('en-GB', { month: 'short', timeZone: 'UTC' });
const dayAndMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

interface DateTick {
  x: number;
  label: string;
  /** The year, where one begins. */
  strong: boolean;
}

/** As many as there is room for: days, else months in steps that divide a year, else years. */
function dateTicks(days: Day[], span: Span, scale: Scale): DateTick[] {
  const [first, last] = [days[span.from]!.number, days[span.to]!.number];
  const room = (scale.right - scale.left) / Math.max(1, last - first);
  const x = (number: number) =>
    scale.left + 4 + (number - first) * ((scale.right - scale.left - 4) / Math.max(1, last - first));
  const inside = (tick: DateTick) => tick.x <= scale.right - 6;

  const each = [1, 2, 7, 14].find((step) => step * room >= 84);
  if (last - first <= 45 && each !== undefined) {
    return Array.from({ length: Math.floor((last - first) / each) + 1 }, (_, index): DateTick => {
      const number = first + index * each;
      return { x: x(number), label: dayAndMonth.format(number * 86_400_000), strong: false };
    }).filter(inside);
  }
  const step = [1, 2, 3, 6, 12, 24].find((months) => months * 30 * room >= 46) ?? 60;
  const ticks: DateTick[] = [];
  const start = new Date(first * 86_400_000);
  for (let months = start.getUTCFullYear() * 12 + start.getUTCMonth(); ; months += 1) {
    const number = Date.UTC(Math.floor(months / 12), months % 12, 1) / 86_400_000;
    if (number > last) return ticks.filter(inside);
    if (number < first || months % step !== 0) continue;
    const january = months % 12 === 0;
    const label = january ? String(Math.floor(months / 12)) : month.format(number * 86_400_000);
    ticks.push({ x: x(number), label, strong: january });
  }
}

/** Whether the media query holds, now and later. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const update = () => setMatches(media.matches);
    media.addEventListener('change', update);
    return () => media.removeEventListener('change', update);
  }, [query]);
  return matches;
}

export function px(value: number): number {
  return Math.round(10 * value) / 10;
}
