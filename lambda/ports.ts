import type { Tenant } from './config.ts';
import type { CheckedCertificate } from './certificate/bundle.ts';
import type { DeploymentMetric, TenantMetric } from './metric-names.ts';
import type { Attachment, MailKind, Report } from './report/model.ts';

export type { Attachment, MailKind } from './report/model.ts';

/**
 * Every side effect of a run, as one argument. `monitor.ts` and everything under it reaches the outside world
 * through these and through nothing else; the handler and the command line build the real ones, tests build fakes.
 */
export interface Ports {
  clock: Clock;
  /** Waits for so many ms. */
  pause: (ms: number) => Promise<void>;
  invocation: Invocation;
  certificate: CertificateSource;
  graph: Graph;
  store: ObjectStore;
  channels: Channels;
  log: Log;
  metrics: Metrics;
}

/** The one clock of a run: all its deadlines and ages are by it. */
export interface Clock {
  now(): Date;
}

/** Who runs, and until when at the latest. A retry of the same invocation has the same id. */
export interface Invocation {
  id: string;
  /** By the clock of the same ports. */
  deadline: Date;
}

/** Where the PEM bundle (certificate and unencrypted PKCS#8 key, in any order) of a tenant comes from. */
export interface CertificateSource {
  /** @returns the bundle as text. @throws MonitorError where there is none, naming where it was looked for. */
  read(tenant: Tenant): Promise<string>;
}

/** Entra ID and Microsoft Graph. */
export interface Graph {
  /**
   * Signs in as the tenant's app registration (client assertion).
   * @param certificate null: the tenant signs in federated
   * @param deadline no call of the session starts or goes on after it
   * @throws MonitorError with the operator's message for the AADSTS number
   */
  signIn(tenant: Tenant, certificate: CheckedCertificate | null, deadline: Date): Promise<GraphSession>;
}

export interface GraphSession {
  /**
   * The newest `days` entries of `secureScores`, as Graph sent them (JSON-parsed, nothing else), in the order it sent them.
   * @param after date (yyyy-mm-dd) of the last archived day: nextLink is followed only while fewer entries
   *   came than were asked for and the oldest is newer than this
   */
  secureScores(days: number, after: string | null): Promise<unknown[]>;
  /** All pages of `secureScoreControlProfiles`, as Graph sent them. */
  controlProfiles(): Promise<unknown[]>;
}

/**
 * A bucket or a folder. Keys are relative, with `/`. Objects come to be once and whole; only what is written by
 * `replace` ever changes.
 */
export interface ObjectStore {
  /** For people: `s3://bucket/prefix` or the folder's path. */
  readonly location: string;
  get(key: string): Promise<StoredObject | undefined>;
  /** Writes the object unless the key is taken; never overwrites. */
  create(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /**
   * Compare-and-swap: writes the object only if its version still is `expected` (null: only if there is none).
   * @returns the new version, or undefined where another writer came first
   */
  replace(key: string, bytes: Uint8Array, expected: string | null): Promise<string | undefined>;
  /** Keys that start with `prefix` and are greater than `after`, ascending in code-unit order. */
  list(prefix: string, after?: string): Promise<string[]>;
}

export interface StoredObject {
  bytes: Uint8Array;
  /** Opaque; for `replace`. */
  version: string;
}

/** What takes reports to people, and to other programs: mail, and the channels of the config. */
export interface Channels {
  /**
   * @param destination 'mail', or the name of one of the tenant's channels
   * @throws DeliveryError, final, where the tenant has no channel of that name any more
   */
  of(tenant: Tenant, destination: string): Channel;
}

/** Takes reports to one destination. */
export interface Channel {
  /** @returns the receiver's id of it, or the message's own. @throws DeliveryError */
  send(message: Message): Promise<string>;
}

/** One report, or what of it is of one kind, for one destination. */
export interface Message {
  /** `<first 16 of the report's hash>-<kind>-<destination>`: the same at each repetition. */
  id: string;
  kind: MailKind;
  report: Report;
  /** Of the report in the archive. */
  reportKey: string;
  urgent: boolean;
  /** By which sending it must have ended, by the clock of the run. */
  deadline: Date;
}

export interface Mailer {
  /** @returns the id under which the mail can be found again (SES MessageId, or the Message-ID of the .eml). */
  send(mail: Mail): Promise<string>;
}

export interface Mail {
  kind: MailKind;
  /** Same report, same kind: same key. An outbox uses it as the name of the file, so that a repetition adds none. */
  key: string;
  /** When it was claimed, for the Date header of a mail that we write ourselves. */
  date: Date;
  from: string;
  to: string[];
  subject: string;
  html: string;
  text: string;
  attachments?: Attachment[];
  /** Mail programs show it as important. */
  urgent?: boolean;
}

/** Structured: a message that stays the same, facts as fields. Never a secret, a token or a key. */
export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** What the function measures. Never throws: a run that did its work has not failed because nobody counted it. */
export interface Metrics {
  /** @param values by name, in the units of metric-names.ts */
  publish(values: { [name in DeploymentMetric]?: number }): void;
  publishTenant(tenant: Tenant, values: { [name in TenantMetric]?: number }): void;
}

/** The schedules that invoke the function, one a tenant: who should have run. */
export interface Schedules {
  list(): Promise<Schedule[]>;
}

export interface Schedule {
  tenantId: string;
  /** Of the tenant, where whoever schedules it knows. */
  name?: string;
  /** False where somebody switched it off. */
  enabled: boolean;
  /** When it was created, or last changed: within a day of it the tenant runs. */
  since: Date;
}
