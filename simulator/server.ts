import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { machineClock } from '../lambda/clock.ts';
import { createServerCertificate, type KeyPair } from './certificates.ts';
import type { App, Registration } from './app.ts';
import { handleEntra } from './entra.ts';
import { Faults, type FaultRule } from './faults.ts';
import { handleGraph } from './graph.ts';
import type { Handled, Incoming, Reply } from './http.ts';
import { handleKeys } from './keys.ts';
import { Receivers } from './receivers.ts';
import type { SimulatedTenant } from './tenant.ts';
import { GRAPH_RULES, Throttle, type ThrottleRules } from './throttle.ts';
import { Tokens } from './tokens.ts';

export interface SimulatorOptions {
  tenants?: Iterable<SimulatedTenant>;
  /** Any free one if absent. */
  port?: number;
  /** The host name under which it answers. @default localhost */
  host?: string;
  /** An existing certificate for that host, so that a CA file on disk stays valid. It is made if absent. */
  tls?: KeyPair;
  /** Seconds that a token lives; 3599 if absent, as with Entra. */
  tokenLifetime?: number;
  /** Graph's own limits if absent; null: none. */
  throttling?: ThrottleRules | null;
  /** The clock of the services (tokens, assertions, throttling); not the tenants' calendar. */
  now?: () => Date;
  /** The clock by which a webhook checks signatures. @default `now` */
  receiversNow?: () => Date;
}

export interface LoggedRequest {
  method: string;
  /** With the query. */
  path: string;
  /** Null if the request identifies none. */
  tenant: string | null;
  /** Null if nothing was answered: it hung, or the connection was reset. */
  status: number | null;
  /** Without Authorization. */
  headers: Record<string, string | string[] | undefined>;
}

export interface Simulator {
  /** https://localhost:<port> */
  authorityHost: string;
  /** The same as authorityHost. */
  graphEndpoint: string;
  /** PEM of the certificate to trust. */
  ca: string;
  port: number;
  /** The receivers of the channels' messages. */
  receivers: Receivers;
  /** By id. */
  tenants: ReadonlyMap<string, SimulatedTenant>;
  /** Ids of tenants by their domains, lower case: tests add to it. */
  domains: Map<string, string>;
  /** All requests in the order in which their answers were ready. */
  requests: LoggedRequest[];
  addTenant(tenant: SimulatedTenant): void;
  /** Registers an app in a tenant. What is returned is the registration itself: change it, and Entra acts on it. */
  registerApp(
    app: Pick<App, 'tenantId' | 'clientId' | 'certificates'> &
      Partial<Omit<App, 'registration'>> & { registration?: Partial<Registration> },
  ): App;
  /** Moves the calendar of all tenants on. */
  advance(days?: number): void;
  /** Makes something go wrong. @returns a function that takes it back. */
  fault(rule: FaultRule): () => void;
  /** Takes all faults back. */
  healthy(): void;
  /** Seconds that tokens issued from now on live. */
  setTokenLifetime(seconds: number): void;
  /** Ends the server and every connection to it. */
  close(): Promise<void>;
}

