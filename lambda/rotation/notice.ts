import { contentHash } from '../archive/content-hash.ts';
import { renderWatchMail } from '../report/watch.ts';
import type { Sender } from '../channels/mail.ts';
import type { SentMail } from '../run/run.ts';
import type { Key, Notebook } from './memory.ts';
import type { RotationPorts } from './ports.ts';
import type { Obstacle } from './renew.ts';

const DAY_MS = 24 * 3_600_000;

/** Operations are notified of an obstacle again when the certificate has this many days left. */
const AGAIN = [7, 30];

interface Notice {
  deployment: string;
  sender: Sender | null;
  ports: Pick<RotationPorts, 'clock' | 'mailer'>;
}

/**
 * Notifies operations of the obstacles of a renewal: when they appear, when they change, and again 30 and 7 days before
 * the certificate expires. Also notifies them, once, of old keys that only an admin can remove. A notice is recorded after
 * it was sent, so that a crash in between sends it twice rather than never.
 */
export async function sendNotice(
  { deployment, sender, ports }: Notice,
  { tenants, obstacles }: { tenants: string[]; obstacles: Obstacle[] },
  until: Date,
  notebook: Notebook,
  leftOver: Key[],
): Promise<SentMail | null> {
  if (!sender) return null;
  const now = ports.clock.now();
  const daysLeft = Math.floor((until.getTime() - now.getTime()) / DAY_MS);
  const threshold = AGAIN.find((days) => daysLeft <= days) ?? null;
  const standing = obstacles.map(({ clientId, code }) => `${clientId ?? ''} ${code}`).toSorted();
  const reported = standing.length > 0 ? contentHash({ threshold, standing }) : null;
  const isNew = reported !== null && reported !== notebook.memory.reported;

  let mail: SentMail | null = null;
  if (isNew || leftOver.length > 0) {
    const item = {
      kind: 'renewal' as const,
      until: until.toISOString(),
      daysLeft,
      names: tenants,
      obstacles: isNew ? obstacles : [],
      leftOver: leftOver.map(({ clientId, listedAs, notAfter }) => ({
        clientId,
        thumbprint: listedAs,
        notAfter,
      })),
    };
    const report = { deployment, toldAt: now.toISOString(), items: [item] };
    const { subject, html, text } = renderWatchMail(report);
    const kind = 'operations';
    const key = `${report.toldAt.slice(0, 10)}/${deployment}/renewal-${contentHash(report).slice(0, 8)}`;
    const { from, operations: to } = sender;
    const id = await ports.mailer.send({ kind, key, date: now, from, to, subject, html, text });
    mail = { kind, subject, to, id };
  }
  if (mail || reported !== notebook.memory.reported) {
    const keys = notebook.memory.keys.map((key) =>
      leftOver.some(({ clientId, thumbprint }) => key.clientId === clientId && key.thumbprint === thumbprint)
        ? { ...key, reported: true }
        : key,
    );
    await notebook.save({ reported, keys });
  }
  return mail;
}
