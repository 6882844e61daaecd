import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A stand-in for AWS STS, limited to GetWebIdentityToken, GetCallerIdentity and the keys that it publishes. Tests may
 * change it at any time.
 */
export interface SimulatedSts {
  /** For AWS_ENDPOINT_URL_STS. */
  endpoint: string;
  /** The issuer of its tokens; the keys are published below it. */
  issuer: string;
  /** The caller: `sub` of the tokens. */
  subject: string;
  /** False: the account has not enabled outbound federation. */
  enabled: boolean;
  /** Seconds that the caller's session still lasts. */
  sessionSeconds: number;
  /** True: IAM allows nothing. */
  denies: boolean;
  /** The parameters of each call. */
  calls: Record<string, string>[];
  close(): Promise<void>;
}

/**
 * Starts an STS on a port of 127.0.0.1, over plain HTTP. It speaks the query protocol:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 */
export async function startSts(now: () => Date): Promise<SimulatedSts> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(body);
    void readBody(request).then((body) => {
      if (request.method === 'POST') return send(...answer(Object.fromEntries(new URLSearchParams(body))));
      if (request.url === '/.well-known/openid-configuration') {
        const { issuer } = sts;
        return send(
          200,
          'application/json',
          JSON.stringify({ issuer, jwks_uri: `${issuer}/.well-known/jwks.json` }),
        );
      }
      const key = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
      return send(200, 'application/json', JSON.stringify({ keys: [key] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const sts: SimulatedSts = {
    endpoint: issuer,
    issuer,
    subject: 'arn:aws:iam::111122223333:role/secure-score-monitor',
    enabled: true,
    sessionSeconds: 3600,
    denies: false,
    calls: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(form: Record<string, string>): [number, string, string] {
    sts.calls.push(form);
    const fail = (status: number, code: string, message: string): [number, string, string] => [
      status,
      'text/xml',
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
    ];
    if (form['Action'] === 'GetCallerIdentity') {
      const account = sts.subject.split(':')[4] ?? '';
      return [
        200,
        'text/xml',
        `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${sts.subject}</Arn><UserId>AROA</UserId><Account>${account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
      ];
    }
    const seconds = Number(form['DurationSeconds'] ?? 300);
    const audience = form['Audience.member.1'];
    if (form['Action'] !== 'GetWebIdentityToken')
      return fail(400, 'InvalidAction', 'Could not find operation.');
    if (!audience || form['SigningAlgorithm'] !== 'RS256' || seconds < 60 || seconds > 3600)
      return fail(400, 'ValidationError', 'A parameter is missing or wrong.');
    if (sts.denies) {
      return fail(
        403,
        'AccessDenied',
        `User: ${sts.subject} is not authorized to perform: sts:GetWebIdentityToken`,
      );
    }
    if (!sts.enabled) {
      return fail(
        400,
        'OutboundWebIdentityFederationDisabledException',
        'The outbound web identity federation feature is not enabled for this account.',
      );
    }
    if (seconds > sts.sessionSeconds) {
      return fail(
        400,
        'SessionDurationEscalationException',
        'The requested token duration would extend the session beyond its original expiration time.',
      );
    }
    const iat = Math.floor(now().getTime() / 1000);
    const claims = {
      iss: sts.issuer,
      sub: sts.subject,
      aud: audience,
      iat,
      nbf: iat,
      exp: iat + seconds,
      jti: randomUUID(),
    };
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(claims)}`;
    const token = `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
    return [
      200,
      'text/xml',
      `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult><WebIdentityToken>${token}</WebIdentityToken><Expiration>${new Date((iat + seconds) * 1000).toISOString()}</Expiration></GetWebIdentityTokenResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></GetWebIdentityTokenResponse>`,
    ];
  }
  return sts;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
