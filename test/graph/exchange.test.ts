import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { exchange, excerpt, placeOf } from '../../lambda/graph/exchange.ts';
import { Setback } from '../../lambda/graph/patience.ts';
import { followProxy } from '../../lambda/proxy.ts';
import { createServerCertificate } from '../../simulator/certificates.ts';
import { failureOf } from './support.ts';

const GRAPH = { code: 'graph', name: 'Microsoft Graph' } as const;

let closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing) close();
  closing = [];
});

/** A server that answers like this. @returns its address */
async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1.0/x?$skiptoken=hidden`);
}

function ask(url: URL, limits: { timeout?: number; bytes?: number } = {}) {
  return exchange(GRAPH, url, {}, { timeout: 5_000, bytes: 1_000_000, ...limits });
}

/** The failure behind a setback. */
async function setbackOf(outcome: Promise<unknown>) {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Setback);
  return (error as Setback).failure;
}

test('a complete answer, decompressed, without its byte order mark', async () => {
  const url = await serve((_, response) => {
    response.writeHead(418, { 'content-encoding': 'gzip', 'x-test': 'yes' });
    response.end(gzipSync('\uFEFF{"é": 1}'));
  });
  const answer = await ask(url);
  expect(answer).toMatchObject({ status: 418, text: '{"é": 1}' });
  expect(answer.headers['x-test']).toBe('yes');
});

describe('the timeout', () => {
  test('ends a call without an answer', async () => {
    const url = await serve(() => {});
    const failure = await setbackOf(ask(url, { timeout: 100 }));
    expect(failure).toMatchObject({ code: 'graph-timeout', retryable: true });
    expect(failure.message).toContain('within 0.1 s');
  });

  test.each([
    ['at all', ''],
    ['for the server behind it', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('ends a call through a proxy that does not answer %s', async (_, answer) => {
    const sockets: Socket[] = [];
    const proxy = createTcpServer((socket) => {
      sockets.push(socket.on('error', () => {}));
      socket.once('data', () => socket.write(answer));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const restore = followProxy();
    closing.push(() => {
      restore();
      vi.unstubAllEnvs();
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const failure = await setbackOf(ask(new URL('https://microsoft.test/'), { timeout: 100 }));
    expect(failure).toMatchObject({ code: 'graph-timeout', retryable: true });
  });

  test('ends a body that stops in the middle', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"value": [');
    });
    const start = performance.now();
    expect((await setbackOf(ask(url, { timeout: 150 }))).code).toBe('graph-timeout');
    expect(performance.now() - start).toBeLessThan(1_500);
  });
});

test('a body that breaks off is reported with its length so far', async () => {
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"value": [', () => setTimeout(() => response.destroy(), 20));
  });
  const failure = await setbackOf(ask(url));
  expect(failure).toMatchObject({ code: 'graph-unreachable', retryable: true });
  expect(failure.message).toContain('broke off after 11 bytes');
});

test('a packed body that breaks off is no answer', async () => {
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(JSON.stringify({ value: ['a', 'b', 'c'] })).subarray(0, -9));
  });
  const failure = await setbackOf(ask(url));
  expect(failure).toMatchObject({ code: 'graph-unreachable', retryable: true });
  expect(failure.message).toMatch(/broke off after \d+ bytes of its answer/);
});

test('an answer that changes the protocol is none, and is not waited for', async () => {
  const head = ['HTTP/1.1 101 Switching Protocols', 'connection: upgrade', 'upgrade: websocket', '', ''];
  const url = await serve(({ socket }) => void socket.write(head.join('\r\n')));
  const failure = await setbackOf(ask(url));
  expect(failure).toMatchObject({ code: 'graph-unreachable', retryable: true });
  expect(failure.message).toContain('closed without an answer');
});

test('nobody listens', async () => {
  const failure = await setbackOf(ask(new URL('http://127.0.0.1:9/v1.0/x?$skiptoken=hidden')));
  expect(failure).toMatchObject({ code: 'graph-unreachable', retryable: true });
  expect(failure.message).not.toContain('hidden');
  expect(failure.advice).toContain('http://127.0.0.1:9');
});

test('no such host', async () => {
  const failure = await setbackOf(ask(new URL('http://graph.invalid/')));
  expect(failure.code).toBe('graph-unreachable');
  expect(failure.message).toMatch(/graph\.invalid/);
});

test('a server with an untrusted certificate is not asked again', async () => {
  const { certificate, privateKey } = await createServerCertificate();
  const server = createTlsServer({ key: privateKey, cert: certificate }, (_, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const error = await failureOf(ask(new URL(`https://localhost:${(server.address() as AddressInfo).port}/`)));
  expect(error).toMatchObject({ code: 'graph-not-trusted', retryable: false });
  expect(error.advice).toContain('NODE_EXTRA_CA_CERTS');
});

describe('the size', () => {
  test('is bounded', async () => {
    const url = await serve((_, response) => void response.end('x'.repeat(5_000)));
    const error = await failureOf(ask(url, { bytes: 4_999 }));
    expect(error.code).toBe('graph-too-large');
    expect((await ask(url, { bytes: 5_000 })).text).toHaveLength(5_000);
  });

  test('is that of the decompressed body', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(5_000_000)));
    });
    expect((await failureOf(ask(url, { bytes: 1_000_000 }))).code).toBe('graph-too-large');
  });
});

test('redirects are not followed', async () => {
  const paths: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    paths.push(request.url);
    response.writeHead(302, { location: '/elsewhere' });
    response.end();
  });
  expect((await ask(url)).status).toBe(302);
  expect(paths).toHaveLength(1);
});

test('a header that fetch refuses does not come back in the error', async () => {
  const url = await serve((_, response) => void response.end('{}'));
  const init = { headers: { authorization: 'Bearer opaque-secret\nx' } };
  const failure = await setbackOf(exchange(GRAPH, url, init, { timeout: 1_000, bytes: 1_000 }));
  expect(failure.message).not.toContain('opaque-secret');
});

describe('for people', () => {
  test('an address has no query', () => {
    expect(placeOf(new URL('https://u:p@graph.example/v1.0/x?$skiptoken=1#a'))).toBe(
      'https://graph.example/v1.0/x',
    );
  });

  test('an excerpt is one short line without anything like a token', () => {
    const token = `eyJ${'a'.repeat(40)}.eyJ${'b'.repeat(40)}.c-_d`;
    expect(excerpt(`<p>\n${token}</p> authorization: Bearer abc.def=`)).toBe(
      '"<p> <token></p> authorization: Bearer <token>"',
    );
    expect(excerpt('x'.repeat(1_000))).toHaveLength(102);
  });
});
