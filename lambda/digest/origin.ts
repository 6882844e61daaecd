import type { Digest } from '../config.ts';
import { MonitorError } from '../errors.ts';
import { keyOfReport } from '../archive/state.ts';
import type { Addressee, ObjectStore } from '../ports.ts';
import type { AnyReport } from '../report/digest-model.ts';
import { operationsAlone } from '../run/incidents.ts';
import type { Origin } from '../run/origin.ts';
import { EMPTY_DIGEST, readDigest, swapDigest, type DigestState } from './state.ts';

/** The deliveries of a digest: by the same claim and outbox as a tenant's. */
export function ofDigest(digest: Digest, store: ObjectStore): Origin<DigestState> {
  const { name, timeZone } = digest;
  return {
    whose: `the digest ${name}`,
    facts: { digest: name },
    addressee: addresseeOf(digest),
    empty: EMPTY_DIGEST,
    state: () => readDigest(store, name),
    swap: (state, expected) => swapDigest(store, name, state, expected),
    async report(key) {
      const object = await store.get(key);
      try {
        if (object)
          return (JSON.parse(Buffer.from(object.bytes).toString('utf8')) as { report: AnyReport }).report;
      } catch {
        // Treated as missing.
      }
      throw new MonitorError(
        'archive-damaged',
        `${store.location}/${key} is ${object ? 'damaged' : 'missing'}.`,
        'Restore the object from an earlier version or a backup.',
      );
    },
    /** A digest is in no ledger, because all its facts come from the tenants' reports, which are in theirs. */
    async archive(state, deliveries) {
      const { claim } = state;
      if (!claim?.report) return state;
      const { report } = claim;
      const bytes = Buffer.from(`${JSON.stringify({ report, deliveries }, null, 2)}\n`);
      await store.create(keyOfReport(report), bytes);
      return { ...state, claim: { ...claim, report: null } };
    },
    ofOperations: (_, now, operations) =>
      operationsAlone({ tenantId: '', digest: name, name: `Digest “${name}”`, timeZone }, now, operations),
  };
}

export function addresseeOf({ to, channels }: Pick<Digest, 'to' | 'channels'>): Addressee {
  return { recipients: { scores: to, controls: to }, channels };
}
