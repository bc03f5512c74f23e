import { DecodeError, describeValue, OptionError } from '../core/errors.js';
import type { RecordHeaders } from '../core/headers.js';
import { expectOption } from '../core/options.js';
import type { Pending } from '../core/pending.js';
import { isSecret } from './secret-field.js';

/** Turns a value into another, or throws a `DecodeError` that says what is wrong with it. */
export type Decoder<I, A> = (value: I) => A;

/** An io-ts decoder or codec, by its shape, so that io-ts is needed only by those who use it. */
export interface IoTsDecoder<I, A> {
  readonly _A: A;
  readonly name: string;
  decode(value: I): { readonly _tag: 'Right'; readonly right: A } | { readonly _tag: 'Left'; readonly left: unknown };
}

/** A schema that keeps to Standard Schema 1 (zod, valibot, arktype and others), by its shape. */
export interface StandardSchema<A> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<A> | Promise<StandardResult<A>>;
    readonly types?: { readonly input: unknown; readonly output: A } | undefined;
  };
}

type StandardResult<A> =
  | { readonly value: A; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Anything that `decode` takes. */
export type DecoderLike<I, A> = Decoder<I, A> | IoTsDecoder<I, A> | StandardSchema<A>;

/**
 * A decoder that may have to wait, for a schema for example, and that looks at headers. `registry(…).decoder(…)` makes one.
 * `decode` calls it again when what it waits for is there, and keeps the order of each stream.
 */
export interface WaitingDecoder<in I, out A> {
  /** The value; or what must happen first. Throws a `DecodeError` that says what is wrong with it. */
  decodeWith(value: I, origin: RecordHeaders): A | Pending;
}

/** Whether a decoder is one that may have to wait. */
export function isWaitingDecoder<I, A>(
  decoder: DecoderLike<I, A> | WaitingDecoder<I, A>,
): decoder is WaitingDecoder<I, A> {
  return typeof (decoder as { readonly decodeWith?: unknown } | null | undefined)?.decodeWith === 'function';
}

/** The decoder behind any of the three forms. A schema that is none of them is an `OptionError`. */
export function decoderOf<I, A>(schema: DecoderLike<I, A>): Decoder<I, A> {
  if (isStandard(schema)) return (value) => standardDecode(schema, value);
  if (isIoTs(schema)) return (value) => ioTsDecode(schema, value);
  expectOption('decoder', schema, typeof schema === 'function', 'a function, an io-ts decoder or a Standard Schema');
  return schema as Decoder<I, A>;
}

function isStandard(schema: unknown): schema is StandardSchema<never> {
  const isObject = (typeof schema === 'object' && schema !== null) || typeof schema === 'function';
  return isObject && '~standard' in schema;
}

function isIoTs(schema: unknown): schema is IoTsDecoder<never, never> {
  return typeof schema === 'object' && schema !== null && 'decode' in schema && 'validate' in schema;
}

function standardDecode<A>(schema: StandardSchema<A>, value: unknown): A {
  const result = schema['~standard'].validate(value);
  if ('then' in result) {
    result.then(undefined, () => undefined);
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `The ${schema['~standard'].vendor} schema is asynchronous; decode accepts only synchronous schemas.`,
    );
  }
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  throw shapeError(path, issue?.message ?? 'not valid', result.issues.length);
}

function ioTsDecode<I, A>(decoder: IoTsDecoder<I, A>, value: I): A {
  const result = decoder.decode(value);
  if (result._tag === 'Right') return result.right;
  const failures = Array.isArray(result.left) ? (result.left as IoTsFailure[]) : [];
  const deepest = failures.reduce<IoTsFailure | undefined>(
    (best, failure) => (best === undefined || failure.context.length > best.context.length ? failure : best),
    undefined,
  );
  if (deepest === undefined) throw shapeError('', `expected ${decoder.name}`, 1);
  // io-ts numbers the members of a union or an intersection as if they were fields; a reader looks for fields.
  const isMember = (at: number) => /^(Union|Intersection)Type$/.test(deepest.context[at - 1]?.type._tag ?? '');
  const path = deepest.context.filter(({ key }, at) => key !== '' && !isMember(at)).map(({ key }) => key);
  let last = deepest.context.length - 1;
  while (last > 0 && isMember(last)) last -= 1;
  const expected = deepest.context[last]?.type.name ?? decoder.name;
  const type = deepest.value === null ? 'null' : typeof deepest.value;
  const isHidden = failures.some(({ context }) => context.some((entry) => isSecret(entry.type)));
  const got = isHidden ? `a secret value (${type})` : `${describeValue(deepest.value)} (${type})`;
  const own = isHidden ? undefined : deepest.message;
  throw shapeError(path.join('.'), own ?? `expected ${expected}, got ${got}`, failures.length);
}

interface IoTsFailure {
  readonly value: unknown;
  readonly context: readonly {
    readonly key: string;
    readonly type: { readonly name: string; readonly _tag?: string };
  }[];
  readonly message?: string;
}

function shapeError(path: string, problem: string, count: number): DecodeError {
  const where = path === '' ? 'The value' : `\`${path}\``;
  const more = count > 1 ? `, and ${count - 1} more` : '';
  return new DecodeError('RXF_DECODE_SHAPE', `${where} does not match the schema: ${problem}${more}.`, {
    details: { path },
  });
}
