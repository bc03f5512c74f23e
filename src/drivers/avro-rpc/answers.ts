import type { AvroWriter } from '../../formats/avro-bytes.js';
import type { FlumeStatus } from '../../ports/flume-rpc.js';
import { STATUSES } from './protocol.js';

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
