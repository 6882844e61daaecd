import { day, type CheckedCertificate } from '../certificate/bundle.ts';
import type { Tenant } from '../config.ts';
import { commandLine } from '../command-line.ts';
import { MonitorError } from '../errors.ts';
import { excerpt } from './exchange.ts';
import { audienceOf, federatedCredential, type FederatedClaims } from './web-identity.ts';

/** An app in a tenant that it signs in to. */
export type AppIn = Pick<Tenant, 'tenantId' | 'clientId' | 'cloud'>;

/** What is known about a sign-in that Entra ID refused. */
export interface Refusal {
  tenant: AppIn;
  /** Null: it signed in federated. */
  certificate: CheckedCertificate | null;
  /** The claims of the token of AWS that it signed in with; null if it signed in with a certificate. */
  issued: FederatedClaims | null;
  /** The number of the AADSTS error. */
  number: number;
  /** Entra's own text, used only if the number is not known. */
  description: string;
  /** ms that this machine's clock is ahead of Entra's (negative: behind); null if Entra's answer had no time. */
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
 * Errors for the operator, by number, because the texts of Entra's errors change and the numbers do not.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const VERDICTS: ReadonlyMap<number, (refusal: Refusal) => Verdict> = new Map([
  [700027, certificateUnknown],
  [1000502, certificateExpired],
  [7000274, certificateExpired],
  [7000214, certificateRevoked],
  [7000277, certificateRevoked],
  [700024, clockSkew],
  [50166, issuerUnreachable],
  [70021, federationUnknown],
  [700211, federationUnknown],
  [700212, federationUnknown],
  [700213, federationUnknown],
  [50196, clientLoop],
  [700016, appNotInTenant],
  [7000229, appNotInTenant],
  [7000112, appDisabled],
  [500014, graphDisabled],
  [90002, tenantNotFound],
  [900023, tenantNotFound],
  [5000224, tenantGone],
  [90038, otherCloud],
  [900382, otherCloud],
  [900439, otherCloud],
  [53003, blockedByConditionalAccess],
  [530032, blockedByConditionalAccess],
]);

/** Numbers of temporary errors: an external server, timeouts, the directory, a throttled tenant. */
const PASSING = new Set([90006, 90012, 90024, 90033, 90055]);

/**
 * Whether a refusal passes by itself, whatever the HTTP status is that it comes with.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application
 * @param error the OAuth error, like `invalid_client`
 * @param numbers of AADSTS errors
 */
export function passesByItself(error: string, numbers: readonly number[]): boolean {
  if (numbers.some((number) => VERDICTS.has(number))) return false;
  return error === 'temporarily_unavailable' || numbers.some((number) => PASSING.has(number));
}

/**
 * @returns MonitorError `certificate-unknown`, `certificate-expired`, `certificate-revoked`, `clock-skew` (retryable),
 *   `federation-unknown`, `issuer-unreachable` (retryable), `client-loop` (retryable), `app-not-in-tenant`, `app-disabled`, `graph-disabled`, `tenant-not-found`, `tenant-gone`,
 *   `other-cloud`, `blocked-by-conditional-access`; `sign-in-refused` for a number that is not in the table
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

/** Entra compares issuer, subject and audience as texts, upper and lower case included. */
function federationUnknown({ tenant, issued, number }: Refusal): Verdict {
  const what = new Map([
    [700211, 'the issuer'],
    [700212, 'the audience'],
    [700213, 'the subject'],
  ]).get(number);
  const claims = issued
    ? `issuer ${excerpt(issued.issuer, 200)}, subject ${excerpt(issued.subject, 200)}, audience ${excerpt(issued.audience, 200)}`
    : `audience ${audienceOf(tenant.cloud)}`;
  return {
    code: 'federation-unknown',
    message: `The app ${tenant.clientId} has no federated credential for the token that AWS issued (${claims})${what ? `: it does not know ${what}` : ''}.`,
    advice: issued
      ? `Let an admin create it: ${federatedCredential(tenant, issued).az}. A credential that is minutes old may not be known everywhere yet.`
      : `${commandLine('doctor')} shows which one Entra ID needs, and the command that creates it.`,
  };
}

