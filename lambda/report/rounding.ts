/** Relative: what differs less from a whole number is one, but for the noise of binary fractions. */
const NOISE = 1e-9;

/**
 * Rounds a sum and its parts so that they add up as printed (largest remainder): the total as usual, each part to a
 * neighbour of its own, those with the largest remainders upwards. A part of 0 stays 0.
 * @param parts that add up to about `total`
 * @returns whole numbers of units of the last decimal: 12 of two decimals is 0.12
 */
export function roundTogether(
  parts: number[],
  total: number,
  decimals: number,
): { parts: number[]; total: number } {
  const unit = 10 ** decimals;
  const scaled = parts.map((part) => snapped(part * unit));
  const floors = scaled.map(Math.floor);
  // Half a unit goes away from zero, as people round.
  const rounded = Math.sign(total) * Math.floor(snapped(Math.abs(total) * unit) + 0.5);
  const left = rounded - floors.reduce((sum, floor) => sum + floor, 0);
  const upwards = new Set(
    scaled
      .map((value, index) => ({ index, remainder: value - floors[index]! }))
      .toSorted((a, b) => b.remainder - a.remainder || a.index - b.index)
      .slice(0, Math.max(0, left))
      .map(({ index }) => index),
  );
  // Without negative zeros, which would be printed with a sign.
  return {
    parts: floors.map((floor, index) => floor + (upwards.has(index) ? 1 : 0) || 0),
    total: rounded || 0,
  };
}

/** Whether a part is not rounded as usual, so that all of them add up. */
export function bends(parts: number[], printed: number[], decimals: number): boolean {
  return parts.some((part, index) => Math.abs((printed[index] ?? 0) - part * 10 ** decimals) > 0.5 + SLACK);
}

/** In units of the last decimal: what differs less from a half is one. */
const SLACK = 5e-6;

/** What is a whole number but for the noise of binary fractions is one. */
function snapped(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < NOISE * Math.max(1, Math.abs(value)) ? whole : value;
}
