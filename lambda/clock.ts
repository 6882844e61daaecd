import { setTimeout } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/**
 * The machine's clock. It is read only here: the builders of ports pass it on, and everything else uses the clock that it
 * was given (the lint rule .oxlint/one-clock.js lists the exceptions).
 */
export const machineClock: Clock = { now: () => new Date() };

/** The time in `ms` from now, for a deadline, by the clock with which the deadline will be compared. */
export function deadlineIn(clock: Clock, ms: number): Date {
  return new Date(clock.now().getTime() + ms);
}

/** Waits for a time in ms. */
export const pause = (ms: number): Promise<void> => setTimeout(ms);
