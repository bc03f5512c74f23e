import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ConsoleSnapshot, LogLine, TapValue } from '../../src/console/contract.js';
import { pageFile } from '../../src/console/page/page-files.js';

export const TOKEN = 'a-token-of-the-test';

/** What the real server sends with every answer, too. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The server of a console, as far as its page can tell: what it answers is what a test says. */
export class FakeConsole {
  snapshot: ConsoleSnapshot;
  history: unknown = { seconds: [], flows: {} };
  readonly asked: Asked[] = [];
  /** By `METHOD path`: what a test wants answered instead. */
  readonly answers = new Map<string, { status: number; body: unknown }>();
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;
  #isOpen = false;

  constructor(snapshot: ConsoleSnapshot) {
    this.snapshot = snapshot;
    this.#server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://console');
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        const cookie = request.headers.cookie ?? '';
        void this.#answer(request.method ?? 'GET', url, body, cookie, response);
      });
    });
  }

  /** How many tabs listen. */
  get listening(): number {
    return this.#streams.size;
  }

  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.#isOpen = true;
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  send(snapshot = this.snapshot): void {
    this.snapshot = snapshot;
    this.#write('snapshot', snapshot);
  }

  log(line: LogLine): void {
    this.#write('log', line);
  }

  tapped(value: TapValue): void {
    this.#write('tap', value);
  }

  #write(event: string, data: unknown): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #answer(method: string, url: URL, body: unknown, cookie: string, response: ServerResponse): Promise<void> {
    const path = url.pathname.slice(1);
    response.setHeader('content-security-policy', POLICY);
    response.setHeader('x-content-type-options', 'nosniff');
    const file = path === '' || path.startsWith('assets/') ? await pageFile(path.replace(/^assets\//, '')) : undefined;
    if (file !== undefined) {
      response.setHeader('content-type', file.type);
      response.end(file.body);
      return;
    }
    this.asked.push({ method, path, body });
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(status === 204 ? '' : typeof value === 'string' ? value : JSON.stringify(value));
    };
    if (path === 'api/session') return this.#session(body, response, json);
    if (!cookie.includes('session=yes')) return json(401, { code: 'RXF_CONSOLE_SESSION', message: 'Sign in.' });
    const set = this.answers.get(`${method} ${path}`);
    if (set !== undefined) return json(set.status, set.body);
    if (path === 'api/snapshot') return json(200, this.snapshot);
    if (path === 'api/history') return json(200, this.history);
    if (path !== 'api/stream') return json(404, { code: 'RXF_CONSOLE_REQUEST', message: `There is no ${path}.` });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    this.send();
  }

  #session(body: unknown, response: ServerResponse, json: (status: number, value: unknown) => void): void {
    if ((body as { token?: string }).token !== TOKEN) {
      json(401, {
        code: 'RXF_CONSOLE_SESSION',
        message: 'This is not the token. Open the address that the process printed.',
      });
      return;
    }
    response.setHeader('set-cookie', 'session=yes; HttpOnly; SameSite=Strict');
    json(204, '');
  }
}
