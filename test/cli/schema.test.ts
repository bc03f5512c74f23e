import { describe, expect, it } from '@jest/globals';
import { readArguments } from '../../src/cli/arguments.js';
import { schemaSource } from '../../src/cli/schema/schema-source.js';
import type { RegisteredSchema } from '../../src/formats/schema-format.js';

const pulled = (schema: Partial<RegisteredSchema>) =>
  schemaSource(
    { subject: 'chat-value', version: 3, id: 17, schema: { type: 'AVRO', schema: '', references: [], ...schema } },
    'http://r:8081/',
  );

describe('rxflume schema pull', () => {
  it('reads its arguments', () => {
    expect(readArguments(['schema', 'pull', 'http://r', 'chat-value'])).toEqual({
      verb: 'schema',
      url: 'http://r',
      subject: 'chat-value',
      isJson: false,
    });
    expect(() => readArguments(['schema', 'push', 'http://r', 's'])).toThrow('`schema` needs `pull`');
    expect(() => readArguments(['schema', 'pull', 'http://r'])).toThrow('and a subject');
    expect(() => readArguments(['schema', 'pull', 'a', 'b', 'c'])).toThrow('also got `c`');
    expect(readArguments(['schema', 'pull', 'a', 'b', '--json'])).toMatchObject({ isJson: true });
    expect(() => readArguments(['schema', 'pul', 'a', 'b'])).toThrow('did you mean `pull`?');
  });

  it('writes Avro with its types, and with what it refers to', () => {
    const user = JSON.stringify({ type: 'record', name: 'User', fields: [{ name: 'n', type: 'string' }] });
    const chat = JSON.stringify({ type: 'record', name: 'chat', fields: [{ name: 'by', type: 'User' }] });
    const source = pulled({
      schema: chat,
      references: [{ name: 'User', schema: { type: 'AVRO', schema: user, references: [] } }],
    });
    expect(source).toMatch(/^\/\/ chat-value, version 3, id 17, of http:\/\/r:8081\/; by `rxflume schema pull`\.\n/);
    expect(source).toContain('"name": "User"');
    expect(source).toContain('export type Chat = AvroDecoded<typeof schema>;');
    expect(source).toContain('export type ChatInput = AvroValue<typeof schema>;');
  });

  it('writes what would leave its text in no other way than as text', () => {
    const doc = '*/ \u0060 \u2028 \u202e';
    const source = pulled({ schema: JSON.stringify({ type: 'record', name: 'Object', doc, fields: [] }) });
    expect(source).toContain('"*/ ` ');
    expect(source).toContain('\\u2028 \\u202e');
    expect(source).toContain('export type ValueObject = ');
  });

  it('writes JSON Schema as a constant, and says where the code of Protobuf comes from', () => {
    expect(pulled({ type: 'JSON', schema: '{"type":"object"}' })).toContain(
      'export const schema = {\n  "type": "object"\n}',
    );
    expect(() => pulled({ type: 'PROTOBUF' })).toThrow('protoc-gen-es');
  });
});
