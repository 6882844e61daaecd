import * as z from 'zod';
import { layout } from '../archive/layout.ts';
import type { Log, ObjectStore } from '../ports.ts';
import { lookSchema } from './evidence.ts';

/** What the watch has said and does not say again while it lasts. */
const saidSchema = z.object({
  version: z.literal(1),
  /** Tenants that were called overdue, and when (ISO 8601). One that ran after that is forgotten. */
  overdue: z.record(z.string(), z.string()),
  /** Of the certificates that end at an instant (ISO 8601): the last threshold that was told, in days. */
  certificates: z.record(z.string(), z.number()),
  /** By tenant: how far its evidence has been looked through, and what was found. Older memories have none. */
  evidence: z.record(z.string(), lookSchema).default({}),
});
export type Said = z.infer<typeof saidSchema>;

const NOTHING_SAID: Said = { version: 1, overdue: {}, certificates: {}, evidence: {} };

export interface Memory {
  said: Said;
  /** For `remember`. */
  version: string | null;
}

/** A damaged memory is none: that says things twice, and heals itself. */
export async function recall(store: ObjectStore, log: Log): Promise<Memory> {
  const object = await store.get(layout.watch);
  if (!object) return { said: NOTHING_SAID, version: null };
  const { version } = object;
  try {
    return { said: saidSchema.parse(JSON.parse(Buffer.from(object.bytes).toString('utf8'))), version };
  } catch (error) {
    log.error(`${store.location}/${layout.watch} is damaged: what the watch has said, it says again.`, {
      error: String(error),
    });
    return { said: NOTHING_SAID, version };
  }
}

/** @returns false where another watch came first */
export async function remember(store: ObjectStore, said: Said, version: string | null): Promise<boolean> {
  const bytes = Buffer.from(`${JSON.stringify(said, null, 2)}\n`);
  return (await store.replace(layout.watch, bytes, version)) !== undefined;
}
