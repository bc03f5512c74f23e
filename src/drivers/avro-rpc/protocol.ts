import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Avsc from 'avsc';
import { describeError, OptionError } from '../../core/errors.js';
import type { AvroWriter } from '../../formats/avro-bytes.js';
import type { FlumeStatus } from '../../ports/flume-rpc.js';

/** The answers in the order of the protocol: an answer is sent as its index here. */
export const STATUSES: readonly FlumeStatus[] = ['OK', 'FAILED', 'UNKNOWN'];

/** Flume's `AvroSourceProtocol`; the same in 1.9, 1.11 and the unreleased 2.0, texts of licences aside. */
const PROTOCOL = {
  protocol: 'AvroSourceProtocol',
  namespace: 'org.apache.flume.source.avro',
  types: [
    { type: 'enum', name: 'Status', symbols: STATUSES },
    {
      type: 'record',
      name: 'AvroFlumeEvent',
      fields: [
        { name: 'headers', type: { type: 'map', values: 'string' } },
        { name: 'body', type: 'bytes' },
      ],
    },
  ],
  messages: {
    append: { request: [{ name: 'event', type: 'AvroFlumeEvent' }], response: 'Status' },
    appendBatch: {
      request: [{ name: 'events', type: { type: 'array', items: 'AvroFlumeEvent' } }],
      response: 'Status',
    },
  },
};

export const PROTOCOL_TEXT = JSON.stringify(PROTOCOL);

/** What the handshake knows a protocol by. */
export const PROTOCOL_HASH = createHash('md5').update(PROTOCOL_TEXT).digest();

/** The answer to a batch. */
export function writeStatus(writer: AvroWriter, status: FlumeStatus): void {
  writer.long(0);
  writer.long(0);
  writer.long(STATUSES.indexOf(status));
}

/** A system error: a union whose only branch is a text. */
export function writeError(writer: AvroWriter, message: string): void {
  writer.long(0);
  writer.fixed(ERROR_FLAG);
  writer.long(0);
  writer.text(message);
}

const ERROR_FLAG = Buffer.from([1]);

/** A protocol longer than this is not read: Flume's own has 1,900 characters. */
const MAX_PROTOCOL_CHARACTERS = 64 * 1024;

/** Reads the protocols that other sides send in a handshake. Throws `RXF_DRIVER_MISSING` where avsc is not installed. */
export class Protocols {
  readonly #avsc: typeof Avsc;
  readonly #ours: readonly Call[];

  constructor() {
    this.#avsc = loadAvsc();
    this.#ours = this.#callsOf(PROTOCOL);
  }

  /** Null where the other side's calls are Flume's, else what is wrong. */
  problemOf(text: string): string | null {
    if (text.length > MAX_PROTOCOL_CHARACTERS) return `its protocol has ${text.length} characters`;
    let theirs: readonly Call[];
    try {
      theirs = this.#callsOf(JSON.parse(text));
    } catch (cause) {
      return `its protocol cannot be read: ${describeError(cause)}`;
    }
    for (const [at, ours] of this.#ours.entries()) {
      const call = theirs[at];
      if (call?.request.length !== 1 || !call.request[0]?.equals(ours.request[0] as Avsc.Type)) {
        return `its call ${ours.name} takes something else than Flume's`;
      }
      if (!call.response.equals(ours.response)) return `its call ${ours.name} answers otherwise than Flume's`;
    }
    return null;
  }

  #callsOf(protocol: unknown): Call[] {
    const service = this.#avsc.Service.forProtocol(protocol);
    return Object.keys(PROTOCOL.messages).map((name) => {
      const { requestType, responseType } = service.message(name);
      const { fields } = requestType as Avsc.types.RecordType;
      return { name, request: fields.map((field) => field.type), response: responseType };
    });
  }
}

interface Call {
  readonly name: string;
  readonly request: readonly Avsc.Type[];
  readonly response: Avsc.Type;
}

function loadAvsc(): typeof Avsc {
  try {
    return createRequire(import.meta.url)('avsc') as typeof Avsc;
  } catch (cause) {
    throw new OptionError(
      'RXF_DRIVER_MISSING',
      'The avro-rpc driver needs the package avsc 5, which is not installed (6 has no RPC). Run `npm install avsc@5`.',
      { details: { package: 'avsc', wanted: '^5.7.9' }, cause },
    );
  }
}
