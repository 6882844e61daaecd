export { curveStepAfter as stepCurve } from 'd3-shape';

/**
 * The score is known once a day, and stands until the next snapshot: its line is one of steps, in the mails' chart and on
 * the history page alike. A slope would show values between two days that nobody measured.
 * @returns the points of the line with the corners of its steps, in the same order
 */
export function withCorners(points: { x: number; y: number }[]): { x: number; y: number }[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before ? [{ x: point.x, y: before.y }, point] : [point];
  });
}
