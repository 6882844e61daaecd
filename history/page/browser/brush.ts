import { html } from 'htm/preact';
import { useMemo, useRef } from 'preact/hooks';
import { area } from 'd3-shape';
import { stepCurve } from '../../../lambda/report/chart/steps.ts';
import { day as fullDay } from '../../../lambda/report/format.ts';
import type { Span } from '../model.ts';
import type { Day } from '../wire.ts';
import { domainOf, px, scaleOf, useWidth } from './plot.ts';

const HEIGHT = 46;
/** The shortest period shown: a line needs two ends. */
const LEAST_DAYS = 2;

interface BrushProps {
  days: Day[];
  span: Span;
  onChange: (span: Span) => void;
}

type Part = 'from' | 'to' | 'both';

/** All days in small, and the window on them: drawn with the pointer, or moved by the keys. */
export function Brush({ days, span, onChange }: BrushProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const held = useRef<{ part: Part; at: number; span: Span } | null>(null);
  const all = useMemo(() => ({ from: 0, to: days.length - 1 }), [days]);
  const scale = useMemo(() => {
    const values = days.flatMap(({ percentage }) => percentage ?? []);
    const of = scaleOf(days, all, domainOf(values, 4), { width, height: HEIGHT, right: 4 });
    return of;
  }, [days, width]);
  const shape = useMemo(() => {
    const values = days.flatMap(({ percentage }, index) =>
      percentage === null ? [] : [{ index, percentage }],
    );
    const [lowest, highest] = domainOf(
      values.map(({ percentage }) => percentage),
      4,
    );
    const y = (value: number) => HEIGHT - 4 - ((value - lowest) / (highest - lowest)) * (HEIGHT - 10);
    return area<{ index: number; percentage: number }>(
      ({ index }) => scale.x(index),
      HEIGHT,
      ({ percentage }) => y(percentage),
    )
      .curve(stepCurve)
      .digits(1)(values);
  }, [days, scale]);

  const last = days.length - 1;
  const move = (part: Part, of: Span, by: number): Span => {
    if (part === 'from') return { from: clamp(of.from + by, 0, of.to - LEAST_DAYS + 1), to: of.to };
    if (part === 'to') return { from: of.from, to: clamp(of.to + by, of.from + LEAST_DAYS - 1, last) };
    const shift = clamp(by, -of.from, last - of.to);
    return { from: of.from + shift, to: of.to + shift };
  };

  const onPointerDown = (part: Part) => (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    frame.current!.setPointerCapture(event.pointerId);
    held.current = { part, at: event.clientX, span };
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!held.current) return;
    const { part, at, span: start } = held.current;
    const reference = part === 'to' ? start.to : start.from;
    const by = scale.day(scale.x(reference) + event.clientX - at) - reference;
    onChange(move(part, start, by));
  };
  const onKeyDown = (part: 'from' | 'to') => (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -30,
      PageUp: 30,
      Home: -days.length,
      End: days.length,
    };
    const by = steps[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onChange(move(part, span, by * (event.shiftKey ? 7 : 1)));
  };
  /** Beside the window: it comes there. */
  const jump = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const x = event.clientX - frame.current!.getBoundingClientRect().left;
    const middle = Math.round((span.from + span.to) / 2);
    onChange(move('both', span, scale.day(x) - middle));
  };

  const [left, right] = [scale.x(span.from), scale.x(span.to)];
  const handle = (part: 'from' | 'to') => {
    const place = span[part];
    return html`<div
      class="handle"
      role="slider"
      tabindex="0"
      style=${{ left: `${px(part === 'from' ? left : right)}px` }}
      aria-label=${part === 'from' ? 'First day shown' : 'Last day shown'}
      aria-valuemin="0"
      aria-valuemax=${last}
      aria-valuenow=${place}
      aria-valuetext=${fullDay(days[place]!.date)}
      onKeyDown=${onKeyDown(part)}
      onPointerDown=${onPointerDown(part)}
    ></div>`;
  };
  return html`
    <div
      class="brush"
      ref=${frame}
      style=${{ height: `${HEIGHT}px` }}
      role="group"
      aria-label="Days shown"
      onPointerDown=${jump}
      onPointerMove=${onPointerMove}
      onPointerUp=${() => (held.current = null)}
      onPointerCancel=${() => (held.current = null)}
    >
      ${
        width > 0 &&
        html`
          <svg width=${width} height=${HEIGHT} aria-hidden="true" focusable="false">
            <path class="all" d=${shape} />
          </svg>
          <div
            class="window"
            style=${{ left: `${px(left)}px`, width: `${px(right - left)}px` }}
            onPointerDown=${onPointerDown('both')}
          ></div>
          ${handle('from')} ${handle('to')}
        `
      }
    </div>
  `;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
