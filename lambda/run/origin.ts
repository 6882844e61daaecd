import { lastReportedOf, EMPTY_STATE, type Delivery, type Notified, type State } from '../archive/state.ts';
import { contentHash, type Archive, type Versioned } from '../archive/archive.ts';
import type { Addressee } from '../ports.ts';
import type { Tenant } from '../config.ts';
import type { AnyReport } from '../report/digest-model.ts';
import type { OperationsItem, Report } from '../report/model.ts';
import { reportOfOperations } from './incidents.ts';
import { enterReport } from './ledger.ts';

/** The part of a state that delivering changes. */
export interface Outgoing {
  outbox: Delivery[];
  said: Pick<Notified, 'undelivered' | 'ended'>;
  claim: { invocation: string; until: string; report: AnyReport | null } | null;
}

/** Whose reports are delivered: a tenant's, or a digest's. */
export interface Origin<S extends Outgoing> {
  /** The owner as errors spell it: "this tenant", "the digest daily". */
  whose: string;
  /** Facts that identify the owner in the log. */
  facts: Record<string, string>;
  /** Where its deliveries go. */
  addressee: Addressee;
  /** The state if there is none yet. */
  empty: S;
  state(): Promise<Versioned<S>>;
  /** Compare-and-swap. @returns the new state; undefined if another run came first */
  swap(state: S, expected: string | null): Promise<Versioned<S> | undefined>;
  /** @param key of a delivery's report. @throws MonitorError `archive-damaged` */
  report(key: string): Promise<AnyReport>;
  /**
   * Archives the claimed report with its deliveries, once, however many tries it takes.
   * @returns the state that records it
   */
  archive(state: S, deliveries: ArchivedDelivery[], now: Date): Promise<S>;
  /** A report to operations about its deliveries. */
  ofOperations(state: S, now: Date, items: OperationsItem[]): Report;
}

export type ArchivedDelivery = Pick<Delivery, 'id' | 'destination' | 'kind' | 'subject' | 'to'>;

/** The deliveries of a report in an outbox, as they are archived with it. */
export function deliveriesIn(outbox: Delivery[], report: AnyReport): ArchivedDelivery[] {
  return outbox
    .filter(({ id }) => id.startsWith(contentHash(report).slice(0, 16)))
    .map(({ id, destination, kind, subject, to }) => ({ id, destination, kind, subject, to }));
}

export function ofTenant(tenant: Tenant, archive: Archive): Origin<State> {
  return {
    whose: 'this tenant',
    facts: { tenant: tenant.tenantId },
    addressee: tenant,
    empty: EMPTY_STATE,
    state: () => archive.state(),
    swap: (state, expected) => archive.swapState(state, expected),
    report: async (key) => (await archive.report(key)).report,
    async archive(state, deliveries, now) {
      const { claim } = state;
      if (!claim?.report) return state;
      const archived = { report: claim.report, deliveries, next: lastReportedOf(state) };
      const ledger = await enterReport(archive, state.ledger, archived, now);
      return { ...state, ledger, claim: { ...claim, report: null } };
    },
    ofOperations: (state, now, items) => reportOfOperations({ tenant }, state, now, items),
  };
}
