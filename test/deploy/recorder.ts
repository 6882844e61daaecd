import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that a deployed function made to AWS. */
export interface Call {
  /** Begins with the last 50 characters of the function's name, which `emulator/sitecustomize.py` puts into its user agent. */
  caller: string;
  /** As the signature names it: `s3`, `ses`. */
  service: string;
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: () => string;
  /** Of the answer. */
  status: number;
}

export interface Recorder {
  /** What `AWS_ENDPOINT_URL` is to be for the functions. */
  endpoint: string;
  calls: Call[];
  /** Must be called before the first call comes. @param endpoint of the emulator */
  passTo: (endpoint: string) => void;
  close: () => Promise<void>;
}

/** Stands between the deployed functions and the emulator: passes on every call as it is, and remembers it. */
export async function startRecorder(): Promise<Recorder> {
  const calls: Call[] = [];
  let target: string;
  const server = createServer((incoming, outgoing) => {
    const { method = '', headers } = incoming;
    const url = new URL(incoming.url ?? '', target);
    const body: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => body.push(chunk));
    const onward = request(url, { method, headers }, (answer) => {
      const { statusCode: status = 0 } = answer;
      calls.push({
        caller: / app\/(\S+)/.exec(headers['user-agent'] ?? '')?.[1] ?? '',
        service: /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '',
        method,
        url,
        headers,
        body: () => Buffer.concat(body).toString(),
        status,
      });
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', (error) => outgoing.destroy(error));
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    passTo: (endpoint) => (target = endpoint),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
