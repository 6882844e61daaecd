import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { blocksPage } from './draw-blocks.ts';
import { cardPage } from './draw-card.ts';
import type { SlackMessage } from '../lambda/report/blocks.ts';
import type { AdaptiveCard } from '../lambda/report/card.ts';
import type { Endpoint, Handled, Incoming, Reply } from './http.ts';

/*
 * The receivers of the channels' messages: a workflow of Teams, an incoming webhook of Slack, and a receiver that checks
 * signatures by Standard Webhooks. They are strict: they refuse what the real ones would drop silently.
 */

export type Receiver = Extract<Endpoint, 'teams' | 'slack' | 'webhook'>;

/** An accepted message. */
export interface Received {
  receiver: Receiver;
  /** The `webhook-id` of a webhook; made up for the others. */
  id: string;
  /** By the clock of the receivers. */
  at: Date;
  /** As JSON has it. */
  body: Record<string, unknown>;
  /** True if a webhook had accepted the same id before. */
  repeated: boolean;
}

/** The answer, and the message if it is accepted. */
interface Answered {
  reply: Reply;
  id?: string;
  body?: Record<string, unknown>;
}

/** Teams drops larger ones: 28 kB are stated, and less was seen to fail. */
const TEAMS_BYTES = 21_000;

/** https://docs.slack.dev/reference/block-kit/blocks */
const SLACK = { blocks: 50, section: 3000, header: 150, context: 10, fields: 10, text: 40_000, all: 13_000 };

/** Standard Webhooks: a signature counts for five minutes. */
const TOLERANCE_MS = 5 * 60_000;

/** The number of messages that each accepts within a second. */
const RATES = { teams: 4, slack: 4 };

/** The addresses and the key are new each time, so that programs know them only from their config. */
export class Receivers {
  /** The addresses are secret, as those of the real receivers are. */
  readonly addresses: Record<Receiver, string>;
  /** The key by which the webhook checks signatures. */
  readonly signingKey = `whsec_${Buffer.from(randomUUID() + randomUUID())
    .subarray(0, 32)
    .toString('base64')}`;
  /** The accepted messages, in order. */
  readonly messages: Received[] = [];
  readonly #now: () => Date;
  readonly #recent = { teams: [] as number[], slack: [] as number[] };

  /** @param root like https://localhost:8443. @param now the clock that signatures are checked by */
  constructor(root: string, now: () => Date) {
    this.#now = now;
    const key = () => randomUUID().replaceAll('-', '');
    this.addresses = {
      teams: `${root}/workflows/${key()}/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=${key()}`,
      slack: `${root}/services/T${key().slice(0, 8).toUpperCase()}/B${key().slice(0, 8).toUpperCase()}/${key()}`,
      webhook: `${root}/hooks/${key()}`,
    };
  }

  /** Forgets the recent messages, so that no sender is asked to pause. */
  calm(): void {
    this.#recent.teams = [];
    this.#recent.slack = [];
  }

