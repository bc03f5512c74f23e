/** An io-ts codec, by its shape: io-ts is needed only by those who use it. */
export interface IoTsCodec {
  readonly _tag?: unknown;
  readonly name: string;
}

/** What values a codec is of, as far as a schema can say it. A refinement or brand is of what it refines. */
export type CodecShape =
  | { readonly kind: 'string' | 'double' | 'long' | 'boolean' | 'null' }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: CodecShape }
  | { readonly kind: 'map'; readonly values: CodecShape }
  | { readonly kind: 'record'; readonly fields: readonly CodecField[] }
  /** At least two, of which at most one is null. */
  | { readonly kind: 'union'; readonly members: readonly CodecShape[] }
  /** Of anything, of itself, or of what no schema has. */
  | { readonly kind: 'unknown'; readonly name: string };

export interface CodecField {
  readonly name: string;
  readonly shape: CodecShape;
}

/** The parts of io-ts's types that are looked at. Source: io-ts 2, `index.ts`. */
interface Codec extends IoTsCodec {
  readonly props?: Readonly<Record<string, Codec>>;
  readonly types?: readonly Codec[];
  readonly type?: Codec;
  readonly codomain?: Codec;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly value?: unknown;
}

const PRIMITIVES: Readonly<Record<string, 'string' | 'double' | 'boolean' | 'long' | 'null'>> = {
  StringType: 'string',
  NumberType: 'double',
  BooleanType: 'boolean',
  BigIntType: 'long',
  NullType: 'null',
  UndefinedType: 'null',
  VoidType: 'null',
};

const MAX_DEPTH = 100;
const NULL: CodecShape = { kind: 'null' };

export function shapeOf(codec: Codec, depth = 0): CodecShape {
  const tag = String(codec?._tag);
  const primitive = Object.hasOwn(PRIMITIVES, tag) ? PRIMITIVES[tag] : undefined;
  if (primitive !== undefined) return { kind: primitive };
  if (depth > MAX_DEPTH) return unknown(codec);
  const inner = (one: unknown) => shapeOf(one as Codec, depth + 1);
  switch (tag) {
    case 'RefinementType':
      return codec.name === 'Int' ? { kind: 'long' } : inner(codec.type);
    case 'ExactType':
    case 'ReadonlyType':
      return inner(codec.type);
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return { kind: 'array', items: inner(codec.type) };
    case 'DictionaryType':
      return { kind: 'map', values: inner(codec.codomain) };
    case 'KeyofType':
      return { kind: 'enum', symbols: Object.keys(codec.keys ?? {}) };
    case 'LiteralType':
      return literalOf([codec.value]) ?? unknown(codec);
    case 'UnionType':
      return unionOf(codec, depth);
    case 'IntersectionType':
      return together(codec, (codec.types ?? []).map(inner));
    case 'InterfaceType':
    case 'StrictType':
      return { kind: 'record', fields: fieldsOf(codec, (shape) => shape, depth) };
    case 'PartialType':
      return { kind: 'record', fields: fieldsOf(codec, withNull, depth) };
    default:
      return unknown(codec);
  }
}

function fieldsOf({ props = {} }: Codec, as: (shape: CodecShape) => CodecShape, depth: number): CodecField[] {
  return Object.entries(props).map(([name, its]) => ({ name, shape: as(shapeOf(its, depth + 1)) }));
}

/** The fields of all parts of an intersection; one that two parts have is not said by either alone. */
function together(codec: Codec, parts: readonly CodecShape[]): CodecShape {
  if (!parts.every((part) => part.kind === 'record')) return unknown(codec);
  const fields = new Map<string, CodecField>();
  for (const field of parts.flatMap((part) => part.fields)) {
    fields.set(field.name, fields.has(field.name) ? { name: field.name, shape: unknown(codec) } : field);
  }
  return { kind: 'record', fields: [...fields.values()] };
}

function unionOf({ types = [] }: Codec, depth: number): CodecShape {
  const isNull = ({ _tag }: Codec) => PRIMITIVES[String(_tag)] === 'null';
  const others = types.filter((one) => !isNull(one));
  const literals = others.every(({ _tag }) => _tag === 'LiteralType') ? others.map(({ value }) => value) : [];
  const literal = literalOf(literals);
  const members = literal === undefined ? others.map((one) => shapeOf(one, depth + 1)) : [literal];
  const [only = NULL] = members;
  const shape: CodecShape = members.length > 1 ? { kind: 'union', members } : only;
  return others.length < types.length ? withNull(shape) : shape;
}

function literalOf(values: readonly unknown[]): CodecShape | undefined {
  if (values.length === 0) return undefined;
  if (values.every((value) => typeof value === 'string')) return { kind: 'enum', symbols: values };
  if (values.every((value) => typeof value === 'number')) {
    return { kind: values.every(Number.isSafeInteger) ? 'long' : 'double' };
  }
  return values.every((value) => typeof value === 'boolean') ? { kind: 'boolean' } : undefined;
}

function withNull(shape: CodecShape): CodecShape {
  if (shape.kind === 'null' || shape.kind === 'unknown') return shape;
  if (shape.kind !== 'union') return { kind: 'union', members: [NULL, shape] };
  return shape.members.includes(NULL) ? shape : { kind: 'union', members: [NULL, ...shape.members] };
}

function unknown(codec: Codec | undefined): CodecShape {
  return { kind: 'unknown', name: String(codec?.name ?? codec) };
}
