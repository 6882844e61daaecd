/** A key credential of an app registration. */
export interface Key {
  keyId: string;
  /** PEM. */
  certificate: string;
  /** From then on every part of Entra knows it. */
  visibleFrom: Date;
}

/** An app registration as addKey, removeKey and sign-ins see it. The tenants of a multi-tenant app share one. */
export interface Registration {
  objectId: string;
  homeTenantId: string;
  /** Those that addKey added. */
  keys: Key[];
  /** ms that a new key takes to get around; what signs in meanwhile gets AADSTS700027. */
  replication: number;
  /** What an app management policy of the tenant forbids. */
  policy: 'certificates' | 'lifetime' | null;
  /** Nobody has said which of the two Entra does where a certificate comes a second time. */
  duplicates: 'refused' | 'added';
  /** With what removeKey answers where there is no such key: both have been seen. */
  absent: 400 | 404;
  /** Federated credentials. */
  federated: { issuer: string; subject: string; audience: string }[];
}

/** An app registration together with its enterprise application in one tenant. Tests may change it at any time. */
export interface App {
  tenantId: string;
  clientId: string;
  /** PEM; those that were uploaded by hand. */
  certificates: string[];
  /** Shared by the tenants of a multi-tenant app. */
  registration: Registration;
  /** Application permissions that an administrator consented to. */
  roles: string[];
  /** False: the enterprise application is there, and disabled. */
  enabled: boolean;
  /** False: nobody ever consented, so that the tenant does not know the app at all. */
  consented: boolean;
}
