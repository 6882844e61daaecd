/**
 * Graph's limits for Secure Score, per app and tenant:
 * https://learn.microsoft.com/en-us/graph/throttling-limits#security-detections-and-incidents-service-limits
 */
export interface ThrottleRules {
  perMinute: number;
  atATime: number;
}

export const GRAPH_RULES: ThrottleRules = { perMinute: 150, atATime: 4 };

/** Counts requests of each app in each tenant over the last minute, and those under way. */
export class Throttle {
  readonly #rules: ThrottleRules;
  readonly #recent = new Map<string, number[]>();
  readonly #underWay = new Map<string, number>();

  constructor(rules: ThrottleRules) {
    this.#rules = rules;
  }

  /**
   * @param now milliseconds
   * @returns undefined where the request may pass (then `leave` has to follow), else the seconds to wait
   */
  enter(key: string, now: number): number | undefined {
    const recent = (this.#recent.get(key) ?? []).filter((time) => time > now - 60_000);
    this.#recent.set(key, recent);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= this.#rules.perMinute) {
      return Math.max(1, Math.ceil((oldest + 60_000 - now) / 1000));
    }
    const underWay = this.#underWay.get(key) ?? 0;
    if (underWay >= this.#rules.atATime) return 1;
    recent.push(now);
    this.#underWay.set(key, underWay + 1);
    return undefined;
  }

  leave(key: string): void {
    this.#underWay.set(key, (this.#underWay.get(key) ?? 1) - 1);
  }
}
