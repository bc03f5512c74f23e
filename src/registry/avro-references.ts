import { DecodeError } from '../core/errors.js';
import type { AvroSchema } from '../formats/avro-schema.js';
import type { RegisteredSchema } from '../formats/schema-format.js';

type Attributes = Readonly<Record<string, unknown>>;

/**
 * A schema that holds all it refers to: where it names a type that another schema of the registry defines, that definition is
 * put in its stead, at its first use.
 *
 * Fails: `RXF_DECODE_SCHEMA` where the text is no JSON, or refers to itself without an end.
 */
export function wholeAvroSchema(registered: RegisteredSchema): AvroSchema {
  const root = parsed(registered);
  if (registered.references.length === 0) return root as AvroSchema;
  const definitions = new Map<string, Definition>();
  for (const { schema } of registered.references) collect(schema, definitions);
  return new Inliner(definitions).inline(root, '') as AvroSchema;
}

interface Definition {
  readonly schema: unknown;
}

function collect(registered: RegisteredSchema, definitions: Map<string, Definition>): void {
  const schema = parsed(registered);
  const { name, namespace } = schema as { readonly name?: unknown; readonly namespace?: unknown };
  if (typeof name === 'string')
    definitions.set(fullName(name, typeof namespace === 'string' ? namespace : ''), { schema });
  for (const reference of registered.references) collect(reference.schema, definitions);
}

class Inliner {
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #defined = new Set<string>();

  constructor(definitions: ReadonlyMap<string, Definition>) {
    this.#definitions = definitions;
  }

  inline(schema: unknown, namespace: string): unknown {
    if (typeof schema === 'string') return this.#named(schema, namespace);
    if (Array.isArray(schema)) return schema.map((one) => this.inline(one, namespace));
    if (typeof schema !== 'object' || schema === null) return schema;
    const { name, namespace: own, fields, type, items, values } = schema as Attributes;
    let inner = namespace;
    if (typeof name === 'string') {
      const full = fullName(name, typeof own === 'string' ? own : namespace);
      this.#defined.add(full);
      inner = full.split('.').slice(0, -1).join('.');
    }
    if (Array.isArray(fields)) {
      const each = (fields as Attributes[]).map((field) => ({ ...field, type: this.inline(field?.type, inner) }));
      return { ...schema, fields: each };
    }
    if (type === 'array') return { ...schema, items: this.inline(items, inner) };
    if (type === 'map') return { ...schema, values: this.inline(values, inner) };
    return typeof type === 'string' && typeof name === 'string'
      ? schema
      : { ...schema, type: this.inline(type, inner) };
  }

  #named(name: string, namespace: string): unknown {
    for (const full of [fullName(name, namespace), name]) {
      if (this.#defined.has(full)) return full;
      const definition = this.#definitions.get(full);
      // With its namespace, which is not that of where it is put.
      if (definition !== undefined) return this.#placed(definition.schema as Attributes);
    }
    return name;
  }

  #placed(schema: Attributes): unknown {
    const namespace = typeof schema.namespace === 'string' ? schema.namespace : '';
    return this.inline({ ...schema, namespace }, '');
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function parsed({ schema }: RegisteredSchema): unknown {
  try {
    return JSON.parse(schema);
  } catch (cause) {
    // A primitive's name without quotes is a schema for some registries.
    if (/^[a-z]+$/.test(schema)) return schema;
    throw new DecodeError(
      'RXF_DECODE_SCHEMA',
      'The registry has a schema of Avro that is not JSON. Look it up there.',
      {
        cause,
        details: { schema: schema.slice(0, 200) },
      },
    );
  }
}