  /** @returns undefined for a path that belongs to none of them */
  handle(incoming: Incoming): Handled | undefined {
    const [, receiver] =
      (
        [
          ['/workflows/', 'teams'],
          ['/services/', 'slack'],
          ['/hooks/', 'webhook'],
        ] as const
      ).find(([prefix]) => incoming.url.pathname.startsWith(prefix)) ?? [];
    if (receiver === undefined) return undefined;
    const { reply, id, body } = this.#answer(receiver, incoming);
    const accept = () => {
      if (id === undefined || body === undefined) return;
      const repeated = this.messages.some((other) => other.receiver === receiver && other.id === id);
      this.messages.push({ receiver, id, at: this.#now(), body, repeated });
    };
    return { endpoint: receiver, tenantId: null, reply, accept };
  }

  /**
   * Writes what arrived as files that sort as it came: `01-teams.json`, and `01-teams.html` as people see it (a webhook
   * has none). @returns the names of the files
   */
  async dump(folder: string): Promise<string[]> {
    await mkdir(folder, { recursive: true });
    const files = this.messages.flatMap(({ receiver, body }, index) => {
      const name = `${String(index + 1).padStart(2, '0')}-${receiver}`;
      const page = pageOf(receiver, body);
      const json = { name: `${name}.json`, text: `${JSON.stringify(body, null, 2)}\n` };
      return page === null ? [json] : [json, { name: `${name}.html`, text: page }];
    });
    await Promise.all(files.map(({ name, text }) => writeFile(join(folder, name), text)));
    return files.map(({ name }) => name);
  }

  #answer(receiver: Receiver, incoming: Incoming): Answered {
    if (incoming.method !== 'POST') return { reply: { status: 405, body: '' } };
    switch (receiver) {
      case 'teams':
        return this.#teams(incoming);
      case 'slack':
        return this.#slack(incoming);
      case 'webhook':
        return this.#webhook(incoming);
    }
  }

  /** Answers as Power Automate does. */
  #teams(incoming: Incoming): Answered {
    const own = new URL(this.addresses.teams);
    if (incoming.url.pathname !== own.pathname) {
      return teamsError(404, 'WorkflowNotFound', 'The workflow could not be found.');
    }
    if (incoming.url.searchParams.get('sig') !== own.searchParams.get('sig')) {
      return teamsError(401, 'AuthorizationFailed', 'The authentication credentials are not valid.');
    }
    const wait = this.#tooMany('teams', incoming.at);
    if (wait) return teamsError(429, 'TooManyRequests', 'Rate limit is exceeded.', wait);
    if (Buffer.byteLength(incoming.body) > TEAMS_BYTES) {
      return teamsError(413, 'RequestEntityTooLarge', 'The request is too large.');
    }
    const body = jsonOf(incoming);
    const wrong = body === undefined ? 'it is not JSON' : wrongCard(body);
    if (body === undefined || wrong !== undefined) {
      return teamsError(400, 'InvalidRequestContent', `The message cannot be posted: ${wrong}.`);
    }
    const id = randomUUID();
    return { id, body, reply: { status: 202, headers: { 'x-ms-workflow-run-id': id }, body: '' } };
  }

  /** Answers as https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors says. */
  #slack(incoming: Incoming): Answered {
    if (incoming.url.pathname !== new URL(this.addresses.slack).pathname) return slackText(404, 'no_service');
    const wait = this.#tooMany('slack', incoming.at);
    if (wait) return slackText(429, 'rate_limited', wait);
    const body = jsonOf(incoming);
    if (body === undefined) return slackText(400, 'invalid_payload');
    const wrong = wrongBlocks(body);
    if (wrong !== undefined) return slackText(400, wrong);
    return { id: randomUUID(), body, ...slackText(200, 'ok') };
  }

  #webhook({ url, headers, body: text }: Incoming): Answered {
    if (url.pathname !== new URL(this.addresses.webhook).pathname)
      return { reply: { status: 404, body: '' } };
    const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures } = headers;
    if (typeof id !== 'string' || typeof seconds !== 'string' || typeof signatures !== 'string') {
      return { reply: { status: 400, body: { error: 'not_signed' } } };
    }
    const sent = new Date(Number(seconds) * 1000);
    if (!(Math.abs(sent.getTime() - this.#now().getTime()) < TOLERANCE_MS)) {
      return { reply: { status: 401, body: { error: 'timestamp_out_of_tolerance' } } };
    }
    // The library's `verify` is not used, because it reads the machine's clock.
    if (!signatures.split(' ').includes(new Webhook(this.signingKey).sign(id, sent, text))) {
      return { reply: { status: 401, body: { error: 'signature_invalid' } } };
    }
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return { reply: { status: 400, body: { error: 'not_json' } } };
    }
    return { id, body, reply: { status: 204, body: '' } };
  }

  /** @returns the headers that ask for a pause, if too many came within a second */
  #tooMany(receiver: 'teams' | 'slack', at: Date): Record<string, string> | undefined {
    const recent = this.#recent[receiver].filter((time) => time > at.getTime() - 1000);
    this.#recent[receiver] = recent;
    if (recent.length >= RATES[receiver]) return { 'retry-after': '1' };
    recent.push(at.getTime());
    return undefined;
  }
}

/** An accepted message as people see it; null if only programs read it. */
function pageOf(receiver: Receiver, body: Record<string, unknown>): string | null {
  switch (receiver) {
    case 'teams':
      return cardPage((body as { attachments: [{ content: AdaptiveCard }] }).attachments[0].content);
    case 'slack':
      return blocksPage((body as unknown as SlackMessage).blocks);
    case 'webhook':
      return null;
  }
}

