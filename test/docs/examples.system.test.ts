import zlib from 'node:zlib';
import * as jestGlobals from '@jest/globals';
import * as rxflume from 'rxflume';
import * as alerts from 'rxflume/alerts';
import * as consoles from 'rxflume/console';
import * as deadLetters from 'rxflume/dead-letters';
import * as flumeEntry from 'rxflume/flume';
import * as formats from 'rxflume/formats';
import * as jsonSchema from 'rxflume/formats/json-schema';
import * as parquet from 'rxflume/formats/parquet';
import * as protobuf from 'rxflume/formats/protobuf';
import * as inputs from 'rxflume/inputs';
import * as parquetInputs from 'rxflume/inputs/parquet';
import * as metrics from 'rxflume/metrics';
import * as opentelemetry from 'rxflume/opentelemetry';
import * as operators from 'rxflume/operators';
import * as planner from 'rxflume/planner';
import * as ports from 'rxflume/ports';
import * as registry from 'rxflume/registry';
import * as security from 'rxflume/security';
import * as testing from 'rxflume/testing';
import * as text from 'rxflume/text';
import * as rxjs from 'rxjs';
import * as rxjsTesting from 'rxjs/testing';
import ts from 'typescript';
import { codeBlocks, docstringBlocks, textOf } from './markdown.js';

const { expect, test } = jestGlobals;

function runAtOnce(_: string, run: () => void): void {
  run();
}

/** What an example may import; its `test` runs at once, as this test. */
const MODULES: Readonly<Record<string, unknown>> = {
  'node:zlib': zlib,
  '@jest/globals': { ...jestGlobals, test: runAtOnce, it: runAtOnce },
  rxflume,
  'rxflume/alerts': alerts,
  'rxflume/flume': flumeEntry,
  'rxflume/inputs': inputs,
  'rxflume/inputs/parquet': parquetInputs,
  'rxflume/console': consoles,
  'rxflume/dead-letters': deadLetters,
  'rxflume/formats': formats,
  'rxflume/formats/json-schema': jsonSchema,
  'rxflume/formats/parquet': parquet,
  'rxflume/formats/protobuf': protobuf,
  'rxflume/metrics': metrics,
  'rxflume/opentelemetry': opentelemetry,
  'rxflume/planner': planner,
  'rxflume/operators': operators,
  'rxflume/ports': ports,
  'rxflume/registry': registry,
  'rxflume/security': security,
  'rxflume/testing': testing,
  'rxflume/text': text,
  rxjs,
  'rxjs/testing': rxjsTesting,
};

/** Documents whose blocks all run here, but for those with a driver; and some of which those that are tests do. */
const WHOLE = ['docs/guides/operators.md', 'docs/guides/testing.md', 'docs/tutorial/first-marble-test.md'];
const TESTS = ['http', 'deliveries', 'your-own-sink', 'bad-records'].map((guide) => `docs/guides/${guide}.md`);
/** Docstrings' blocks that say what an expression is, in lines of the form `expression; // → value`. */
const stated = docstringBlocks().filter(({ language, code }) => language === 'ts' && code.includes('// → '));
const examples = [...WHOLE, ...TESTS].flatMap((document) =>
  codeBlocks(document).filter(
    ({ language, code }) =>
      language === 'ts' &&
      !code.includes("from 'rxflume/drivers/") &&
      (WHOLE.includes(document) || code.includes('rxflume/testing')),
  ),
);

test('docstrings that say what an expression is are found', () => expect(stated.length).toBeGreaterThan(20));

test.each([...examples, ...stated].map(({ document, line, code }) => [`${document}:${line}`, code]))(
  '%s holds what it shows',
  (_, code) => {
    const checked = (code as string).replace(/^(.+); \/\/ → (.+)$/gm, 'expect($1).toEqual($2);');
    const { outputText } = ts.transpileModule(checked, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
    const load = (name: string) => {
      if (!(name in MODULES)) throw new Error(`The example imports ${name}`);
      return MODULES[name];
    };
    new Function('require', 'exports', 'expect', outputText)(load, {}, expect);
  },
);

test('docs/guides/operators.md has every operator in its table', () => {
  const table = textOf('docs/guides/operators.md');
  const verbs = Object.entries(operators).filter(
    ([, one]) => typeof one === 'function' && !/^class /.test(String(one)),
  );
  expect(verbs.length).toBeGreaterThan(20);
  expect(
    verbs.map(([name]) => name).filter((name) => !new RegExp(`^\\|.*\`[^|]*\\b${name}\\b`, 'm').test(table)),
  ).toEqual([]);
});
