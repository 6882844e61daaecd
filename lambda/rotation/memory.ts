import { createHash } from 'node:crypto';
import * as z from '../zod.ts';
import { layout } from '../archive/layout.ts';
import { MonitorError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';

/** A key of an app registration, as far as is known. */
const keySchema = z.object({
  clientId: z.string(),
  /** SHA-256 of the certificate, hex. */
  thumbprint: z.string(),
  /** SHA-1, as the portal lists it. */
  listedAs: z.string(),
  /** ISO 8601. */
  notAfter: z.string(),
  /** The id that addKey returned; null if it was uploaded by hand or the answer was lost. Without it only an admin can remove the key. */
  keyId: z.nullable(z.string()),
  /** False if addKey was called and its outcome is unknown. */
  there: z.boolean(),
  /** When addKey was called, or when it was first seen. */
  since: z.string(),
  /** The time since when another certificate signs in (ISO 8601). */
  superseded: z.nullable(z.string()),
  /** True if operations were notified that only an admin can remove it. */
  reported: z.boolean(),
});
export type Key = z.infer<typeof keySchema>;

const memorySchema = z.object({
  version: z.literal(1),
  /** The renewal in progress: version `id` of the secret will replace version `from`. */
  renewal: z.nullable(z.object({ id: z.string(), from: z.string(), since: z.string() })),
  keys: z.array(keySchema),
  /** The secret's former version, which is released once its keys are gone. */
  previous: z.nullable(z.string()),
  /** The obstacles that operations were last notified of; null if none. */
  reported: z.nullable(z.string()),
});

/** The progress of the renewal of a secret's certificate. It holds no key: keys are only in the secret. */
export type Memory = z.infer<typeof memorySchema>;

const EMPTY: Memory = { version: 1, renewal: null, keys: [], previous: null, reported: null };

/** @param name of a secret or a file. Its hash keeps names apart that look alike once reduced to characters of a key */
const keyOf = (name: string): string =>
  layout.rotation(
    `${name.replace(/[^\w.=-]+/g, '-').slice(-80)}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`,
  );

/** Another run changed the state meanwhile, so the attempt must start again from the new state. */
export class Contended extends Error {}

/** The state of a renewal, changed by compare-and-swap alone. */
export class Notebook {
  readonly #store: ObjectStore;
  readonly #key: string;
  #version: string | null;
  memory: Memory;

  private constructor(store: ObjectStore, key: string, memory: Memory, version: string | null) {
    this.#store = store;
    this.#key = key;
    this.memory = memory;
    this.#version = version;
  }

  /** @throws MonitorError `rotation-state-damaged` */
  static async open(store: ObjectStore, name: string): Promise<Notebook> {
    const key = keyOf(name);
    const object = await store.get(key);
    if (!object) return new Notebook(store, key, EMPTY, null);
    try {
      const memory = memorySchema.parse(JSON.parse(Buffer.from(object.bytes).toString('utf8')));
      return new Notebook(store, key, memory, object.version);
    } catch (error) {
      throw new MonitorError(
        'rotation-state-damaged',
        `${store.location}/${key} is not the state of a renewal: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
        'Restore an earlier version of the object, or move it away: the renewal then starts again, and the keys that it added must be removed by hand, because their ids are lost.',
        { cause: error },
      );
    }
  }

  /** @throws Contended */
  async save(changes: Partial<Memory>): Promise<void> {
    const memory = { ...this.memory, ...changes };
    const bytes = Buffer.from(`${JSON.stringify(memory, null, 2)}\n`);
    const version = await this.#store.replace(this.#key, bytes, this.#version);
    if (version === undefined) throw new Contended();
    this.memory = memory;
    this.#version = version;
  }

  /** Adds the key, or replaces the entry for the same certificate of the same app. */
  async saveKey(key: Key): Promise<void> {
    await this.save({ keys: [...this.memory.keys.filter((one) => !isSame(one, key)), key] });
  }

  async dropKey(key: Key): Promise<void> {
    await this.save({ keys: this.memory.keys.filter((one) => !isSame(one, key)) });
  }

  keyOf(clientId: string, thumbprint: string): Key | undefined {
    return this.memory.keys.find((key) => isSame(key, { clientId, thumbprint }));
  }
}

const isSame = (a: Pick<Key, 'clientId' | 'thumbprint'>, b: Pick<Key, 'clientId' | 'thumbprint'>): boolean =>
  a.clientId === b.clientId && a.thumbprint === b.thumbprint;
