import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const PRODUCE = 0;
const FETCH = 1;
const PRODUCE_VERSION = 3;
const FETCH_VERSION = 4;
/** Of a topic that was only just made: unknown, no leader, not the leader. */
const NO_LEADER_YET = [3, 5, 6];
const LEADER_TRIES = 100;
const LEADER_WAIT_MS = 100;

export interface Position {
  readonly partition: number;
  readonly offset: number;
}

export interface Fetched {
  readonly partition: number;
  readonly highWatermark: number;
  /** Batches of records as they are in the log; the last may be cut. */
  readonly batches: Buffer;
}

/**
 * Kafka's protocol by hand over one socket, as far as a limit to compare with needs it: the leader of everything is at
 * the other end, there is no group, and an error ends it.
 */
export class Wire {
  readonly #socket: Socket;
  readonly #waiting: ((answer: Buffer) => void)[] = [];
  #requests = 0;
  #size = Buffer.alloc(4);
  #sizeFilled = 0;
  #answer: Buffer | undefined;
  #filled = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', (error) => {
      throw error;
    });
  }

  static async connect(broker: string): Promise<Wire> {
    const [host, port] = broker.split(':');
    const socket = connect(Number(port), host);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** What comes next of each partition; waits at most so long for the first byte. */
  async fetch(topic: string, positions: readonly Position[], maxPartitionBytes: number, maxWaitMs: number) {
    const body = Buffer.alloc(64 + Buffer.byteLength(topic) + positions.length * 16);
    let at = body.writeInt32BE(-1, 0);
    at = body.writeInt32BE(maxWaitMs, at);
    at = body.writeInt32BE(1, at);
    at = body.writeInt32BE(0x7fffffff, at);
    at = body.writeInt8(0, at);
    at = body.writeInt32BE(1, at);
    at = text(body, topic, at);
    at = body.writeInt32BE(positions.length, at);
    for (const { partition, offset } of positions) {
      at = body.writeInt32BE(partition, at);
      at = body.writeBigInt64BE(BigInt(offset), at);
      at = body.writeInt32BE(maxPartitionBytes, at);
    }
    return readFetched(await this.#ask(FETCH, FETCH_VERSION, body.subarray(0, at)));
  }

  /** Appends one batch; resolves with its first offset when the leader has it. */
  async produce(topic: string, partition: number, batch: Buffer): Promise<number> {
    const head = Buffer.alloc(64 + Buffer.byteLength(topic));
    let at = head.writeInt16BE(-1, 0);
    at = head.writeInt16BE(1, at);
    at = head.writeInt32BE(30_000, at);
    at = head.writeInt32BE(1, at);
    at = text(head, topic, at);
    at = head.writeInt32BE(1, at);
    at = head.writeInt32BE(partition, at);
    at = head.writeInt32BE(batch.length, at);
    for (let left = LEADER_TRIES; ; left -= 1) {
      const answer = await this.#ask(PRODUCE, PRODUCE_VERSION, head.subarray(0, at), batch);
      const start = 4 + 2 + answer.readInt16BE(4) + 4 + 4;
      const error = answer.readInt16BE(start);
      if (error === 0) return Number(answer.readBigInt64BE(start + 2));
      if (left === 0 || !NO_LEADER_YET.includes(error)) {
        throw new Error(`${topic}/${partition} refused a batch with Kafka's error ${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LEADER_WAIT_MS));
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(key: number, version: number, ...parts: readonly Buffer[]): Promise<Buffer> {
    const client = 'bench';
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const head = Buffer.alloc(4 + 8 + 2 + client.length);
    head.writeInt32BE(head.length - 4 + bytes, 0);
    head.writeInt16BE(key, 4);
    head.writeInt16BE(version, 6);
    head.writeInt32BE(this.#requests, 8);
    text(head, client, 12);
    this.#requests += 1;
    this.#socket.cork();
    for (const part of [head, ...parts]) this.#socket.write(part);
    this.#socket.uncork();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#answer === undefined) {
        const copied = bytes.copy(this.#size, this.#sizeFilled, at, at + 4 - this.#sizeFilled);
        this.#sizeFilled += copied;
        at += copied;
        if (this.#sizeFilled < 4) return;
        this.#sizeFilled = 0;
        this.#answer = Buffer.allocUnsafe(this.#size.readInt32BE(0));
        this.#filled = 0;
      }
      const copied = bytes.copy(this.#answer, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled < this.#answer.length) return;
      const answer = this.#answer;
      this.#answer = undefined;
      // The number of the request is first; answers come in the order of the requests.
      this.#waiting.shift()?.(answer.subarray(4));
    }
  }
}

function text(body: Buffer, value: string, at: number): number {
  const next = body.writeInt16BE(Buffer.byteLength(value), at);
  return next + body.write(value, next);
}

function readFetched(answer: Buffer): Fetched[] {
  const fetched: Fetched[] = [];
  let at = 4 + 4;
  at += 2 + answer.readInt16BE(at);
  const partitions = answer.readInt32BE(at);
  at += 4;
  for (let left = partitions; left > 0; left -= 1) {
    const partition = answer.readInt32BE(at);
    const error = answer.readInt16BE(at + 4);
    if (error !== 0) throw new Error(`Partition ${partition} cannot be fetched: Kafka's error ${error}`);
    const highWatermark = Number(answer.readBigInt64BE(at + 6));
    at += 4 + 2 + 8 + 8;
    const aborted = answer.readInt32BE(at);
    at += 4 + Math.max(0, aborted) * 16;
    const size = Math.max(0, answer.readInt32BE(at));
    at += 4;
    fetched.push({ partition, highWatermark, batches: answer.subarray(at, at + size) });
    at += size;
  }
  return fetched;
}
