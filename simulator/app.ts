/** A key credential of an app registration. */
export interface Key {
  keyId: string;
  /** PEM. */
  certificate: string;
  /** The time from which every part of Entra knows it. */
  visibleFrom: Date;
}

/** An app registration as addKey, removeKey and sign-ins see it. The tenants of a multi-tenant app share one. */
export interface Registration {
  objectId: string;
  homeTenantId: string;
  /** The keys that addKey added. */
  keys: Key[];
  /** The time, in ms, until a new key is known everywhere; a sign-in with it meanwhile gets AADSTS700027. */
  replication: number;
  /** The kind of key that an app management policy of the tenant forbids. */
  policy: 'certificates' | 'lifetime' | null;
  /** The outcome for a certificate that is added a second time. It is not documented which of the two Entra does. */
  duplicates: 'refused' | 'added';
  /** The status with which removeKey answers if there is no such key. Both have been seen. */
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
  /** False if nobody ever consented, so that the tenant does not know the app at all. */
  consented: boolean;
}
