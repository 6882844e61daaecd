import type { Sender } from '../channels/mail.ts';
import type { Tenant } from '../config.ts';
import { MonitorError } from '../errors.ts';
import type { MailKind, Ports } from '../ports.ts';
import type { Change, Explanation } from '../score/change.ts';
import type { ScoreLine } from '../score/snapshot.ts';

/** One run, for one tenant. */
export interface Run {
  tenant: Tenant;
  sender: Sender;
  ports: Ports;
}

/**
 * The result of one run: returned by the function, printed by `run --json`. Dates are yyyy-mm-dd, percentages
 * unrounded, a side that does not exist is null.
 */
export interface RunResult {
  tenant: string;
  name: string;
  /** Days archived by this run, ascending. */
  archived: string[];
  /** The newest day that counts. A suspect day does not count while it waits. */
  score: ScoreLine;
  /** Changes on the days that this run compared. */
  changes: Change[];
  /** The change over the same days, from the percentage of the first to that of the last, in percentage points. */
  explanation: Explanation;
  /** Mails sent by this run. */
  mails: SentMail[];
  /** Mails that wait because they failed or another run has claimed them. */
  pending: PendingMail[];
  /** The deliveries that this run sent, left waiting, and gave up. */
  deliveries: DeliveryResult[];
}

/** The outcome of a delivery. `channel` is 'mail' or the type of the channel that `destination` names. */
export type DeliveryResult = { channel: string; kind: MailKind; destination: string } & (
  | { id: string }
  | { pending: true; problem: string | null }
  /** The reason. */
  | { dropped: string }
);

/** What was delivered. */
export interface Delivered extends Pick<RunResult, 'mails' | 'pending' | 'deliveries'> {
  /** Number of deliveries that were given up or wait for somebody. */
  failed: number;
}

export interface PendingMail {
  kind: MailKind;
  subject: string;
  to: string[];
}

export interface SentMail extends PendingMail {
  /** SES MessageId, or the Message-ID of the .eml. */
  id: string;
}

/** Another run is sending these findings. It is retryable, because a later run takes over when the claim ends. */
export class ClaimedError extends MonitorError {
  /** The result of what this run did all the same, with the claimed mails in `pending`. */
  readonly result: RunResult | null;

  /** @param whose reports: "this tenant" */
  constructor(whose: string, until: string, result: RunResult | null) {
    super(
      'claimed-by-another-run',
      `Another run is sending the reports of ${whose}, until ${until} at the latest.`,
      'Run again after that time: whatever is unsent by then is sent.',
      { retryable: true },
    );
    this.result = result;
  }
}
