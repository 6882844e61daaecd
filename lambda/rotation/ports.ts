import type { Bundle } from '../certificate/bundle.ts';
import type { CertificateOptions, KeyPair } from '../certificate/self-signed.ts';
import type { Tenant } from '../config.ts';
import type { Clock, Invocation, Log, Mailer, ObjectStore } from '../ports.ts';

/** An app registration, in the tenant in which it is registered: where its keys are rolled. */
export interface App {
  /** The app's home. */
  tenantId: string;
  clientId: string;
  objectId: string;
  cloud: Tenant['cloud'];
}

/** Entra ID, as far as keys go. */
export interface AppKeys {
  /**
   * Signs in, and does nothing else.
   * @throws MonitorError; `certificate-unknown` where Entra does not know the certificate (yet)
   */
  signIn(
    app: Pick<Tenant, 'tenantId' | 'clientId' | 'cloud'>,
    certificate: Bundle,
    deadline: Date,
  ): Promise<void>;
  /**
   * Adds a certificate to the app, with a proof signed by one that it has.
   * @returns the key's id
   * @throws MonitorError `renewal-unanswered` (retryable) where nobody knows whether the key is there; any other means
   *   that this call added nothing
   */
  add(app: App, current: Bundle, certificatePem: string, deadline: Date): Promise<string>;
  /**
   * Shows that the app can roll its keys, without changing any: it asks for the removal of one that cannot exist, which
   * Graph answers only after it has taken the proof. Whether a policy forbids a new key only adding one can show.
   * @throws MonitorError
   */
  prove(app: App, current: Bundle, deadline: Date): Promise<void>;
  /** Removes a key; that it is not there is as good. @throws MonitorError */
  remove(app: App, current: Bundle, keyId: string, deadline: Date): Promise<void>;
}

/** A text that a secret holds, or held. */
export interface Version {
  id: string;
  pem: string;
}

/** What a secret (or a file) holds. */
export interface Held {
  /** Its one name, by whichever it was asked for. */
  name: string;
  /** What signs in. */
  current: Version;
  /** What is to sign in next. */
  next: Version | null;
  /** Id of the one before the current, where it can still be had. */
  previous: string | null;
}

/** Where a certificate and its key lie: a secret, or a file. The one place that ever holds a private key. */
export interface CertificateStore {
  /** @throws MonitorError where there is no certificate, or it cannot be read */
  look(): Promise<Held>;
  /** Adds what is to sign in next. Does nothing where a version of that id is there already, whatever it holds. */
  stage(id: string, pem: string): Promise<void>;
  /**
   * Lets the next one sign in, and keeps the current one as the previous.
   * @param from id of the version that is expected to be current
   * @returns false where another one is: somebody has put it there meanwhile
   */
  promote(id: string, from: string): Promise<boolean>;
  /** Forgets that a version is to sign in next; where none is, does nothing. */
  unstage(id: string): Promise<void>;
  /** Lets go of the previous version, if it is that one. */
  forget(id: string): Promise<void>;
}

/** Every side effect of a renewal. */
export interface RotationPorts {
  clock: Clock;
  invocation: Invocation;
  /** Name or ARN of the secret, of the tenants without one of their own where it is undefined. */
  certificates: (secret: string | undefined) => CertificateStore;
  keys: AppKeys;
  create: (options: CertificateOptions) => Promise<KeyPair>;
  store: ObjectStore;
  mailer: Mailer;
  log: Log;
  /** Waits. @param ms */
  pause: (ms: number) => Promise<void>;
}
