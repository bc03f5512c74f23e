import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, type Observable } from 'rxjs';
import type { RxflumeError } from '../../src/core/errors.js';
import type { HttpAnswer, HttpRequest } from '../../src/ports/http-client.js';
import { fetchClient } from '../../src/registry/fetch-client.js';
import { registry } from '../../src/registry/index.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serving(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const own = createServer(answer);
  server = own;
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
}

const get = (url: string): HttpRequest => ({ method: 'GET', url, headers: {}, body: new Uint8Array() });
const asked = (answer$: Observable<HttpAnswer>) => firstValueFrom(answer$);
const failed = (answer$: Observable<unknown>) =>
  firstValueFrom(answer$).then(
    () => undefined,
    (error: unknown) => error as RxflumeError,
  );

describe('the client by fetch', () => {
  it('reads no more of an answer than its bound, and leaves the connection', async () => {
    let isClosed = false;
    const url = await serving((_, response) => {
      response.on('close', () => {
        isClosed = true;
      });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x61)));
      };
      response.on('drain', more);
      more();
    });
    const answer = await asked(fetchClient(10_000).request(get(url)));
    expect([answer.excerpt.length, answer.isWhole]).toEqual([10_000, false]);
    const deadline = performance.now() + 15_000;
    while (!isClosed && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isClosed).toBe(true);
  });

  it('follows no redirect', async () => {
    let requests = 0;
    const url = await serving((_, response) => {
      requests += 1;
      response.writeHead(302, { location: 'http://127.0.0.1:1/other' }).end();
    });
    expect((await asked(fetchClient(1_000).request(get(url)))).status).toBe(302);
    expect(requests).toBe(1);
  });

  it('ends the request when it is unsubscribed, and after the time limit', async () => {
    let open = 0;
    const url = await serving((request) => {
      open += 1;
      request.on('close', () => {
        open -= 1;
      });
    });
    const schemas = registry({ url, requestTimeoutMs: 100, retry: { maxAttempts: 1 } });
    expect(await failed(schemas.latest('chat'))).toMatchObject({
      code: 'RXF_REGISTRY_UNREACHABLE',
      message: expect.stringContaining('within 100 ms'),
    });
    const deadline = performance.now() + 15_000;
    while (open > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(open).toBe(0);
  });

  it.each<[string, (url: string) => string, 'close' | ((response: ServerResponse) => void), string]>([
    ['a refused connection', (url) => url, 'close', 'RXF_HTTP_UNREACHABLE'],
    ['a connection that ends', (url) => url, (response) => response.destroy(), 'RXF_HTTP_LOST'],
    [
      'an answer that is cut off',
      (url) => url,
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('x');
        setTimeout(() => response.destroy(), 20);
      },
      'RXF_HTTP_LOST',
    ],
  ])('gives %s a code', async (_, to, answer, code) => {
    const url = await serving((_request, response) => answer !== 'close' && answer(response));
    if (answer === 'close') await new Promise((resolve) => server?.close(resolve));
    expect(await failed(fetchClient(1_000).request(get(to(url))))).toMatchObject({ code, retryable: true });
  });
});
