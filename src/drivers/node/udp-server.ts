import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import { shownHostPort } from '../../core/address.js';
import type { PausableListening } from '../../ports/listening.js';
import type { SocketServer, SocketServerListener } from '../../ports/socket-server.js';
import { listenError } from './listen-error.js';
import { isAllowed } from './listen-options.js';
import { Rejections } from './rejections.js';
import { checkUdpOptions, type UdpServerOptions } from './socket-options.js';

/** How often it asks the system how many datagrams it has dropped, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

type UdpSettings = ReturnType<typeof checkUdpOptions>;

/**
 * A server of UDP datagrams. Nothing can be asked again of a client, and no client can be made to wait: what comes while the
 * window is full is dropped and counted, and so is, on Linux, what the system drops.
 *
 * ```ts
 * import { udpServer } from 'rxflume/drivers/node';
 *
 * export const server = udpServer({ host: '0.0.0.0', port: 5514 });
 * ```
 *
 * Bounds: `receiveBufferBytes`, which the system holds.
 * Fails: `OptionError` here; `RXF_SOURCE_LISTEN` when it cannot listen.
 * Source: Node, `dgram`.
 */
export function udpServer(options: UdpServerOptions): SocketServer {
  const settings = checkUdpOptions(options);
  return {
    name: `udp ${shownHostPort(settings.host, settings.port)}`,
    transport: 'udp',
    listen: (listener) =>
      new Observable((subscriber) => {
        const running = new Running(settings, listener, subscriber);
        return () => running.destroy();
      }),
  };
}

class Running implements PausableListening {
  readonly #settings: UdpSettings;
  readonly #listener: SocketServerListener;
  readonly #out: Subscriber<PausableListening>;
  readonly #socket: Socket;
  readonly #rejections: Rejections;
  #looking: NodeJS.Timeout | undefined;
  #dropped = 0;
  #isOver = false;

  constructor(settings: UdpSettings, listener: SocketServerListener, out: Subscriber<PausableListening>) {
    this.#settings = settings;
    this.#listener = listener;
    this.#out = out;
    this.#rejections = new Rejections((message) => listener.logEvent('warn', 'socket.rejected', message));
    const type = isIP(settings.host) === 6 ? 'udp6' : 'udp4';
    this.#socket = createSocket({ type, recvBufferSize: settings.receiveBufferBytes });
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('message', (bytes, { address, port }) => {
      const client = shownHostPort(address, port);
      if (isAllowed(settings.allow, address)) listener.datagram(bytes, client);
      else this.#rejections.add(client, this.address, 'its address is not in `allow`');
    });
    this.#socket.bind({ address: settings.host, port: settings.port }, () => {
      this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
      out.next(this);
    });
  }

  get address(): string {
    const { host, port } = this.#settings;
    return shownHostPort(host, this.#looking === undefined ? port : this.#socket.address().port);
  }

  /** No client of UDP can be made to wait. */
  pause(): void {}

  resume(): void {}

  close(): Promise<void> {
    if (!this.#isOver) {
      this.#look();
      this.destroy();
      this.#out.complete();
    }
    return Promise.resolve();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#looking);
    this.#socket.close();
  }

  #look(): void {
    if (this.#looking === undefined) return;
    const now = droppedAt(this.#socket.address().port);
    if (now > this.#dropped) this.#listener.dropped(now - this.#dropped, 'the receive buffer of the system was full');
    this.#dropped = Math.max(now, this.#dropped);
  }

  #failed(error: Error): void {
    if (this.#isOver) return;
    const address = shownHostPort(this.#settings.host, this.#settings.port);
    this.destroy();
    this.#out.error(listenError(address, error));
  }
}

/** The datagrams that the system has dropped at a port, where it says so. Source: Linux, /proc/net/udp, column `drops`. */
function droppedAt(port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let sum = 0;
  for (const file of ['/proc/net/udp', '/proc/net/udp6']) {
    try {
      for (const line of readFileSync(file, 'latin1').split('\n')) {
        const columns = line.trim().split(/\s+/);
        if (columns[1]?.endsWith(wanted)) sum += Number(columns.at(-1)) || 0;
      }
    } catch {
      // Not Linux, or not shown in this container: then only what arrives here is counted.
    }
  }
  return sum;
}