const TEXT = { 'content-type': 'text/html; charset=utf-8' };

function teamsError(status: number, code: string, message: string, headers = {}): { reply: Reply } {
  return { reply: { status, headers, body: { error: { code, message } } } };
}

function slackText(status: number, body: string, headers = {}): { reply: Reply } {
  return { reply: { status, headers: { ...TEXT, ...headers }, body } };
}

function jsonOf({ headers, body }: Incoming): Record<string, unknown> | undefined {
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the flow "Post to a channel when a webhook request is received" needs: one card, of a version that Teams draws. */
function wrongCard({ type, attachments }: Record<string, unknown>): string | undefined {
  if (type !== 'message') return 'its type is not message';
  if (!Array.isArray(attachments) || attachments.length === 0) return 'it has no attachments';
  for (const attachment of attachments as unknown[]) {
    if (!isObject(attachment)) return 'an attachment is no object';
    if (attachment['contentType'] !== 'application/vnd.microsoft.card.adaptive') {
      return 'an attachment is no Adaptive Card';
    }
    const card = attachment['content'];
    if (!isObject(card) || card['type'] !== 'AdaptiveCard') return 'the content is no AdaptiveCard';
    if (!/^1\.[0-5]$/.test(String(card['version']))) return 'the version of the card is unknown';
    if (!Array.isArray(card['body']) || card['body'].length === 0) return 'the card is empty';
  }
  return undefined;
}

/** @returns the error of Slack */
function wrongBlocks({ text, blocks = [] }: Record<string, unknown>): string | undefined {
  if (typeof text !== 'string' || text.trim() === '') return 'no_text';
  if (text.length > SLACK.text) return 'msg_too_long';
  if (!Array.isArray(blocks)) return 'invalid_blocks_format';
  if (blocks.length > SLACK.blocks) return 'invalid_blocks';
  if (JSON.stringify(blocks).length > SLACK.all * 3) return 'msg_blocks_too_long';
  return (blocks as unknown[]).every(isGoodBlock) ? undefined : 'invalid_blocks';
}

function isGoodBlock(block: unknown): boolean {
  if (!isObject(block)) return false;
  const { type, text, fields, elements } = block;
  switch (type) {
    case 'header':
      return isObject(text) && text['type'] === 'plain_text' && isText(text, SLACK.header);
    case 'section': {
      if (text === undefined && fields === undefined) return false;
      const all = Array.isArray(fields) ? (fields as unknown[]) : [];
      return (
        (text === undefined || isText(text, SLACK.section)) &&
        all.length <= SLACK.fields &&
        all.every((field) => isText(field, 2000))
      );
    }
    case 'context':
      return Array.isArray(elements) && elements.length > 0 && elements.length <= SLACK.context;
    case 'actions':
    case 'rich_text':
      return Array.isArray(elements) && elements.length > 0;
    case 'divider':
      return true;
    default:
      return false;
  }
}

function isText(value: unknown, longest: number): boolean {
  if (!isObject(value) || !['plain_text', 'mrkdwn'].includes(String(value['type']))) return false;
  const { text } = value;
  return typeof text === 'string' && text.length > 0 && text.length <= longest;
}

// What goes wrong at a receiver: `fault({ at: 'teams', with: gone.teams })`

/** Somebody deleted the workflow, webhook or app that accepted the messages. */
export const gone: Record<Receiver, () => Reply> = {
  teams: () => teamsError(404, 'WorkflowNotFound', 'The workflow could not be found.').reply,
  slack: () => slackText(404, 'no_service').reply,
  webhook: () => ({ status: 410, body: '' }),
};

/** The flow is switched off. */
export const switchedOff = (): Reply =>
  teamsError(400, 'WorkflowTriggerIsNotEnabled', 'The trigger of the workflow is not enabled.').reply;

/** The message is accepted, and the answer comes this number of ms later. */
export const slow =
  (delay: number) =>
  (good: Reply): Reply => ({ ...good, delay });

/** An answer that repeats the address, as pages of web servers do. */
export const echoes =
  (status: number) =>
  (_good: Reply, { url }: Incoming): Reply => ({
    status,
    body: `<h1>Error</h1><p>The requested URL ${url.pathname}${url.search} was not found on this server.</p>`,
  });