function issuerUnreachable({ issued }: Refusal): Verdict {
  return {
    code: 'issuer-unreachable',
    message: `Entra ID could not read the keys of the issuer${issued ? ` ${excerpt(issued.issuer, 200)}` : ''}, which it needs to check the token of AWS.`,
    advice:
      'Usually this passes: the next run tries again. If not, open <issuer>/.well-known/openid-configuration in a browser: it must answer.',
    retryable: true,
  };
}

function certificateExpired({ certificate, now }: Refusal): Verdict {
  const over = certificate && certificate.notAfter < now ? 'expired' : 'is outside its validity, which ends';
  return {
    code: 'certificate-expired',
    message: `For Entra ID ${nameOf(certificate)} ${over}${certificate ? ` on ${day(certificate.notAfter)}` : ''}.`,
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
    message: `Entra ID refused the sign-in twice, because it is not valid at this time${measured}.`,
    advice: 'Set the clock of this machine (timedatectl set-ntp true), then run again.',
    retryable: true,
  };
}

function appNotInTenant({ tenant }: Refusal): Verdict {
  return {
    code: 'app-not-in-tenant',
    message: `There is no app ${tenant.clientId} in the tenant ${tenant.tenantId} at ${tenant.cloud.authorityHost}.`,
    advice:
      'Compare clientId and tenantId with the app registration, and the cloud with the one that hosts the tenant. An app from another tenant needs the consent of an admin of this one first.',
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

/** The tenant's Microsoft Graph itself: https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts500014-service-principal-disabled */
function graphDisabled({ tenant }: Refusal): Verdict {
  return {
    code: 'graph-disabled',
    message: `Microsoft Graph is disabled in the tenant ${tenant.tenantId}.`,
    advice:
      "Check whether the tenant's subscription has lapsed. If not, ask an admin of the tenant to enable the service principal of Microsoft Graph (Update-MgServicePrincipal -AccountEnabled:$true, appId 00000003-0000-0000-c000-000000000000).",
  };
}

/** "We are sorry, this resource is not available": seen where a tenant was deleted, blocked or deprovisioned. */
function tenantGone({ tenant }: Refusal): Verdict {
  return {
    code: 'tenant-gone',
    message: `Entra ID no longer issues tokens for the tenant ${tenant.tenantId}: it is deleted, deprovisioned or blocked.`,
    advice:
      'Ask the tenant whether it still exists and is paid for. If it is gone, remove it from the config: its archive stays. If not, its admin should open a support request with Microsoft that quotes this message.',
  };
}

function otherCloud({ tenant }: Refusal): Verdict {
  return {
    code: 'other-cloud',
    message: `The app ${tenant.clientId} or the tenant ${tenant.tenantId} lives in another cloud than the one at ${tenant.cloud.authorityHost}.`,
    advice:
      "Set the tenant's cloud in the config: 'usgov' (GCC High) or 'dod' for the clouds of the US government, 'global' for all others; the app must be registered in the same one.",
  };
}

/** Entra complains about repeated requests, so only the next run tries again. */
function clientLoop({ tenant }: Refusal): Verdict {
  return {
    code: 'client-loop',
    message: `Entra ID has received too many identical sign-ins of the app ${tenant.clientId} to the tenant ${tenant.tenantId} within minutes.`,
    advice:
      'Nothing has to be done: it passes within minutes, and the next run tries again. If it lasts, find out which other program signs in with the same app.',
    retryable: true,
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

/** The SHA-1 thumbprint is included because the portal lists it, although it is not used to sign. */
function nameOf(certificate: CheckedCertificate | null): string {
  if (certificate === null) return 'the token that AWS issued';
  return `the certificate with the thumbprint ${certificate.thumbprintSha256} (in the portal's list: ${certificate.thumbprintSha1}; valid until ${day(certificate.notAfter)})`;
}
