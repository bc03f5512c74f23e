import { describeValue, OptionError } from '../../core/errors.js';
import { shownText } from '../../core/text.js';
import { wholeAvroSchema } from '../../registry/avro-references.js';
import type { SubjectVersion } from '../../registry/schemas.js';

/** What is not an identifier of TypeScript, or is one that it keeps for itself. */
const RESERVED = /^(?:[^A-Za-z_$]|Array|Object|Record|String|Number|Boolean|AvroDecoded|AvroValue)/;

/**
 * A file of TypeScript with the schema of a subject as a constant, and for Avro the types of what is read and what may be written.
 *
 * Fails: `OptionError` for Protobuf, whose code `protoc-gen-es` makes.
 */
export function schemaSource({ subject, version, id, schema }: SubjectVersion, registry: string): string {
  const head = `// ${oneLine(`${subject}, version ${version}, id ${id}, of ${registry}`)}; by \`rxflume schema pull\`.\n`;
  if (schema.type === 'JSON') return `${head}export const schema = ${literal(JSON.parse(schema.schema))} as const;\n`;
  if (schema.type !== 'AVRO') {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Subject ${describeValue(subject)} has a schema of Protobuf. Generate its code with \`buf\` or \`protoc\` and protoc-gen-es, and read ` +
        'it with `protobuf` of rxflume/formats/protobuf.',
      { details: { subject } },
    );
  }
  const whole = wholeAvroSchema(schema);
  const type = typeName(whole);
  return [
    head,
    "import type { AvroDecoded, AvroValue } from 'rxflume/formats';\n\n",
    '/** For `avroSchema` of rxflume/registry. */\n',
    `export const schema = ${literal(whole)} as const;\n\n`,
    '/** What is read. */\n',
    `export type ${type} = AvroDecoded<typeof schema>;\n\n`,
    '/** What may be written. */\n',
    `export type ${type}Input = AvroValue<typeof schema>;\n`,
  ].join('');
}

function typeName(schema: unknown): string {
  const { name } = schema as { readonly name?: unknown };
  const last = typeof name === 'string' ? (name.split('.').at(-1) as string) : '';
  const own = `${last.charAt(0).toUpperCase()}${last.slice(1)}`;
  return /^\w+$/.test(own) && !RESERVED.test(own) ? own : `Value${/^\w+$/.test(own) ? own : ''}`;
}

/** JSON is TypeScript, but for two line ends within texts that end a line of code in older readers, and what terminals obey. */
function literal(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function oneLine(text: string): string {
  return shownText(text).replaceAll(/[\r\n]+/g, ' ');
}
