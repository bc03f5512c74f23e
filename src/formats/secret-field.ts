import { DecodeError, isOwnError } from '../core/errors.js';
import type { IoTsCodec } from './io-ts-shape.js';

/** Registered symbols, since a flow and its command may load two copies of this package. */
const SECRET = Symbol.for('rxflume.secretField');
const FIELDS = Symbol.for('rxflume.secretFields');
const MAX_DEPTH = 100;

/** The parts of io-ts's types that hold others. Source: io-ts 2, `index.ts`. */
interface Holder {
  readonly props?: Readonly<Record<string, unknown>>;
  readonly types?: readonly unknown[];
  readonly type?: unknown;
  readonly codomain?: unknown;
}

/**
 * The same io-ts codec, for a field whose values nobody is to read: the console shows `[redacted]` in the fields of these names, in taps
 * and dead letters, and the error for a value that does not fit does not quote it. What is stored is not changed, dead letters included.
 *
 * ```ts
 * import * as t from 'io-ts';
 * import { json } from 'rxflume';
 * import { secretField } from 'rxflume/formats';
 *
 * const Login = t.type({ user: t.string, pin: secretField(t.string) });
 * export const login = json(Login);
 * ```
 *
 * Bounds: fields are known where `decode` is given the codec, or `json` of it, itself; not where a function of yours calls it.
 */
export function secretField<C extends IoTsCodec>(codec: C): C {
  const marked = Object.assign(Object.create(Object.getPrototypeOf(codec) as object) as C, codec);
  return Object.defineProperty(marked, SECRET, { value: true });
}

export function isSecret(codec: unknown): boolean {
  return (codec as { readonly [SECRET]?: boolean } | null | undefined)?.[SECRET] === true;
}

/** The names of the fields that a codec, or a decoder made of one, says are secret. */
export function secretFieldsOf(schema: unknown): readonly string[] {
  const noted = (schema as { readonly [FIELDS]?: readonly string[] } | null | undefined)?.[FIELDS];
  if (noted !== undefined) return noted;
  const names = new Set<string>();
  addFields(schema, names, new Set(), 0);
  return [...names];
}

function addFields(codec: unknown, names: Set<string>, seen: Set<unknown>, depth: number): void {
  if (typeof codec !== 'object' || codec === null || seen.has(codec) || depth > MAX_DEPTH) return;
  if (!('_tag' in codec)) return;
  seen.add(codec);
  const { props = {}, types = [], type, codomain } = codec as Holder;
  for (const [name, field] of Object.entries(props)) if (isSecret(field)) names.add(name);
  for (const inner of [...Object.values(props), ...types, type, codomain]) addFields(inner, names, seen, depth + 1);
}

/** A decoder whose errors of form, which quote the beginning of a value, do not where it has secret fields. */
export function withSecretFields<I, A>(decoder: (value: I) => A, schema: unknown): (value: I) => A {
  const fields = secretFieldsOf(schema);
  if (fields.length === 0) return decoder;
  const quiet = (value: I): A => {
    try {
      return decoder(value);
    } catch (error) {
      if (!isOwnError(error) || !['RXF_DECODE_SYNTAX', 'RXF_DECODE_INEXACT'].includes(error.code)) throw error;
      const { path } = error.details;
      const where = typeof path === 'string' ? `, in \`${path}\`` : '';
      const what = error.code === 'RXF_DECODE_SYNTAX' ? 'Not JSON, or not UTF-8' : 'A number does not fit a double';
      throw new DecodeError(
        error.code as 'RXF_DECODE_SYNTAX',
        `${what}${where}. The value is not quoted, since the schema has secret fields.`,
        { details: typeof path === 'string' ? { path } : {} },
      );
    }
  };
  return Object.defineProperty(quiet, FIELDS, { value: fields });
}
