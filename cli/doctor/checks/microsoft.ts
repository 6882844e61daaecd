import { checkCertificate, day, type CheckedCertificate } from '../../../lambda/certificate/bundle.ts';
import { pemFileSource } from '../../../lambda/certificate/pem-file.ts';
import { secretsManagerSource } from '../../../lambda/certificate/secrets-manager.ts';
import { deadlineIn, machineClock } from '../../../lambda/clock.ts';
import type { Tenant } from '../../../lambda/config.ts';
import { dateOf, daysBetween } from '../../../lambda/dates.ts';
import { MonitorError, quote } from '../../../lambda/errors.ts';
import { graphClient } from '../../../lambda/graph/client.ts';
import { readAnswer, readProfiles, type Day } from '../../../lambda/graph/schema.ts';
import { putCommand } from '../../../lambda/outputs.ts';
import type { GraphSession } from '../../../lambda/ports.ts';
import { count, day as calendarDay, score } from '../../../lambda/report/format.ts';
import { STALE_AFTER_DAYS } from '../../../lambda/run/incidents.ts';
import { daysLeft } from '../../../lambda/watch/incidents.ts';
import { needsSomebody } from '../../certificate/expiry.ts';
import { secretsClient } from '../../certificate/secrets.ts';
import type { Outcome } from './examination.ts';
import { webIdentityHere } from './federation.ts';
import { commandLine, shellWord } from '../../../lambda/command-line.ts';

/** How long Entra and Graph are tried; a run is more patient. */
const PATIENCE_MS = 45_000;

/** The number of days that a daily run asks for. */
const DAYS = 8;

/**
 * Checks that the app's certificate exists, has its key, and is valid.
 * @param renews whether it is to renew itself
 */
export async function certificateCheck(
  from: { file: string } | { secret: string },
  renews: boolean,
): Promise<Outcome<CheckedCertificate>> {
  const now = machineClock.now();
  const bundle =
    'file' in from
      ? checkCertificate(await pemFileSource(from.file).read(), now, `the file ${quote(from.file)}`)
      : checkCertificate(
          await secretsManagerSource({ client: secretsClient(), defaultSecret: from.secret }).read({}),
          now,
          `the secret ${quote(from.secret)}`,
        );
  const days = daysLeft(bundle.notAfter.toISOString(), now);
  return {
    found: `${bundle.subject}, valid until ${day(bundle.notAfter)} (${count(days, 'day')} left), SHA-1 ${bundle.thumbprintSha1}`,
    value: bundle,
    ...(needsSomebody(bundle, renews, now) && {
      warning: renews
        ? `It should have renewed itself: see what ${commandLine(`certificate rotate --dry-run${'file' in from ? ` --certificate ${shellWord(from.file)}` : ''}`)} says.`
        : `Make the next one now (${commandLine('certificate create')}), upload its public part, then: ${'secret' in from ? putCommand(from.secret) : 'sign in with that file'}.`,
    }),
  };
}

/** A sign-in that Entra granted; the permission in the token is a check of its own. */
export type SignedIn = { session: GraphSession } | { missing: MonitorError };

/** @param certificate null: with a token of AWS for whoever runs this */
export async function signInCheck(
  tenant: Tenant,
  certificate: CheckedCertificate | null,
): Promise<Outcome<SignedIn>> {
  const found = `Entra ID knows the app ${tenant.clientId} and ${certificate ? 'its certificate' : 'trusts the token of AWS'}`;
  try {
    const clock = machineClock;
    const deadline = deadlineIn(clock, PATIENCE_MS);
    const graph = graphClient({ clock, webIdentity: webIdentityHere() });
    return { found, value: { session: await graph.signIn(tenant, certificate, deadline) } };
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'permission-missing')) throw error;
    return { found, value: { missing: error } };
  }
}

export function permissionCheck(signedIn: SignedIn): Outcome<GraphSession> {
  if ('missing' in signedIn) throw signedIn.missing;
  return { found: 'the token may read the Secure Score (SecurityEvents.Read.All)', value: signedIn.session };
}

/** Checks Graph's answers by the rules of a run. */
export async function graphCheck(tenant: Tenant, session: GraphSession): Promise<Outcome<Day>> {
  const entries = await session.secureScores(DAYS, null);
  const { days, skipped } = readAnswer({ entries, tenantId: tenant.tenantId, now: machineClock.now() });
  const { profiles } = readProfiles(await session.controlProfiles());
  const newest = days.at(-1)!;
  const { points, maximum, controls } = newest.snapshot;
  const percentage = maximum > 0 ? (100 * points) / maximum : null;
  return {
    found: `${score({ date: newest.date, points, maximum, percentage })}, ${count(controls.size, 'recommendation')}, ${count(profiles.size, 'profile')}`,
    value: newest,
    ...(skipped.length > 0 && {
      warning: `${count(skipped.length, 'entry', String(skipped.length)).replace('entrys', 'entries')} of the answer cannot be used: ${quote(skipped[0]?.reason, 200)}. A run leaves it out and goes on.`,
    }),
  };
}

export function newestCheck(newest: Day): Outcome<void> {
  const today = dateOf(machineClock.now());
  const age = daysBetween(newest.date, today);
  const found = `of ${calendarDay(newest.date)}, ${age <= 0 ? 'today' : `${count(age, 'day')} old`}`;
  if (age < STALE_AFTER_DAYS) return { found, value: undefined };
  throw new MonitorError(
    'stale',
    `${found}: Microsoft has not published a new one since.`,
    'Nothing has to be done here: a run archives what was missed as soon as it is published. If the portal (https://security.microsoft.com/securescore) shows newer days, or it lasts, open a support request with Microsoft.',
  );
}
