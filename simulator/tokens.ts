import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

/** The claims of an access token of Microsoft Graph for an app. Times in seconds since 1970. */
export interface TokenClaims {
  aud: string;
  iss: string;
  iat: number;
  nbf: number;
  exp: number;
  appid: string;
  tid: string;
  roles: string[];
  ver: '1.0';
  uti: string;
}

export type TokenProblem = 'empty' | 'malformed' | 'signature' | 'expired' | 'audience';

/** Access tokens that only the simulator that issued them takes: JWTs in shape, signed with a key of its own. */
export class Tokens {
  readonly #key = randomBytes(32);
  readonly #audience: string;
  readonly #now: () => Date;

  constructor(audience: string, now: () => Date) {
    this.#audience = audience;
    this.#now = now;
  }

  /** @param lifetime seconds */
  issue(app: { tenantId: string; clientId: string; roles: string[] }, lifetime: number): string {
    const now = Math.floor(this.#now().getTime() / 1000);
    const claims: TokenClaims = {
      aud: this.#audience,
      iss: `https://sts.windows.net/${app.tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + lifetime,
      appid: app.clientId,
      tid: app.tenantId,
      roles: app.roles,
      ver: '1.0',
      uti: randomUUID(),
    };
    const signed = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode(claims)}`;
    return `${signed}.${this.#sign(signed).toString('base64url')}`;
  }

  /** Reads the Authorization header of a request. */
  read(authorization: string | undefined): TokenClaims | TokenProblem {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (!token) return 'empty';
    const [header, payload, signature, ...rest] = token.split('.');
    if (!header || !payload || !signature || rest.length > 0) return 'malformed';
    const wanted = this.#sign(`${header}.${payload}`);
    const found = Buffer.from(signature, 'base64url');
    if (found.length !== wanted.length || !timingSafeEqual(found, wanted)) return 'signature';
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TokenClaims;
    if (claims.aud !== this.#audience) return 'audience';
    return claims.exp * 1000 > this.#now().getTime() ? claims : 'expired';
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
