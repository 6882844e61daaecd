import type { Bundle } from '../certificate/bundle.ts';
import type { CertificateOptions, KeyPair } from '../certificate/self-signed.ts';
import type { Tenant } from '../config.ts';
import type { Clock, Invocation, Log, Mailer, ObjectStore } from '../ports.ts';

/** An app registration, in its home tenant, where its keys are rolled. */
export interface App {
  /** The app's home. */
  tenantId: string;
  clientId: string;
  objectId: string;
  cloud: Tenant['cloud'];
}

/** The calls to Entra ID that a renewal needs. */
export interface AppKeys {
  /**
   * Signs in and does nothing else.
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
   * @throws MonitorError `renewal-unanswered` (retryable) if it is unknown whether the key was added; any other error
   *   means that this call added nothing
   */
  add(app: App, current: Bundle, certificatePem: string, deadline: Date): Promise<string>;
  /**
   * Shows that the app can roll its keys, without changing any: it asks for the removal of a key that cannot exist, and
   * Graph checks the proof before it looks for the key. Only adding a key can show whether a policy forbids it.
   * @throws MonitorError
   */
  prove(app: App, current: Bundle, deadline: Date): Promise<void>;
  /** Removes a key, and succeeds as well if it does not exist. @throws MonitorError */
  remove(app: App, current: Bundle, keyId: string, deadline: Date): Promise<void>;
}

/** A text that a secret holds, or held. */
export interface Version {
  id: string;
  pem: string;
}

/** What a secret (or a file) holds. */
export interface Held {
  /** Its canonical name, whether a name or an ARN was asked for. */
  name: string;
  /** The version that signs in. */
  current: Version;
  /** The version that will sign in next. */
  next: Version | null;
  /** Id of the version before the current one; null if it no longer exists. */
  previous: string | null;
}

/** The secret or file with a certificate and its key. Private keys are stored nowhere else. */
export interface CertificateStore {
  /** @throws MonitorError where there is no certificate, or it cannot be read */
  look(): Promise<Held>;
  /** Adds the version that will sign in next. Does nothing if a version with that id exists, whatever it holds. */
  stage(id: string, pem: string): Promise<void>;
  /**
   * Makes the next version current, and the current one the previous.
   * @param from id of the version that is expected to be current
   * @returns false if another version is current, because somebody has put it there meanwhile
   */
  promote(id: string, from: string): Promise<boolean>;
  /** Withdraws the version that would sign in next. Does nothing if there is none. */
  unstage(id: string): Promise<void>;
  /** Releases the previous version, if it is the one with that id. */
  forget(id: string): Promise<void>;
}

/** Every side effect of a renewal. */
export interface RotationPorts {
  clock: Clock;
  invocation: Invocation;
  /** @param secret name or ARN; undefined: the secret of the tenants that have none of their own */
  certificates: (secret: string | undefined) => CertificateStore;
  keys: AppKeys;
  create: (options: CertificateOptions) => Promise<KeyPair>;
  store: ObjectStore;
  mailer: Mailer;
  log: Log;
  /** Waits. @param ms */
  pause: (ms: number) => Promise<void>;
}
