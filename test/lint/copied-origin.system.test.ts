import { describe, expect, it } from '@jest/globals';
import { Linter } from 'eslint';
import ts from 'typescript';
import tseslint from 'typescript-eslint';
import { copiedOrigin } from '../../scripts/eslint-copied-origin.mjs';

const FILE = 'subject.ts';

const DECLARED = `
  interface Origin { readonly stream: string; readonly offset: number; readonly epoch: number }
  interface KafkaRecord extends Origin { readonly topic: string }
  interface Delivery { readonly origin: Origin; readonly acker: object; readonly seq: number }
  interface AmqpMessage { readonly deliveryTag: number; readonly routingKey: string; readonly content: object }
  declare const Object: { assign(...all: unknown[]): unknown; create(of: unknown): unknown; entries(of: unknown): unknown };
  declare const origin: Origin;
  declare const record: KafkaRecord;
  declare const delivery: Delivery;
  declare const message: AmqpMessage | undefined;
  declare const facts: { stream?: string; offset?: number; epoch?: number };
`;

/** How often the rule complains of the code. */
function complaints(code: string): number {
  const text = `${DECLARED}\n${code}`;
  const host = ts.createCompilerHost({});
  const source = ts.createSourceFile(FILE, text, ts.ScriptTarget.ESNext, true);
  const program = ts.createProgram([FILE], { noLib: true }, { ...host, getSourceFile: () => source });
  const config = {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { programs: [program] } },
    plugins: { ours: { rules: { 'copied-origin': copiedOrigin } } },
    rules: { 'ours/copied-origin': 'error' },
  };
  const found = new Linter().verify(text, config as unknown as Linter.Config, { filename: FILE });
  expect(found.filter(({ ruleId }) => ruleId !== 'ours/copied-origin')).toEqual([]);
  return found.length;
}

describe('the rule that origins are not copied', () => {
  it.each([
    'const copy = { ...origin, part: 1 };',
    'const copy = { ...record };',
    'const copy = { ...delivery.origin };',
    'const copy = { ...delivery };',
    'const copy = { ...message };',
    'const { stream, ...rest } = origin;',
    'function given({ acker, ...rest }: Delivery) {}',
    'Object.assign({}, origin);',
    'Object.create(record);',
    'Object.entries(origin);',
  ])('complains of %s', (code) => {
    expect(complaints(code)).toBe(1);
  });

  it.each([
    'const copy = { ...facts, part: 1 };',
    'const all = [...[origin]];',
    'const { stream, offset } = origin;',
    'const { stream, ...rest } = facts;',
    'const own = { stream: origin.stream };',
    'Object.assign({}, facts);',
    "const plain = { stream: 's', offset: 1, epoch: 1 }; const copy = { ...plain };",
  ])('says nothing of %s', (code) => {
    expect(complaints(code)).toBe(0);
  });
});
