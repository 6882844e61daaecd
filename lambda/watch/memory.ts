import * as z from '../zod.ts';
import { layout } from '../archive/layout.ts';
import type { Log, ObjectStore } from '../ports.ts';
import { lookSchema } from './evidence.ts';

/** What the watch has reported, and does not report again while it lasts. */
const notifiedSchema = z.object({
  version: z.literal(1),
  /** Tenants that were reported as overdue, and when (ISO 8601). One that has run since is removed. */
  overdue: z.record(z.string(), z.string()),
  /** Digests that were reported as overdue, and when (ISO 8601). Older memories have none. */
  digests: z.withDefault(z.record(z.string(), z.string()), {}),
  /** By the moment at which certificates expire (ISO 8601): the last threshold that was reported, in days. */
  certificates: z.record(z.string(), z.number()),
  /** By tenant: how far its evidence has been checked, and what was found. Older memories have none. */
  evidence: z.withDefault(z.record(z.string(), lookSchema), {}),
});
export type Notified = z.infer<typeof notifiedSchema>;

const NOTHING_NOTIFIED: Notified = {
  version: 1,
  overdue: {},
  digests: {},
  certificates: {},
  evidence: {},
};

export interface Memory {
  notified: Notified;
  /** The version that `remember` must replace. */
  version: string | null;
}

/** A damaged memory counts as empty: things are then reported twice, and the next write replaces it. */
export async function recall(store: ObjectStore, log: Log): Promise<Memory> {
  const object = await store.get(layout.watch);
  if (!object) return { notified: NOTHING_NOTIFIED, version: null };
  const { version } = object;
  try {
    return {
      notified: notifiedSchema.parse(JSON.parse(Buffer.from(object.bytes).toString('utf8'))),
      version,
    };
  } catch (error) {
    log.error(`${store.location}/${layout.watch} is damaged: the watch repeats what it has reported.`, {
      error: String(error),
    });
    return { notified: NOTHING_NOTIFIED, version };
  }
}

/** @returns false if another watch came first */
export async function remember(
  store: ObjectStore,
  notified: Notified,
  version: string | null,
): Promise<boolean> {
  const bytes = Buffer.from(`${JSON.stringify(notified, null, 2)}\n`);
  return (await store.replace(layout.watch, bytes, version)) !== undefined;
}
