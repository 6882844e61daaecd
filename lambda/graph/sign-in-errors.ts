import { day, type CheckedCertificate } from '../certificate/bundle.ts';
import type { Tenant } from '../config.ts';
import { MonitorError } from '../errors.ts';
import { excerpt } from './exchange.ts';

/** What is known of a sign-in that Entra ID refused. */
export interface Refusal {
  tenant: Tenant;
  certificate: CheckedCertificate;
  /** The number of the AADSTS error. */
  number: number;
  /** Entra's own words; of use only where the number is not known. */
  description: string;
  /** ms that this machine's clock is ahead of Entra's (negative: behind); null where Entra did not tell the time. */
  skew: number | null;
  /** When it refused, by the run's clock. */
  now: Date;
}

interface Verdict {
  code: string;
  message: string;
  advice: string;
  retryable?: boolean;
}

/**
 * What the operator is told, by number: the texts of the errors change, the numbers do not.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const VERDICTS: ReadonlyMap<number, (refusal: Refusal) => Verdict> = new Map([
  [700027, certificateUnknown],
  [1000502, certificateExpired],
  [7000274, certificateExpired],
  [7000214, certificateRevoked],
  [7000277, certificateRevoked],
  [700024, clockSkew],
  [700016, appNotInTenant],
  [7000229, appNotInTenant],
  [7000112, appDisabled],
  [90002, tenantNotFound],
  [900023, tenantNotFound],
  [53003, blockedByConditionalAccess],
  [530032, blockedByConditionalAccess],
]);

/**
 * @returns MonitorError `certificate-unknown`, `certificate-expired`, `certificate-revoked`, `clock-skew` (retryable),
 *   `app-not-in-tenant`, `app-disabled`, `tenant-not-found`, `blocked-by-conditional-access`; `sign-in-refused` for a
 *   number that is not in the table
 */
export function signInError(refusal: Refusal): MonitorError {
  const { code, message, advice, retryable } = (VERDICTS.get(refusal.number) ?? refused)(refusal);
  return new MonitorError(code, `${message} (AADSTS${refusal.number})`, advice, { retryable });
}

function certificateUnknown({ tenant, certificate }: Refusal): Verdict {
  return {
    code: 'certificate-unknown',
    message: `The app ${tenant.clientId} does not know ${nameOf(certificate)}, or counts it as expired.`,
    advice:
      'Upload the public certificate to the app registration (Certificates & secrets, Certificates), or finish the rotation that was begun.',
  };
}

function certificateExpired({ certificate, now }: Refusal): Verdict {
  const over = certificate.notAfter < now ? 'expired' : 'is outside its validity, which ends';
  return {
    code: 'certificate-expired',
    message: `For Entra ID ${nameOf(certificate)} ${over} on ${day(certificate.notAfter)}.`,
    advice:
      'Replace it: make a new certificate and upload its public part to the app registration by hand (an expired one cannot sign the request that rolls it over).',
  };
}

function certificateRevoked({ certificate }: Refusal): Verdict {
  return {
    code: 'certificate-revoked',
    message: `Entra ID counts ${nameOf(certificate)} as revoked.`,
    advice:
      'Find out why it was revoked, then replace it: a new certificate, uploaded to the app registration.',
  };
}

function clockSkew({ skew }: Refusal): Verdict {
  const seconds = skew === null ? null : Math.round(Math.abs(skew) / 1000);
  const measured =
    seconds === null
      ? ''
      : `: this machine's clock is ${seconds} s ${(skew ?? 0) < 0 ? 'behind' : 'ahead of'} Entra's`;
  return {
    code: 'clock-skew',
    message: `Entra ID refused the sign-in twice, because its time range does not hold now${measured}.`,
    advice: 'Set the clock of this machine (timedatectl set-ntp true), then run again.',
    retryable: true,
  };
}

function appNotInTenant({ tenant }: Refusal): Verdict {
  return {
    code: 'app-not-in-tenant',
    message: `There is no app ${tenant.clientId} in the tenant ${tenant.tenantId} at ${tenant.cloud.authorityHost}.`,
    advice:
      'Compare clientId and tenantId with the app registration, and the cloud with the one that the tenant lives in. An app from another tenant needs the consent of an admin of this one first.',
  };
}

function appDisabled({ tenant }: Refusal): Verdict {
  return {
    code: 'app-disabled',
    message: `The app ${tenant.clientId} is disabled in the tenant ${tenant.tenantId}.`,
    advice:
      'Enable it: Entra admin center, Enterprise applications, the app, Properties, "Enabled for users to sign-in".',
  };
}

function tenantNotFound({ tenant }: Refusal): Verdict {
  return {
    code: 'tenant-not-found',
    message: `There is no tenant ${tenant.tenantId} at ${tenant.cloud.authorityHost}.`,
    advice:
      "Compare tenantId with the tenant's overview page in the Entra admin center. If it is right, the tenant lives in another cloud: cloud: 'usgov' (GCC High) or 'dod'.",
  };
}

function blockedByConditionalAccess({ tenant }: Refusal): Verdict {
  return {
    code: 'blocked-by-conditional-access',
    message: `A conditional access policy of the tenant ${tenant.tenantId} blocks the app ${tenant.clientId} from where this runs.`,
    advice:
      'Exclude the app from the policy for workload identities, or add the address that this runs from to its named locations.',
  };
}

function refused({ tenant, description }: Refusal): Verdict {
  // Entra puts "Trace ID: …  Correlation ID: …  Timestamp: …" behind the first line, or behind the first sentence.
  const words =
    description.replace(/^AADSTS\d+:\s*/, '').split(/\r?\n|\s(?:Trace ID|Correlation ID|Timestamp):/)[0] ??
    '';
  return {
    code: 'sign-in-refused',
    message: `Entra ID refused the sign-in of the app ${tenant.clientId} to the tenant ${tenant.tenantId}: ${excerpt(words, 300)}`,
    advice: 'Look the number up: https://login.microsoftonline.com/error?code=<number without AADSTS>',
  };
}

/** The SHA-1 thumbprint is nothing that we sign with, but the one that the portal lists. */
function nameOf(certificate: CheckedCertificate): string {
  return `the certificate with the thumbprint ${certificate.thumbprintSha256} (in the portal's list: ${certificate.thumbprintSha1}; valid until ${day(certificate.notAfter)})`;
}
