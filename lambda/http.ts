import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { gunzipSync } from 'node:zlib';

/*
 * Requests by Node's own client. The global fetch costs a cold process 65 ms of CPU more, because it loads the library
 * behind it with its first call: half as much as everything else that a daily run cannot do without.
 */

/** One request. Redirects are not followed, so that what it carries goes only to the address that it is meant for. */
export interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Ends the request and the reading of its answer. */
  signal: AbortSignal;
}

/**
 * Sends a request, through the proxy if one is set (`followProxy`).
 * @returns the head of the answer, whose body must be read (`bodyOf`) or destroyed
 * @throws errors of the system, of TLS, or of HTTP, which have a code; `AbortError`
 */
export function send(url: URL, { body, ...options }: HttpRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // The address is one of the options, because what wraps the call (agents that trace, the AWS emulator) often knows only these.
    const all = { ...urlToHttpOptions(url), ...options };
    const request = clientFor(url).request(all, resolve).on('error', reject);
    // An answer that changes the protocol (101) ends the request without an error, and not even the signal gives one then.
    request.on('close', () =>
      reject(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' })),
    );
    // The client reports an abort only on a connection, and there is none while a proxy is silent.
    options.signal.addEventListener('abort', () => reject(options.signal.reason as Error), { once: true });
    request.end(body);
  });
}

function clientFor({ protocol }: URL): Pick<typeof https, 'request'> {
  // An import of node:http loads what is behind fetch as well, because it exports a part of that.
  return protocol === 'http:' ? process.getBuiltinModule('node:http') : https;
}

/** The `accept-encoding` of a client that reads bodies with `bodyOf`. */
export const ACCEPTED_ENCODING = 'gzip';

/**
 * Reads the body of an answer.
 * @param onBytes is called with the number of bytes received so far, packed as they are sent
 * @returns the body as text (UTF-8, without a byte order mark), unpacked; null if it has more than `most` bytes
 * @throws errors of the connection; `AbortError`
 */
export async function bodyOf(
  answer: IncomingMessage,
  most: number,
  onBytes?: (received: number) => void,
): Promise<string | null> {
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    received += chunk.length;
    onBytes?.(received);
    if (received > most) return null;
    chunks.push(chunk);
  }
  const bytes = unpacked(Buffer.concat(chunks), answer.headers, most);
  return bytes && new TextDecoder().decode(bytes);
}

function unpacked(bytes: Buffer, headers: IncomingHttpHeaders, most: number): Buffer | null {
  if (headers['content-encoding']?.toLowerCase() !== ACCEPTED_ENCODING || bytes.length === 0) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}
