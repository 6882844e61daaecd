import { setTimeout } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/**
 * The machine's clock, and the one place that reads it. Whoever builds ports takes it from here and hands it on; all
 * else asks the clock that it was given (the lint rule of .oxlint/one-clock.js holds the exceptions).
 */
export const machineClock: Clock = { now: () => new Date() };

/** The moment in `ms` from now, for a deadline: by the clock that it is going to be compared with. */
export function deadlineIn(clock: Clock, ms: number): Date {
  return new Date(clock.now().getTime() + ms);
}

/** Waits for a time in ms. */
export const pause = (ms: number): Promise<void> => setTimeout(ms);
