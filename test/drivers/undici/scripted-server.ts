import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { HttpScript, SeenRequest } from '../../../src/testing/memory/memory-http.js';

/** A real HTTP server on loopback that does what it is told. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = [];
  answer: (request: SeenRequest, n: number) => HttpScript = () => 200;
  waiting = 0;
  readonly #server;
  readonly #scheme: string;

  constructor(tls?: ServerOptions) {
    const listener: RequestListener = (request, response) => void this.#receive(request, response);
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#scheme = tls === undefined ? 'http' : 'https';
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const seen: SeenRequest = {
      method: request.method ?? '',
      url: `${this.origin}${request.url}`,
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(pieces).toString(),
      at: Date.now(),
    };
    this.waiting += 1;
    response.once('close', () => {
      this.waiting -= 1;
    });
    this.seen.push(seen);
    const script = this.answer(seen, this.seen.length - 1);
    if (script === 'silence') return;
    if (script === 'reset') request.socket.destroy();
    else {
      const { status, headers = {}, body = '', afterMs = 0 } = typeof script === 'number' ? { status: script } : script;
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      response.writeHead(status, headers).end(body);
    }
  }
}
