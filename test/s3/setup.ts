import { leadTo, startEmulator } from '../emulator.ts';

/** vitest's global setup: an S3 on loopback for the tests that follow. @returns the teardown */
export default async function setup(): Promise<() => Promise<void>> {
  const { endpoint, stop } = await startEmulator({
    services: 's3,secretsmanager,ses,sesv2,scheduler,cloudformation,sts',
  });
  leadTo(endpoint);
  return stop;
}
