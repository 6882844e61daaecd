/*
 * Which faults a history really met. One that was drawn and met nothing (a crash at a call that was never made, a webhook
 * that is down while nobody sends) proves nothing, so only what had an effect is counted.
 */

/** Each must be met in five years. Those that last say how long they had lasted when they were met. */
export const FAULTS = [
  'outage of a day',
  'outage of 80 days',
  'silent for weeks',
  'late',
  'missing',
  'restated',
  'restated back',
  'placeholder',
  'malformed',
  'partial',
  'empty',
  'future',
  'half',
  'total',
  'half catalogue',
  'no catalogue',
  'new',
  'removed',
  'renamed',
  're-scored',
  'services',
  'licence',
  'decided',
  'taken back',
  'throttled',
  'refused',
  'paused',
  'webhook down for days',
  'webhook deleted',
  'retried by the same invocation',
  'taken over from a dead invocation',
  'two at once',
  'two digests at once',
  'fired twice',
  'not fired',
  'watch not fired',
  'digest not fired',
  'clock wrong',
  'leap day',
  'renewal interrupted',
  'updated',
  'retried by the newer version',
] as const;

export type Fault = (typeof FAULTS)[number];

export type Recipe = 'run' | 'watch' | 'digest' | 'renewal';
export type Death = 'before' | 'after' | 'error';

export class Faults {
  readonly met = new Map<Fault, number>();
  /** How often a recipe called a port, and how often the call died: `recipe port`, `recipe port when`. */
  readonly calls = new Map<string, number>();
  readonly deaths = new Map<string, number>();

  meet(fault: Fault): void {
    this.met.set(fault, (this.met.get(fault) ?? 0) + 1);
  }

  call(recipe: Recipe, port: string): void {
    const key = `${recipe} ${port}`;
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
  }

  die(recipe: Recipe, port: string, when: Death): void {
    const key = `${recipe} ${port} ${when}`;
    this.deaths.set(key, (this.deaths.get(key) ?? 0) + 1);
  }

  /** What was never met, and at which ports of a recipe no call died before its effect, or after it. */
  missing(): string[] {
    const faults = FAULTS.filter((fault) => !this.met.has(fault));
    // A pause has no effect before or after which to die.
    const calls = [...this.calls.keys()].filter((call) => !call.endsWith(' pause'));
    const deaths = calls.flatMap((call) =>
      ['before', 'after'].map((when) => `${call} ${when}`).filter((death) => !this.deaths.has(death)),
    );
    return [...faults, ...deaths.map((death) => `crash: ${death}`)];
  }
}
