import type { STSClient } from '@aws-sdk/client-sts';
import * as z from '../zod.ts';
import type { Tenant } from '../config.ts';
import { commandLine } from '../command-line.ts';
import { MonitorError, quote } from '../errors.ts';
import { lacksCredentials, passes } from '../passing.ts';
import { proxyAgents } from '../proxy.ts';

/**
 * Hands out a token by which AWS vouches for the role of this process (a JWT, RS256, 300 s), for one audience.
 * @throws MonitorError `federation-disabled`, `federation-denied`, `federation-session-ends`, `aws-credentials-missing`,
 *   `federation-refused`; retryable: `federation-unreachable`
 */
export type WebIdentity = (audience: string) => Promise<string>;

/** What Entra ID compares with the app's federated credentials. */
export interface FederatedClaims {
  issuer: string;
  subject: string;
  audience: string;
}

/** The lifetime in seconds. It can be short, because Entra receives the token at once. */
export const TOKEN_SECONDS = 300;
export const TOKEN_ALGORITHM = 'RS256';

const AUDIENCE = 'api://AzureADTokenExchange';

/**
 * The audience that a token must have for Entra ID to accept it. Microsoft documents one for each cloud:
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 * A cloud that the config defines by another authority gets the global one.
 */
export function audienceOf({ authorityHost }: Pick<Tenant['cloud'], 'authorityHost'>): string {
  return authorityHost.endsWith('.microsoftonline.us') ? `${AUDIENCE}USGov` : AUDIENCE;
}

/** Whether Microsoft documents an audience for that cloud. */
export function isAudienceDocumented({ authorityHost }: Pick<Tenant['cloud'], 'authorityHost'>): boolean {
  return /\.microsoftonline\.(com|us)$/.test(authorityHost);
}

/**
 * By AWS STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 * Needs sts:GetWebIdentityToken, and outbound federation enabled in the account.
 */
export function stsWebIdentity(client?: STSClient): WebIdentity {
  return async (audience) => {
    try {
      // The client is loaded on demand, because most tenants sign in with a certificate.
      const { GetWebIdentityTokenCommand, STSClient } = await import('@aws-sdk/client-sts');
      // The global endpoint does not know the call, and the SDK asks the regional one by default.
      client ??= new STSClient({ requestHandler: proxyAgents() });
      const { WebIdentityToken } = await client.send(
        new GetWebIdentityTokenCommand({
          Audience: [audience],
          DurationSeconds: TOKEN_SECONDS,
          SigningAlgorithm: TOKEN_ALGORITHM,
        }),
      );
      if (WebIdentityToken) return WebIdentityToken;
    } catch (error) {
      throw explain(error);
    }
    throw explain(new Error('the answer has no token'));
  };
}

function explain(error: unknown): MonitorError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const detail = `${name}: ${quote(message, 300)}`;
  if (lacksCredentials({ name, message })) {
    return new MonitorError(
      'aws-credentials-missing',
      `AWS issues no token without valid credentials and a region (${detail}).`,
      'Sign in to AWS (aws sso login, AWS_PROFILE) and set AWS_REGION, or sign in with a file: --certificate <file>.',
    );
  }
  switch (name) {
    case 'OutboundWebIdentityFederationDisabled':
    case 'OutboundWebIdentityFederationDisabledException':
      return new MonitorError(
        'federation-disabled',
        'This AWS account does not issue tokens for services outside of AWS: outbound identity federation is not enabled.',
        `Enable it once for the account (aws iam enable-outbound-web-identity-federation), then create the federated credential that ${commandLine('doctor')} prints.`,
      );
    case 'AccessDenied':
    case 'AccessDeniedException':
      return new MonitorError(
        'federation-denied',
        `AWS does not allow this role to get a token for Entra ID (${detail}).`,
        'Allow sts:GetWebIdentityToken (deploy again), and check that no policy of the organization denies it.',
      );
    case 'SessionDurationEscalation':
    case 'SessionDurationEscalationException':
      return new MonitorError(
        'federation-session-ends',
        `The session of this role ends in less than the ${TOKEN_SECONDS} s that the token has to live (${detail}).`,
        'Sign in to AWS again, for a longer session. In a function the next run tries again with a new session.',
        { retryable: true },
      );
    default:
      return passes(error)
        ? new MonitorError(
            'federation-unreachable',
            `AWS STS issued no token (${detail}).`,
            'This is usually temporary: the next run tries again. If it lasts, check the status of AWS STS in this region.',
            { retryable: true },
          )
        : new MonitorError(
            'federation-refused',
            `AWS STS refuses to issue a token (${detail}).`,
            'Act on the message. GetWebIdentityToken is documented in the API reference of AWS STS.',
          );
  }
}

const claims = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([
    z.string(),
    z.pipe(
      z.tuple([z.string()]),
      z.transform(([one]) => one),
    ),
  ]),
});

/** @returns null for a token that cannot be read, about which Entra decides */
export function claimsOf(token: string): FederatedClaims | null {
  try {
    const { iss, sub, aud } = claims.parse(
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')),
    );
    return { issuer: iss, subject: sub, audience: aud };
  } catch {
    return null;
  }
}

/** The commands that create the federated credential that Entra ID needs, for Bash and PowerShell. */
export function federatedCredential(
  { clientId }: Pick<Tenant, 'clientId'>,
  { issuer, subject, audience }: FederatedClaims,
): { az: string; powershell: string } {
  const parameters = JSON.stringify({
    name: 'secure-score-monitor',
    issuer,
    subject,
    audiences: [audience],
  });
  return {
    az: `az ad app federated-credential create --id ${clientId} --parameters '${parameters}'`,
    powershell: `New-MgApplicationFederatedIdentityCredential -ApplicationId (Get-MgApplicationByAppId -AppId ${clientId}).Id -Name secure-score-monitor -Issuer '${issuer}' -Subject '${subject}' -Audiences @('${audience}')`,
  };
}
