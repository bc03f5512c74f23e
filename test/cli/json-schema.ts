import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { Ajv } from 'ajv';
import { root } from '../docs/markdown.js';

/** The folder of the schemas that users get. */
export const SCHEMA_FOLDER = `${root}docs/reference/json`;

/** Expects that what a command prints with `--json` fits the schema of that name, and returns it. */
export function fitting<T = Record<string, unknown>>(name: string, printed: string): T {
  const value: unknown = JSON.parse(printed);
  const schema = JSON.parse(readFileSync(`${SCHEMA_FOLDER}/${name}.schema.json`, 'utf8')) as object;
  const validate = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false }).compile(
    schema,
  );
  expect([name, validate(value), validate.errors]).toEqual([name, true, null]);
  return value as T;
}
