import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A method of AMQP: its class and number. */
export type Method = `${number}.${number}`;

/** What is answered to a method; `null`: nothing. */
export type Answer = (broker: ScriptedBroker, channel: number) => Buffer | null;

const OK: Readonly<Record<Method, Buffer>> = {
  '10.31': Buffer.alloc(0),
  '10.40': method('10.41', 0, short('')),
  '10.50': method('10.51', 0),
};

/** A server that speaks as much AMQP as a test asks of it, and as badly. */
export class ScriptedBroker {
  readonly received: Method[] = [];
  readonly answers = new Map<Method, Answer>();
  /** Sent to every client that connects, instead of any AMQP. */
  greeting: Buffer | null = null;
  heartbeatSeconds = 60;
  maxFrameBytes = 131_072;
  version = '3.10.8';
  /** Neither answers nor closes. */
  isDead = false;
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#connected(socket));
    this.answers.set('20.10', (_, channel) => method('20.11', channel, long('')));
    this.answers.set('20.40', (_, channel) => method('20.41', channel));
    this.answers.set('60.10', (_, channel) => method('60.11', channel));
    this.answers.set('60.20', (_, channel) => method('60.21', channel, short('tag')));
    this.answers.set('85.10', (_, channel) => method('85.11', channel));
  }

  static async start(): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker();
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  get url(): string {
    return `amqp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  send(bytes: Buffer): void {
    for (const socket of this.sockets) socket.write(bytes);
  }

  /** Whether the other side has cut all its sockets: what is sent to such a one comes back as a reset. */
  areCut(): boolean {
    this.send(Buffer.from([8]));
    return this.sockets.size === 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connected(socket: Socket): void {
    this.sockets.add(socket);
    let rest: Buffer = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('end', () => {
      if (!this.isDead) socket.end();
    });
    socket.on('data', (bytes) => {
      if (this.isDead) return;
      rest = Buffer.concat([rest, bytes]);
      if (!isGreeted) {
        if (rest.length < 8) return;
        rest = rest.subarray(8);
        isGreeted = true;
        socket.write(this.greeting ?? this.#start());
      }
      while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(3)) {
        const [type, channel, size] = [rest[0], rest.readUInt16BE(1), rest.readUInt32BE(3)];
        const payload = rest.subarray(7, 7 + size);
        rest = rest.subarray(8 + size);
        if (type === 1) this.#take(socket, `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`, channel);
      }
    });
  }

  #take(socket: Socket, name: Method, channel: number): void {
    this.received.push(name);
    const own = this.answers.get(name);
    const answer = own !== undefined ? own(this, channel) : name === '10.11' ? this.#tune() : (OK[name] ?? null);
    if (answer !== null && answer.length > 0) socket.write(answer);
  }

  #start(): Buffer {
    const version = Buffer.concat([short('version'), Buffer.from('S'), long(this.version)]);
    const properties = Buffer.concat([uint32(version.length), version]);
    return method('10.10', 0, Buffer.from([0, 9]), properties, long('PLAIN'), long('en_US'));
  }

  #tune(): Buffer {
    const fields = Buffer.alloc(8);
    fields.writeUInt32BE(this.maxFrameBytes, 2);
    fields.writeUInt16BE(this.heartbeatSeconds, 6);
    return method('10.30', 0, fields);
  }
}

/** A frame with a method. */
export function method(name: Method, channel: number, ...fields: Buffer[]): Buffer {
  const [classId = 0, methodId = 0] = name.split('.').map(Number);
  const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), ...fields]);
  const head = Buffer.alloc(7);
  head[0] = 1;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/** Closes a connection (`10.50`) or a channel (`20.40`), with a reason. */
export function close(name: '10.50' | '20.40', channel: number, code: number, text: string, cause: Method): Buffer {
  const [classId = 0, methodId = 0] = cause.split('.').map(Number);
  const reply = Buffer.alloc(2);
  reply.writeUInt16BE(code);
  return method(name, channel, reply, short(text), Buffer.from([0, classId, 0, methodId]));
}

export function short(text: string): Buffer {
  return Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
}

export function long(text: string): Buffer {
  return Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
