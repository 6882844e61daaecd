import type { Config } from '../../lambda/config.ts';
import { MonitorError } from '../../lambda/errors.ts';

const TIMEOUT_MS = 10_000;

type Heartbeat = NonNullable<Config['heartbeat']>;

/**
 * Fetches the address that whoever waits for it (a dead-man's switch) takes as a sign of life.
 * @throws MonitorError `heartbeat-failed`, which shows the address's server alone: who knows all of it can feign life
 */
export async function beat({ url }: Heartbeat): Promise<void> {
  const { host } = new URL(url);
  const failed = (why: string) =>
    new MonitorError(
      'heartbeat-failed',
      `The run did its work, but its heartbeat at ${host} failed: ${why}.`,
      'Check heartbeat.url in the config: whoever waits for it is going to raise an alarm.',
    );
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await answer.body?.cancel();
    if (!answer.ok) throw failed(`it answers ${answer.status}`);
  } catch (error) {
    if (error instanceof MonitorError) throw error;
    const { message, cause } = error as Error;
    throw failed(cause instanceof Error ? cause.message || cause.name : message);
  }
}
