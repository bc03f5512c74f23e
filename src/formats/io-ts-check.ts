/** Whether a value of `JSON.parse` is one of the codec, which then gives the value itself. Of any other it may say no. */
export type JsonCheck = (value: unknown) => boolean;

/** The parts of io-ts's types that are looked at. Source: io-ts 2, `index.ts`. */
interface Codec {
  readonly _tag?: unknown;
  readonly decode?: unknown;
  readonly props?: Readonly<Record<string, Codec>>;
  readonly types?: readonly Codec[];
  readonly type?: Codec;
  readonly domain?: Codec;
  readonly codomain?: Codec;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly value?: unknown;
  readonly predicate?: JsonCheck;
}

const MAX_DEPTH = 100;

/**
 * A check that says of a value whether an io-ts codec takes it as it is; undefined for a codec that may change one, as a pipe, a
 * `strict` or one's own `Type` does. `decode` of io-ts makes a path for each field of each value, which only an error needs.
 */
export function jsonCheckOf(codec: unknown, depth = 0): JsonCheck | undefined {
  const its = codec as Codec;
  // One that was given another `validate`, as `withFallback` of io-ts-types does, has another `decode` too.
  if (depth > MAX_DEPTH || typeof its?.decode !== 'function' || !its.decode.name.startsWith('bound ')) return undefined;
  const inner = (one: unknown) => jsonCheckOf(one, depth + 1);
  switch (its._tag) {
    case 'StringType':
      return (value) => typeof value === 'string';
    case 'NumberType':
      return (value) => typeof value === 'number';
    case 'BooleanType':
      return (value) => typeof value === 'boolean';
    case 'NullType':
      return (value) => value === null;
    case 'UndefinedType':
      return (value) => value === undefined;
    case 'UnknownType':
      return () => true;
    case 'LiteralType':
      return (value) => value === its.value;
    case 'KeyofType':
      return (value) => typeof value === 'string' && Object.hasOwn(its.keys ?? {}, value);
    case 'RefinementType':
      return refined(inner(its.type), its.predicate);
    case 'ArrayType':
      return every(inner(its.type));
    case 'DictionaryType':
      return its.domain?._tag === 'StringType' ? everyField(inner(its.codomain)) : undefined;
    case 'InterfaceType':
      return fields(its, (check) => (value) => value !== undefined && check(value), inner);
    case 'PartialType':
      return fields(its, (check) => (value) => value === undefined || check(value), inner);
    case 'UnionType': {
      const checks = allOf(its.types, inner);
      return checks && ((value) => checks.some((check) => check(value)));
    }
    case 'IntersectionType': {
      const checks = allOf(its.types, inner);
      return checks && ((value) => checks.every((check) => check(value)));
    }
    default:
      return undefined;
  }
}

function allOf(codecs: readonly Codec[] = [], inner: (codec: Codec) => JsonCheck | undefined): JsonCheck[] | undefined {
  const checks = codecs.map(inner);
  return checks.every((check) => check !== undefined) ? checks : undefined;
}

function refined(check: JsonCheck | undefined, predicate: JsonCheck | undefined): JsonCheck | undefined {
  if (check === undefined || typeof predicate !== 'function') return undefined;
  return (value) => check(value) && predicate(value);
}

function every(check: JsonCheck | undefined): JsonCheck | undefined {
  return check && ((value) => Array.isArray(value) && value.every(check));
}

function everyField(check: JsonCheck | undefined): JsonCheck | undefined {
  return check && ((value) => isObject(value) && Object.values(value).every(check));
}

function fields(
  { props = {} }: Codec,
  as: (check: JsonCheck) => JsonCheck,
  inner: (codec: Codec) => JsonCheck | undefined,
): JsonCheck | undefined {
  const names = Object.keys(props);
  const checks = allOf(Object.values(props), inner)?.map(as);
  if (checks === undefined) return undefined;
  return (value) => {
    if (!isObject(value)) return false;
    for (let n = 0; n < names.length; n += 1) {
      if (!(checks[n] as JsonCheck)(value[names[n] as string])) return false;
    }
    return true;
  };
}

/** Of JSON: neither null nor an array. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
