import type { Tenant } from './config.ts';
import type { CheckedCertificate } from './certificate/bundle.ts';
import type { DeploymentMetric } from './metric-names.ts';
import type { AnyReport } from './report/digest-model.ts';
import type { Attachment, MailKind } from './report/model.ts';

export type { Attachment, MailKind } from './report/model.ts';

/**
 * Every side effect of a run, as one argument. `monitor.ts` and everything under it reaches the outside world
 * through these and through nothing else; the handler and the command line build the real ones, tests build fakes.
 */
export interface Ports {
  clock: Clock;
  /** Waits for the given number of ms. */
  pause: (ms: number) => Promise<void>;
  invocation: Invocation;
  certificate: CertificateSource;
  graph: Graph;
  store: ObjectStore;
  channels: Channels;
  log: Log;
  metrics: Metrics;
}

/** The one clock of a run, by which all its deadlines and ages are measured. */
export interface Clock {
  now(): Date;
}

/** The invocation and its deadline. A retry of the same invocation has the same id. */
export interface Invocation {
  id: string;
  /** The deadline by the clock of the same ports. */
  deadline: Date;
}

/** The source of a tenant's PEM bundle (certificate and unencrypted PKCS#8 key, in any order). */
export interface CertificateSource {
  /** @returns the bundle as text. @throws MonitorError if there is none, with the place where it was looked for */
  read(tenant: Tenant): Promise<string>;
}

/** Entra ID and Microsoft Graph. */
export interface Graph {
  /**
   * Signs in as the tenant's app registration (client assertion).
   * @param certificate null if the tenant signs in federated
   * @param deadline the time after which no call of the session starts or continues
   * @throws MonitorError with the operator's message for the AADSTS number
   */
  signIn(tenant: Tenant, certificate: CheckedCertificate | null, deadline: Date): Promise<GraphSession>;
}

export interface GraphSession {
  /**
   * The newest `days` entries of `secureScores`, as Graph sent them (JSON-parsed, nothing else), in Graph's order.
   * @param after date (yyyy-mm-dd) of the last archived day. nextLink is followed only while fewer entries came than were
   *   asked for and the oldest is newer than this
   */
  secureScores(days: number, after: string | null): Promise<unknown[]>;
  /** All pages of `secureScoreControlProfiles`, as Graph sent them. */
  controlProfiles(): Promise<unknown[]>;
}

/**
 * A bucket or a folder. Keys are relative, with `/`. Objects are created once and completely; only those written by
 * `replace` ever change.
 */
export interface ObjectStore {
  /** The location for people: `s3://bucket/prefix` or the folder's path. */
  readonly location: string;
  get(key: string): Promise<StoredObject | undefined>;
  /** Writes the object unless the key is taken. It never overwrites. */
  create(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /**
   * Compare-and-swap: writes the object only if its version is still `expected` (null: only if there is none).
   * @returns the new version, or undefined if another writer came first
   */
  replace(key: string, bytes: Uint8Array, expected: string | null): Promise<string | undefined>;
  /** Keys that start with `prefix` and are greater than `after`, ascending in code-unit order. */
  list(prefix: string, after?: string): Promise<string[]>;
}

export interface StoredObject {
  bytes: Uint8Array;
  /** An opaque version for `replace`. */
  version: string;
}

/** The means by which reports reach people and other programs: mail, and the channels of the config. */
export interface Channels {
  /**
   * @param destination 'mail', or the name of one of the addressee's channels
   * @throws DeliveryError, final, if the addressee no longer has a channel of that name
   */
  of(addressee: Addressee, destination: string): Channel;
}

/** The recipients of deliveries: of a tenant's reports, or of a digest. */
export interface Addressee extends Pick<Tenant, 'recipients' | 'channels'> {
  /** The tenant's, for links to its portal; a digest has neither. */
  tenantId?: string;
  cloud?: Tenant['cloud'];
}

/** Takes reports to one destination. */
export interface Channel {
  /** @returns the receiver's id for it, or the message's own. @throws DeliveryError */
  send(message: Message): Promise<string>;
}

/** A report, or the part of it that is of one kind, for one destination. */
export interface Message {
  /** `<first 16 of the report's hash>-<kind>-<destination>`: the same at each repetition. */
  id: string;
  kind: MailKind;
  report: AnyReport;
  /** Key of the report in the archive. */
  reportKey: string;
  urgent: boolean;
  /** The time by which sending must have ended, by the clock of the run. */
  deadline: Date;
}

export interface Mailer {
  /** @returns the id by which the mail can be found again (SES MessageId, or the Message-ID of the .eml) */
  send(mail: Mail): Promise<string>;
}

export interface Mail {
  kind: MailKind;
  /** The same for the same report and kind. An outbox uses it as the file's name, so that a repetition adds no file. */
  key: string;
  /** The time of the claim, for the Date header of a mail that we write ourselves. */
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

/** A structured log: the message stays the same, facts are fields. It never gets a secret, a token or a key. */
export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** The metrics of the function. It never throws, because a run that did its work must not fail for a lost metric. */
export interface Metrics {
  /** @param values by name, in the units of metric-names.ts */
  publish(values: { [name in DeploymentMetric]?: number }): void;
}

/** The schedules that invoke the function, one per tenant and digest: they show what should have run. */
export interface Schedules {
  /** Those of the tenants. */
  list(): Promise<Schedule[]>;
  digests(): Promise<DigestSchedule[]>;
}

export interface DigestSchedule {
  /** Of the digest. */
  name: string;
  /** False if somebody switched it off. */
  enabled: boolean;
  /** The time at which it was created or last changed. */
  since: Date;
}

export interface Schedule {
  tenantId: string;
  /** Name of the tenant, if the schedule has it. */
  name?: string;
  /** False if somebody switched it off. */
  enabled: boolean;
  /** The time at which it was created or last changed. The tenant runs within a day of it. */
  since: Date;
}
