import {
  create,
  type DescFile,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { DecodeError, describeError, describeValue, SinkError } from '../../core/errors.js';
import { expectOption } from '../../core/options.js';
import type { Decoder } from '../decoder.js';
import type { PayloadReader, PayloadWriter, RegisteredSchema, SchemaFormat } from '../schema-format.js';
import { messageFile, messageNames } from './message-names.js';

/** A decoder of messages on their own, and what a registry is given for those with a schema id. */
export type ProtobufFormat<D extends DescMessage> = Decoder<Uint8Array | null, MessageShape<D>> &
  SchemaFormat<MessageShape<D>, MessageInitShape<D>>;

/**
 * Messages of Protobuf, by the description that `protoc-gen-es` generates: a decoder for bytes that are one message, and, for a schema
 * registry, what reads and writes those behind a schema id.
 *
 * ```ts
 * import { TimestampSchema } from '@bufbuild/protobuf/wkt';
 * import { protobuf } from 'rxflume/formats/protobuf';
 * import { decode } from 'rxflume/operators';
 * import { registry } from 'rxflume/registry';
 *
 * export const plain = decode(protobuf(TimestampSchema));
 * const schemas = registry({ url: 'http://registry:8081' });
 * export const registered = decode(schemas.decoder(protobuf(TimestampSchema)));
 * ```
 *
 * Fails: `RXF_DECODE_EMPTY` for a tombstone, `RXF_DECODE_SYNTAX` for what is not Protobuf. By a registry, `RXF_DECODE_SCHEMA` for another
 * message than yours. `RXF_SINK_FORMAT`, with the field, for a value that cannot be written. Protobuf has no names in its bytes, so a
 * decoder without a registry cannot distinguish another message from yours.
 * Source: Protocol Buffers encoding; `@bufbuild/protobuf` 2.
 */
export function protobuf<D extends DescMessage>(message: D): ProtobufFormat<D> {
  const isMessage = (message as { readonly kind?: unknown } | null | undefined)?.kind === 'message';
  expectOption('message', message, isMessage, 'the description of a message, such as `ChatSchema` of protoc-gen-es');
  const read = (bytes: Uint8Array | null): MessageShape<D> => {
    if (bytes === null || bytes === undefined) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        `Expected a message ${message.typeName}, got no value (a tombstone). Drop tombstones with ` +
          '`filterValue((value) => value !== null)` first.',
      );
    }
    try {
      return fromBinary(message, bytes);
    } catch (cause) {
      const problem = `Not a message ${message.typeName}: ${describeError(cause)}.`;
      throw new DecodeError('RXF_DECODE_SYNTAX', problem, { cause, details: { length: bytes.length } });
    }
  };
  const format: SchemaFormat<MessageShape<D>, MessageInitShape<D>> = {
    type: 'PROTOBUF',
    readerOf: (writer) => readerOf(message, writer, read),
    writer: writerOf(message),
  };
  return Object.assign(read, format);
}

function readerOf<A>(
  message: DescMessage,
  { schema }: RegisteredSchema,
  read: (bytes: Uint8Array) => A,
): PayloadReader<A> {
  const file = messageFile(schema);
  let checked: readonly number[] | undefined;
  return (payload, indexes) => {
    // Nearly always those of the value before.
    if (indexes !== checked) {
      const names = messageNames(file, indexes);
      if (!names.includes(message.typeName)) throw anotherError(message, names, indexes);
      checked = indexes;
    }
    return read(payload);
  };
}

function anotherError(message: DescMessage, names: readonly string[], indexes: readonly number[]): DecodeError {
  const is =
    names.length === 0 ? `is at [${indexes.join(', ')}], where its schema has none` : `is ${names.join(' or ')}`;
  return new DecodeError(
    'RXF_DECODE_SCHEMA',
    `Expected a message ${message.typeName}; this one ${is}. Route the messages of the topic by \`deadLetter\`, or read the topic that has yours.`,
    { details: { expected: message.typeName, names, indexes } },
  );
}

function writerOf<D extends DescMessage>(message: D): PayloadWriter<MessageInitShape<D>> {
  return {
    registered: registeredFile(message.file),
    recordName: message.typeName,
    indexes: indexesOf(message),
    write(value) {
      if (typeof value !== 'object' || value === null) {
        throw formatError(message, `it is ${describeValue(value)}, not an object`);
      }
      try {
        return toBinary(message, create(message, value));
      } catch (cause) {
        throw formatError(message, describeError(cause), cause);
      }
    },
  };
}

function formatError({ typeName }: DescMessage, problem: string, cause?: unknown): SinkError {
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write a value as the message ${typeName}: ${problem}. Map the value before the sink.`,
    { cause, details: { path: typeName } },
  );
}

function indexesOf(message: DescMessage): number[] {
  const { parent, file } = message;
  const siblings = parent === undefined ? file.messages : parent.nestedMessages;
  return [...(parent === undefined ? [] : indexesOf(parent)), siblings.indexOf(message)];
}

/** A registry knows Google's own files. */
function registeredFile({ proto, dependencies }: DescFile): RegisteredSchema {
  const others = dependencies.filter((one) => !one.proto.name.startsWith('google/protobuf/'));
  return {
    type: 'PROTOBUF',
    schema: Buffer.from(toBinary(FileDescriptorProtoSchema, proto)).toString('base64'),
    references: others.map((one) => ({ name: one.proto.name, schema: registeredFile(one) })),
  };
}
