import { DATA_FOLDER } from '../parts.ts';

/** Reads the data of the page: parts that it carries itself, or that lie beside it as scripts. */

interface Waiting {
  resolve: (packed: string) => void;
  reject: (error: Error) => void;
}

interface TrustedTypes {
  createPolicy: (
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ) => { createScriptURL: (url: string) => string };
}

/** Parts in files that are on their way, by the hash that they are called by. */
const waiting = new Map<string, Waiting>();

/** Read once each. */
const parts = new Map<string, Promise<unknown>>();

let files: Record<string, string> | null = null;

/** What the scripts of parts call; nothing else comes of them. */
Object.assign(globalThis, {
  secureScorePart: (hash: string, packed: string) => waiting.get(hash)?.resolve(packed),
});

function filesOfPage(): Record<string, string> {
  files ??= JSON.parse(document.getElementById('files')?.textContent || '{}') as Record<string, string>;
  return files;
}

export function hasPart(name: string): boolean {
  return document.getElementById(name) !== null || Object.hasOwn(filesOfPage(), name);
}

/** @throws Error for people, where it is not there or cannot be read */
export function readPart<Value>(name: string): Promise<Value> {
  let part = parts.get(name) as Promise<Value> | undefined;
  if (!part) {
    part = packedOf(name).then((packed) => unpacked<Value>(packed));
    // Whoever tries again may have brought the file.
    part.catch(() => parts.delete(name));
    parts.set(name, part);
  }
  return part;
}

function packedOf(name: string): Promise<string> {
  const text = document.getElementById(name)?.textContent;
  if (text) return Promise.resolve(text);
  const file = filesOfPage()[name];
  return file === undefined ? Promise.reject(new Error(`this page has no ${name}`)) : fromFile(file);
}

function fromFile(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = file.replace(/\.js$/, '');
    waiting.set(hash, { resolve, reject });
    const script = document.createElement('script');
    const fail = () => {
      reject(
        new Error(`${DATA_FOLDER}/${file} is not there. The page needs the folder that it was written with.`),
      );
    };
    script.addEventListener('error', fail);
    // A script that ran has answered by now.
    script.addEventListener('load', fail);
    script.src = addressOf(file);
    document.head.append(script);
  });
}

let policy: { createScriptURL: (url: string) => string } | null = null;

/** The only addresses that the page takes scripts from: files of parts, which are called by a hash. */
function addressOf(file: string): string {
  const createScriptURL = (name: string) => {
    if (!/^[0-9a-f]{32}\.js$/.test(name)) throw new TypeError('this is no file of the page');
    return `${DATA_FOLDER}/${name}`;
  };
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('parts', { createScriptURL }) ?? { createScriptURL };
  return policy.createScriptURL(file);
}

/** @param packed gzip, in base64 */
async function unpacked<Value>(packed: string): Promise<Value> {
  const bytes = Uint8Array.from(atob(packed.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return (await new Response(stream).json()) as Value;
}
