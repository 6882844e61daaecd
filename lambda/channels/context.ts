import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Clock } from '../ports.ts';
import type { Secrets } from './secret-address.ts';

/** What the channels of a tenant have in common. */
export interface Context {
  clock: Clock;
  secrets: Secrets;
  /** Address of the tenant's Secure Score, for buttons. */
  portal: string;
  /** Made of the environment where absent. */
  events?: EventBridgeClient | undefined;
}
