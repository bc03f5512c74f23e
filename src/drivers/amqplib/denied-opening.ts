import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from './address.js';
import type { BrokerAnswer } from './broker-answer.js';
import type { CheckedOptions } from './options.js';

const METHOD_FRAME = 1;
const FRAME_END = 0xce;
const START = 0x000a000a;
const START_OK = 0x000a000b;
const TUNE = 0x000a001e;
const TUNE_OK = 0x000a001f;
const OPEN = 0x000a0028;
const CLOSE = 0x000a0032;
const MAX_BYTES = 1_048_576;

/** How amqplib reports that the broker accepted the login and then denied the virtual host; it drops the broker's reply. */
export function isDeniedOpening(error: unknown): boolean {
  return /Expected ConnectionOpenOk; got <ConnectionClose/.test(
    String((error as { message?: unknown } | null)?.message),
  );
}

/**
 * Opens the virtual host once more by hand, to learn why it is denied: null if it is not, or there is no reply in time. Returns
 * a function that cancels it. `response` is what it logs in with.
 */
export function askWhyDenied(
  broker: Address,
  response: Buffer,
  options: CheckedOptions,
  answered: (answer: BrokerAnswer | null) => void,
): () => void {
  const { host, port, isTls } = broker;
  const socket: Socket = isTls
    ? connectTls({ ...options.tls.connection(host), host, port })
    : connectPlain({ host, port });
  let received: Buffer = Buffer.alloc(0);
  const finish = (answer: BrokerAnswer | null) => {
    if (socket.destroyed) return;
    clearTimeout(timer);
    socket.destroy();
    answered(answer);
  };
  const timer = setTimeout(() => finish(null), options.connectTimeoutMs);
  const send = (method: number, ...parts: Buffer[]) => socket.write(frame(method, Buffer.concat(parts)));
  const take = (method: number, fields: Buffer) => {
    if (method === START) {
      send(START_OK, long(0), short(options.mechanism.toUpperCase()), long(response.length), response, short('en_US'));
    } else if (method === TUNE) {
      send(TUNE_OK, fields.subarray(0, 8));
      send(OPEN, short(broker.vhost), Buffer.from([0, 0]));
    } else {
      const isClose = method === CLOSE && fields.length > 3;
      finish(
        isClose ? { code: fields.readUInt16BE(0), text: fields.toString('utf8', 3, 3 + (fields[2] as number)) } : null,
      );
    }
  };
  socket.once(isTls ? 'secureConnect' : 'connect', () => socket.write('AMQP\0\0\x09\x01'));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 7) {
      const end = 7 + received.readUInt32BE(3);
      if (received[0] !== METHOD_FRAME || end < 11 || end > MAX_BYTES) return finish(null);
      if (received.length <= end) return;
      const fields = received.subarray(11, end);
      const method = received.readUInt32BE(7);
      received = received.subarray(end + 1);
      take(method, fields);
    }
  });
  socket.on('error', () => finish(null));
  socket.on('end', () => finish(null));
  return () => {
    clearTimeout(timer);
    socket.destroy();
  };
}

function frame(method: number, fields: Buffer): Buffer {
  const head = Buffer.alloc(11);
  head[0] = METHOD_FRAME;
  head.writeUInt32BE(fields.length + 4, 3);
  head.writeUInt32BE(method, 7);
  return Buffer.concat([head, fields, Buffer.from([FRAME_END])]);
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function short(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
