import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Moment, Way } from './plan.js';
import { dataNodeProtocol, kafkaProtocol, nameNodeProtocol, type Part, type Protocol } from './requests.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Waits for the next request of a moment, of any collector, and does to it what `way` says. */
export interface Trap {
  readonly moment: Moment;
  readonly way: Way;
  /** After how long a `late` or `held` request is forwarded. */
  readonly lateMs: number;
  /** Called at the moment itself, with the number of the collector. */
  readonly caught: (slot: number) => void;
}

/** Where a collector finds what it needs. */
export interface Doors {
  readonly kafka: string;
  readonly nameNode: string;
  readonly dataNode: string;
}

export interface Targets {
  readonly kafka: Address;
  readonly nameNode: Address;
  readonly dataNode: Address;
}

const LATE_ANSWER_MS = 10_000;

/** All that is between the collectors and the services: three doors a collector, each of which can be broken. */
export class Proxies {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #traps: Trap[] = [];
  readonly #late = new Set<Promise<void>>();
  readonly #say: (line: string) => void;

  /** `say` is told what became of each late request. */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  async open(slot: number, targets: Targets): Promise<Doors> {
    const kafka = await this.#listen(slot, targets.kafka, (port) => kafkaProtocol(targets.kafka, port));
    const nameNode = await this.#listen(slot, targets.nameNode, () => nameNodeProtocol);
    const dataNode = await this.#listen(slot, targets.dataNode, () => dataNodeProtocol);
    return { kafka: `127.0.0.1:${kafka}`, nameNode: `http://127.0.0.1:${nameNode}`, dataNode: `127.0.0.1:${dataNode}` };
  }

  arm(trap: Trap): void {
    this.#traps.push(trap);
  }

  disarm(trap: Trap): void {
    const index = this.#traps.indexOf(trap);
    if (index >= 0) this.#traps.splice(index, 1);
  }

  /** Takes all traps away, and answers when no late request is under way. */
  async calm(): Promise<void> {
    this.#traps.length = 0;
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** The first trap for a moment, taken. */
  spring(moment: Moment | undefined): Trap | undefined {
    const trap = this.#traps.find((one) => one.moment === moment);
    if (trap !== undefined) this.disarm(trap);
    return trap;
  }

  connect(target: Address): Socket {
    return this.#kept(connect({ ...target, noDelay: true }));
  }

  /** Sends a request on a connection of its own after so long; its client is gone, or does not know. */
  sendLate(target: Address, bytes: Buffer, afterMs: number): void {
    const sent = new Promise<void>((resolve) => {
      setTimeout(() => {
        const socket = this.connect(target);
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk.toString('latin1');
          if (/\r\n\r\n./s.test(answer)) socket.destroy();
        });
        socket.setTimeout(LATE_ANSWER_MS, () => socket.destroy());
        socket.once('close', () => {
          this.#say(`late: ${summaryOf(bytes)} was answered ${summaryOf(answer)}`);
          resolve();
        });
        socket.write(bytes);
      }, afterMs);
    });
    this.#late.add(sent);
    void sent.finally(() => this.#late.delete(sent));
  }

  #listen(slot: number, target: Address, protocolAt: (port: number) => Protocol): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true }, (client) => {
        const { port } = server.address() as AddressInfo;
        new Line(this, slot, target, protocolAt(port), this.#kept(client));
      });
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      this.#servers.push(server);
    });
  }

  #kept(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  }
}

/** One connection of a collector, and the connection to the service that it is forwarded to. */
class Line {
  readonly #proxies: Proxies;
  readonly #slot: number;
  readonly #target: Address;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #waiting: Part[] = [];
  #isHolding = false;
  #unanswered: { readonly trap: Trap; readonly isAnswer: (bytes: Buffer) => boolean } | undefined;

  constructor(proxies: Proxies, slot: number, target: Address, protocol: Protocol, client: Socket) {
    this.#proxies = proxies;
    this.#slot = slot;
    this.#target = target;
    this.#client = client;
    this.#server = proxies.connect(target);
    const requests = protocol.requests();
    const answers = protocol.answers();
    client.on('data', (chunk) => {
      this.#waiting.push(...requests(chunk));
      this.#forward();
    });
    this.#server.on('data', (chunk) => {
      for (const { bytes } of answers(chunk)) this.#answer(bytes);
    });
    client.once('close', () => this.#isHolding || this.#server.destroy());
    this.#server.once('close', (isFailed) => (isFailed ? reset(client) : client.end()));
  }

  #forward(): void {
    for (let part = this.#next(); part !== undefined; part = this.#next()) {
      const trap = this.#proxies.spring(part.moment);
      if (trap === undefined) push(this.#server, part.bytes, this.#client);
      else this.#trapped(trap, part);
    }
  }

  #next(): Part | undefined {
    return this.#isHolding || this.#client.destroyed ? undefined : this.#waiting.shift();
  }

  #trapped(trap: Trap, { bytes, moment, isAnswer }: Part): void {
    if (trap.way === 'unanswered') {
      if (isAnswer !== undefined) this.#unanswered = { trap, isAnswer };
      push(this.#server, bytes, this.#client);
      return;
    }
    trap.caught(this.#slot);
    if (trap.way === 'passed') push(this.#server, bytes, this.#client);
    else if (trap.way === 'held') this.#hold(bytes, trap.lateMs);
    else {
      if (trap.way === 'late') this.#proxies.sendLate(this.#target, bytes, trap.lateMs);
      else if (moment === 'data') this.#server.end(bytes.subarray(0, Math.ceil(bytes.length / 2)));
      this.#cut();
    }
  }

  #hold(bytes: Buffer, forMs: number): void {
    this.#isHolding = true;
    setTimeout(() => {
      this.#isHolding = false;
      if (this.#client.destroyed || !this.#server.writable) {
        this.#server.destroy();
        reset(this.#client);
        this.#proxies.sendLate(this.#target, bytes, 0);
        return;
      }
      push(this.#server, bytes, this.#client);
      this.#forward();
    }, forMs);
  }

  #answer(bytes: Buffer): void {
    if (this.#unanswered?.isAnswer(bytes)) {
      this.#unanswered.trap.caught(this.#slot);
      this.#cut();
    } else if (!this.#client.destroyed) push(this.#client, bytes, this.#server);
  }

  #cut(): void {
    reset(this.#client);
    this.#server.end();
  }
}

/** Writes, and stops reading from `from` until it is taken. */
function push(to: Socket, bytes: Buffer, from: Socket): void {
  if (!to.writable || to.write(bytes)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** Cuts. A reset while an end is under way fails, and then Node 20 spins in its exit forever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** First line and body of what was said over HTTP. */
function summaryOf(said: Buffer | string): string {
  const [head = '', body = ''] = said.toString('latin1').split('\r\n\r\n', 2);
  return `${head.split('\r\n', 1)[0]} ${body}`.replaceAll(/\s+/g, ' ').trim().slice(0, 300) || 'nothing';
}
