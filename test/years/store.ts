import type { ObjectStore } from '../../lambda/ports.ts';

/** Objects in memory that stay fast when there are tens of thousands of them: keys are sorted by folder. */
export class YearsStore implements ObjectStore {
  readonly location = 'memory:';
  readonly objects = new Map<string, { bytes: Uint8Array; version: string }>();
  readonly #folders = new Map<string, string[]>();
  #writes = 0;

  async get(key: string) {
    return this.objects.get(key);
  }
  async create(key: string, bytes: Uint8Array) {
    if (this.objects.has(key)) return 'exists' as const;
    this.put(key, bytes);
    return 'created' as const;
  }
  async replace(key: string, bytes: Uint8Array, expected: string | null) {
    if ((this.objects.get(key)?.version ?? null) !== expected) return;
    return this.put(key, bytes);
  }
  async list(prefix: string, after = '') {
    const folder = folderOf(prefix);
    const folders = folder.length > 1 && prefix.startsWith(folder) ? [folder] : [...this.#folders.keys()];
    const from = after > prefix ? after : prefix;
    return folders
      .flatMap((each) => {
        const keys = this.#folders.get(each) ?? [];
        let index = placeOf(keys, from);
        const found: string[] = [];
        for (; index < keys.length && keys[index]!.startsWith(prefix); index += 1)
          if (keys[index]! > after) found.push(keys[index]!);
        return found;
      })
      .toSorted();
  }

  put(key: string, bytes: Uint8Array): string {
    if (!this.objects.has(key)) {
      const folder = folderOf(key);
      const keys = this.#folders.get(folder) ?? [];
      this.#folders.set(folder, keys);
      keys.splice(placeOf(keys, key), 0, key);
    }
    const version = String((this.#writes += 1));
    this.objects.set(key, { bytes, version });
    return version;
  }
  copy(keep: (key: string) => boolean = () => true): YearsStore {
    const copy = new YearsStore();
    for (const [key, { bytes }] of this.objects) if (keep(key)) copy.put(key, bytes);
    return copy;
  }
}

/** The first two parts of a key: all lists are of one tenant, or of all. */
function folderOf(key: string): string {
  const second = key.indexOf('/', key.indexOf('/') + 1);
  return second < 0 ? '' : key.slice(0, second + 1);
}

function placeOf(keys: string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
