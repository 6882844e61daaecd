import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

/** Data of a page under its name: gzip in base64, letters that end nothing. */
export interface Part {
  name: string;
  packed: string;
}

/** Equal values give equal parts. @param value JSON can hold it */
export async function packPart(name: string, value: unknown): Promise<Part> {
  return { name, packed: (await compress(JSON.stringify(value), { level: 9 })).toString('base64') };
}

/** In a folder each part is a script, called by its content: files of another page are never taken for this one's. */
export function scriptOf({ packed }: Part): { file: string; script: string } {
  const hash = createHash('sha256').update(packed).digest('hex').slice(0, 32);
  return { file: `${hash}.js`, script: `secureScorePart("${hash}","${packed}");\n` };
}
