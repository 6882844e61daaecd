import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { openChannel } from '../../lambda/channels/channels.ts';
import { secretsOf } from '../../lambda/channels/secret-address.ts';
import { deadlineIn, machineClock } from '../../lambda/clock.ts';
import { portalOf } from '../../lambda/report/portal.ts';
import type { ChannelSettings, Tenant } from '../../lambda/config.ts';
import { reportOfOperations } from '../../lambda/run/incidents.ts';

/** ms: longer than a request may take, and short enough for somebody who waits. */
const PATIENCE_MS = 30_000;

/**
 * Sends a real message, marked as a test.
 * @param tenant to which its button leads
 * @returns the id by which the receiver knows it. @throws DeliveryError
 */
export function sendTest(channel: ChannelSettings, tenant: Tenant): Promise<string> {
  const clock = machineClock;
  const now = clock.now();
  const report = reportOfOperations(
    { tenant },
    EMPTY_STATE,
    now,
    [],
    [`Somebody ran secure-score channel test, and the channel ${channel.name} has reached you.`],
  );
  return openChannel(channel, { clock, secrets: secretsOf(), portal: portalOf(tenant) }).send({
    id: `test-${now.getTime()}-operations-${channel.name}`,
    kind: 'operations',
    report,
    reportKey: '',
    urgent: false,
    deadline: deadlineIn(clock, PATIENCE_MS),
  });
}
