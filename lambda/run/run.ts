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
 * What one run did: returned by the function, printed by `run --json`. Dates are yyyy-mm-dd, percentages
 * unrounded, a side that does not exist is null.
 */
export interface RunResult {
  tenant: string;
  name: string;
  /** Days archived by this run, ascending. */
  archived: string[];
  /** The newest day that counts: a suspect one does not, as long as it waits. */
  score: ScoreLine;
  /** Of the days that this run compared. */
  changes: Change[];
  /** Of the same days: from the percentage of the first to that of the last, in percentage points. */
  explanation: Explanation;
  mails: SentMail[];
  /** Mails that another run has claimed and not sent yet. */
  pending: PendingMail[];
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

/** Another run is sending this tenant's mails. Retryable: its claim ends, and whoever comes then takes it over. */
export class ClaimedError extends MonitorError {
  /** What this run did all the same, with the claimed mails in `pending`. */
  readonly result: RunResult | null;

  constructor(until: string, result: RunResult | null) {
    super(
      'claimed-by-another-run',
      `Another run is sending the mails of this tenant, until ${until} at the latest.`,
      'Run again after that time: whatever is unsent by then is sent.',
      { retryable: true },
    );
    this.result = result;
  }
}
