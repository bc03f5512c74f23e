import type { Moment } from './plan.js';

/** A piece of what one side of a connection says, whole as far as it matters. */
export interface Part {
  readonly bytes: Buffer;
  /** What this asks for, where faults wait for that. */
  readonly moment?: Moment;
  /** Whether this is the other side's answer to it. */
  readonly isAnswer?: (bytes: Buffer) => boolean;
}

/** Takes chunks as they come, gives parts. One for each side of a connection. */
export type Splitter = (chunk: Buffer) => Part[];

/** What is said on a connection, by each side. */
export interface Protocol {
  readonly requests: () => Splitter;
  readonly answers: () => Splitter;
}

const HEAD_END = '\r\n\r\n';
const OFFSET_COMMIT = 8;

const asItComes: Splitter = (chunk) => [{ bytes: chunk }];

/** WebHDFS to a NameNode: heads without bodies, one after another. */
export const nameNodeProtocol: Protocol = {
  requests: () => {
    let rest: Buffer = Buffer.alloc(0);
    return (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      const parts: Part[] = [];
      for (let end = rest.indexOf(HEAD_END); end >= 0; end = rest.indexOf(HEAD_END)) {
        const bytes = rest.subarray(0, end + HEAD_END.length);
        const moment = renameIn(bytes);
        parts.push(moment === null ? { bytes } : { bytes, moment, isAnswer: isHttpAnswer });
        rest = rest.subarray(bytes.length);
      }
      return parts;
    };
  },
  answers: () => asItComes,
};

function renameIn(head: Buffer): Moment | null {
  const [, query] = /^PUT \S*\?(\S*op=RENAME\S*) HTTP/.exec(head.toString('latin1')) ?? [];
  if (query === undefined) return null;
  return (new URLSearchParams(query).get('destination') ?? '').includes('/_rxflume/ledger/') ? 'commit' : 'rename';
}

/** An upload to a DataNode: a head, then the body. The first of the body is the moment. */
export const dataNodeProtocol: Protocol = {
  requests: () => {
    let head: Buffer = Buffer.alloc(0);
    let isUpload = false;
    let seen: 'head' | 'start' | 'body' = 'head';
    return (chunk) => {
      if (seen === 'body') return [{ bytes: chunk }];
      const parts: Part[] = [];
      let body = chunk;
      if (seen === 'head') {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) return [];
        const bytes = head.subarray(0, end + HEAD_END.length);
        isUpload = /^PUT \S*op=CREATE/.test(bytes.toString('latin1'));
        seen = 'start';
        parts.push({ bytes });
        body = head.subarray(bytes.length);
      }
      if (body.length === 0) return parts;
      seen = 'body';
      parts.push(isUpload ? { bytes: body, moment: 'data', isAnswer: isHttpAnswer } : { bytes: body });
      return parts;
    };
  },
  answers: () => asItComes,
};

// A DataNode says 100 Continue unasked, before anything is done.
function isHttpAnswer(bytes: Buffer): boolean {
  return /HTTP\/1\.1 [2-5]/.test(bytes.toString('latin1'));
}

/** Kafka, in frames. Where a broker says to be is replaced: a client goes where the cluster tells it to. */
export function kafkaProtocol(broker: { host: string; port: number }, port: number): Protocol {
  const advertised = address(broker.host, broker.port);
  const ours = address(broker.host, port);
  return {
    requests: () => {
      const frames = framesOf();
      return (chunk) =>
        frames(chunk).map((bytes) => {
          if (bytes.readInt16BE(4) !== OFFSET_COMMIT) return { bytes };
          const correlationId = bytes.readInt32BE(8);
          return { bytes, moment: 'offsets', isAnswer: (answer) => answer.readInt32BE(4) === correlationId };
        });
    },
    answers: () => {
      const frames = framesOf();
      return (chunk) =>
        frames(chunk).map((bytes) => {
          for (let at = bytes.indexOf(advertised); at >= 0; at = bytes.indexOf(advertised, at + 1))
            ours.copy(bytes, at);
          return { bytes };
        });
    },
  };
}

/** A host and its port, as answers name brokers. */
function address(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(2 + host.length + 4);
  bytes.writeInt16BE(host.length, 0);
  bytes.write(host, 2);
  bytes.writeInt32BE(port, 2 + host.length);
  return bytes;
}

function framesOf(): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const size = 4 + rest.readInt32BE(0);
      frames.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    return frames;
  };
}