/** Starts an Entra ID, a Microsoft Graph and receivers of messages on one port of 127.0.0.1, over TLS. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const now = options.now ?? (() => machineClock.now());
  const tls = options.tls ?? (await createServerCertificate());
  const server = createServer({ key: tls.privateKey, cert: tls.certificate });
  // A TLS socket closes politely; only the socket below it can reset a connection.
  const sockets = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const root = `https://${options.host ?? 'localhost'}:${port}`;

  const tenants = new Map<string, SimulatedTenant>();
  for (const tenant of options.tenants ?? []) tenants.set(tenant.tenantId, tenant);
  const apps = new Map<string, App>();
  const domains = new Map<string, string>();
  const faults = new Faults();
  const receivers = new Receivers(root, options.receiversNow ?? now);
  const requests: LoggedRequest[] = [];
  const tokens = new Tokens(root, now);
  let tokenLifetime = options.tokenLifetime ?? 3599;
  const throttling = options.throttling === undefined ? GRAPH_RULES : options.throttling;
  const throttle = throttling && new Throttle(throttling);

  const entra = {
    authorityHost: root,
    graphEndpoint: root,
    tokens,
    apps,
    domains,
    tenantExists: (tenantId: string) => tenants.has(tenantId),
    tokenLifetime: () => tokenLifetime,
    now,
  };
  const graph = { graphEndpoint: root, tokens, tenants, throttle, now };
  const keys = { graphEndpoint: root, tokens, apps, now };

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const incoming = await readRequest(message, root, now());
    const { pathname } = incoming.url;
    const handled: Handled =
      receivers.handle(incoming) ??
      (pathname.startsWith('/v1.0/applications')
        ? handleKeys(keys, incoming)
        : /^\/v1\.0(\/|$)/.test(pathname)
          ? handleGraph(graph, incoming)
          : await handleEntra(entra, incoming));
    response.once('close', () => handled.done?.());
    const reply = faults.apply(handled.endpoint, handled.tenantId, handled.reply, incoming);
    // A request that a fault answers has not reached the service.
    const isTheirs = reply.status === handled.reply.status && reply.body === handled.reply.body;
    const reached = isTheirs && reply.broken !== 'hangs' && reply.broken !== 'reset';
    if (reached) handled.accept?.();
    const { authorization: _, ...headers } = incoming.headers;
    requests.push({
      method: incoming.method,
      path: `${incoming.url.pathname}${incoming.url.search}`,
      tenant: handled.tenantId,
      status: reply.broken === 'hangs' || reply.broken === 'reset' ? null : reply.status,
      headers,
    });
    if (reply.broken === 'reset') sockets.get(message.socket.remotePort)?.resetAndDestroy();
    else if (reply.broken !== 'hangs') {
      if (reply.delay !== undefined) await setTimeout(reply.delay, undefined, { ref: false });
      send(response, reply);
    }
  }
  server.on('request', (message, response) => {
    serve(message, response).catch((error: unknown) => {
      // A client that went away, or a bug of the simulator, which must not look like an answer of Microsoft's.
      if (!message.destroyed) process.emitWarning(`Simulator: ${String(error)}`);
      response.destroy();
    });
  });

  return {
    authorityHost: root,
    graphEndpoint: root,
    ca: tls.certificate,
    port,
    receivers,
    tenants,
    domains,
    requests,
    addTenant: (tenant) => void tenants.set(tenant.tenantId, tenant),
    registerApp(app) {
      const home: Registration = {
        objectId: randomUUID(),
        homeTenantId: app.tenantId.toLowerCase(),
        keys: [],
        replication: 0,
        policy: null,
        duplicates: 'refused',
        absent: 404,
        federated: [],
      };
      const registered: App = {
        roles: ['SecurityEvents.Read.All'],
        enabled: true,
        consented: true,
        ...app,
        tenantId: app.tenantId.toLowerCase(),
        clientId: app.clientId.toLowerCase(),
        // A given registration stays the same object, because several tenants may share it.
        registration: Object.assign(app.registration ?? {}, { ...home, ...app.registration }),
      };
      apps.set(`${registered.tenantId}/${registered.clientId}`, registered);
      return registered;
    },
    advance(days = 1) {
      for (const tenant of tenants.values()) tenant.advance(days);
    },
    fault: (rule) => faults.add(rule),
    healthy: () => faults.clear(),
    setTokenLifetime(seconds) {
      tokenLifetime = seconds;
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function readRequest(message: IncomingMessage, root: string, at: Date): Promise<Incoming> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return {
    at,
    method: message.method ?? 'GET',
    url: new URL(message.url ?? '/', root),
    headers: message.headers,
    body: Buffer.concat(chunks).toString(),
  };
}

function send(response: ServerResponse, reply: Reply): void {
  const bytes = Buffer.from(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    'content-type': 'application/json; charset=utf-8',
    ...reply.headers,
    'content-length': bytes.length,
  });
  if (reply.broken === 'cut')
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
  else response.end(bytes);
}
