import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Clock } from '../ports.ts';
import type { Secrets } from './secret-address.ts';

/** What all channels of a tenant need. */
export interface Context {
  clock: Clock;
  secrets: Secrets;
  /** Address of the tenant's Secure Score, for buttons. */
  portal: string;
  /** Created from the environment if absent. */
  events?: EventBridgeClient | undefined;
}
