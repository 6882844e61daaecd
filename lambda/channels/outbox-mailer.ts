import { createHash, randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import MailComposer from 'nodemailer/lib/mail-composer';
import { linkTo } from '../archive/folder-lock.ts';
import { makeFolder } from '../archive/folder-store.ts';
import { MonitorError } from '../errors.ts';
import { line } from '../report/plain-text.ts';
import { headersOf } from './headers.ts';
import { parseMailbox } from './mailbox.ts';
import type { Mail, Mailer } from '../ports.ts';

/**
 * "Sends" by writing an .eml file that any mail program opens. The file's name and the Message-ID come only from the
 * mail's key: a repetition finds the file, leaves it as it is, and returns the same id. A mail shows how well a tenant is
 * secured, so folder and files are only for their owner (0700, 0600).
 * @param folder created if it does not exist; must be on a file system with hard links
 */
export function outboxMailer(folder: string): Mailer {
  return {
    async send(mail) {
      const bytes = await compose(mail);
      try {
        await makeFolder(folder);
        await createComplete(folder, fileName(mail.key), bytes);
      } catch (error) {
        if (error instanceof MonitorError) throw error;
        throw new MonitorError(
          'outbox-unwritable',
          `The mail could not be written to the outbox ${folder}: ${error instanceof Error ? error.message : String(error)}`,
          'Choose a folder with --outbox that can be written, on a disk with room.',
          { cause: error },
        );
      }
      return messageId(mail.key);
    },
  };
}

/** @returns the mail as a MIME message; the same mail gives the same bytes. */
export async function compose(mail: Mail): Promise<Buffer> {
  const options = {
    from: parseMailbox(mail.from),
    to: mail.to.map(parseMailbox),
    subject: line(mail.subject, 998),
    text: mail.text,
    html: mail.html,
    attachments: (mail.attachments ?? []).map(({ name, contentType, content, contentId }) => ({
      filename: line(name, 255),
      contentType,
      content: Buffer.from(content),
      ...(contentId !== undefined && { cid: contentId }),
    })),
    messageId: messageId(mail.key),
    date: mail.date,
    headers: headersOf(mail),
    // A random boundary would make the same mail give other bytes.
    baseBoundary: hash(mail.key, 24),
    newline: 'windows',
    textEncoding: 'quoted-printable',
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const;
  return await new MailComposer({ ...options, to: [...options.to] }).compile().build();
}

/**
 * The key, reduced to the characters that a file name can have on any system: it sorts by time and is readable. If
 * characters were replaced, a hash of the key distinguishes similar keys.
 */
export function fileName(key: string): string {
  const readable = key
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9/]+/g, '-')
    .replace(/[-/]*\/[-/]*/g, '_')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 120);
  const faithful = readable !== '' && readable.replaceAll('_', '/') === key;
  return `${readable || 'mail'}${faithful ? '' : `-${hash(key, 8)}`}.eml`;
}

/** The Message-ID of a mail that we write ourselves. */
export function messageId(key: string): string {
  return `<${hash(key, 32)}@secure-score-monitor>`;
}

function hash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** Creates the file by link(2) of a finished one, so that it is never incomplete or overwritten, even after a kill. */
async function createComplete(folder: string, name: string, bytes: Buffer): Promise<void> {
  const temporary = join(folder, `.${name}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await linkTo(temporary, join(folder, name), 'outbox');
  } finally {
    await rm(temporary, { force: true });
  }
}
