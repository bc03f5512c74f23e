import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { jsonSchema } from '../../src/formats/json-schema/index.js';
import { protobuf } from '../../src/formats/protobuf/index.js';
import { Frame, framePrefix } from '../../src/registry/wire-format.js';
import type { Random } from './random.js';
import type { Target } from './run.js';

const SCHEMA = {
  type: 'object',
  properties: { id: { type: 'integer' }, texts: { type: 'array', items: { type: 'string' } }, next: { $ref: '#' } },
  required: ['id'],
};

interface Framed {
  readonly id: number | undefined;
  readonly indexes: readonly number[];
  readonly payload: Buffer;
}

function read(bytes: Buffer): Framed {
  const frame = new Frame();
  frame.read(bytes, {}, true);
  const { id, indexes, payload } = frame;
  return { id, indexes, payload: Buffer.from(payload) };
}

/** A message that holds itself, with texts, numbers, lists and fields that its reader does not know. */
const messageBytes = (random: Random) =>
  Buffer.from(
    toBinary(
      FileDescriptorProtoSchema,
      create(FileDescriptorProtoSchema, {
        name: random.text(),
        dependency: random.list(3, () => random.text()),
        publicDependency: random.list(3, () => random.below(2 ** 31)),
        messageType: random.list(3, () => ({
          name: random.text(),
          nestedType: random.list(2, () => ({ name: random.text() })),
        })),
      }),
    ),
  );

/** The decoders that read values by schemas of others. */
export const SCHEMA_TARGETS: readonly Target[] = [
  {
    name: 'protobuf',
    sample: messageBytes,
    decode: protobuf(FileDescriptorProtoSchema),
    // A text that is not UTF-8 is read with U+FFFD, so what is compared is what is written of it.
    problem: (value: never) => {
      const written = toBinary(FileDescriptorProtoSchema, value);
      const again = toBinary(FileDescriptorProtoSchema, fromBinary(FileDescriptorProtoSchema, written));
      return Buffer.from(written).equals(again) ? undefined : 'is another message when it is read again';
    },
  },
  {
    name: 'json-schema',
    sample: (random) =>
      Buffer.from(
        JSON.stringify({ id: random.below(1_000), texts: random.list(4, () => random.text()), next: { id: 1 } }),
      ),
    decode: jsonSchema(SCHEMA),
    problem: (value: { readonly id: number }) => (Number.isInteger(value.id) ? undefined : 'does not fit the schema'),
  },
  {
    name: 'registry-frame',
    sample: (random) =>
      Buffer.concat([
        framePrefix(random.below(2 ** 31), [random.below(5), ...random.list(3, () => random.below(2 ** 20))]),
        random.bytes(random.below(20)),
      ]),
    decode: read,
    encode: ({ id, indexes, payload }: Framed) => Buffer.concat([framePrefix(id ?? 0, indexes), payload]),
  },
];
