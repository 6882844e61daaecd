import type { IncomingHttpHeaders } from 'node:http';

/** A request, read to its end. */
export interface Incoming {
  /** The time at which it came, by the service's clock. */
  at: Date;
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  body: unknown;
  /**
   * How it goes wrong on the wire: nothing is ever sent, the connection is reset, or it ends before
   * the complete body that content-length announced.
   */
  broken?: 'hangs' | 'reset' | 'cut';
  /** ms after which it is sent. */
  delay?: number;
}

export type Endpoint =
  | 'discovery'
  | 'token'
  | 'secureScores'
  | 'profiles'
  | 'addKey'
  | 'removeKey'
  | 'teams'
  | 'slack'
  | 'webhook';

/** The answer of one of the services to a request. */
export interface Handled {
  /** Null for an address that no service has. */
  endpoint: Endpoint | null;
  /** Lower case; null if the request identifies none (a Graph request without a valid token). */
  tenantId: string | null;
  reply: Reply;
  /** Called if no fault prevents the request from being accepted. */
  accept?: () => void;
  /** Called when the answer has left, or never will. */
  done?: () => void;
}
