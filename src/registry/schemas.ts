import { defer, forkJoin, map, mergeMap, type Observable, of } from 'rxjs';
import { ConnectError, DecodeError, SinkError } from '../core/errors.js';
import { listed } from '../core/sentence.js';
import type { RegisteredSchema, SchemaReference } from '../formats/schema-format.js';
import { errorCodeOf, messageOf, type RegistryAnswer, type RegistryClient } from './registry-client.js';

/** What the registry calls a schema. */
export interface SchemaId {
  readonly id: number;
  /** Since Confluent 8.0; undefined where the registry has none. */
  readonly guid: string | undefined;
}

/** A version of a subject, with its schema. */
export interface SubjectVersion {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: RegisteredSchema;
}

const MAX_DEPTH = 20;
const MAX_REFERENCES = 200;
const NOT_FOUND = [404, 40401, 40402, 40403];

/**
 * The schemas of a registry, with what they refer to.
 *
 * Bounds: 200 references of one schema, 20 deep.
 * Fails: `RXF_DECODE_SCHEMA` for a schema that the registry does not have; `RXF_SCHEMA_REJECTED` for one that it does not take; as the
 * client does.
 * Source: Confluent's Schema Registry API, v7.
 */
export class Schemas {
  readonly #client: RegistryClient;

  constructor(client: RegistryClient) {
    this.#client = client;
  }

  byId(id: number): Observable<RegisteredSchema> {
    return this.#byPath(`/schemas/ids/${id}`, `id ${id}`);
  }

  byGuid(guid: string): Observable<RegisteredSchema> {
    return this.#byPath(`/schemas/guids/${guid}`, `GUID ${guid}`);
  }

  latest(subject: string): Observable<SubjectVersion> {
    return this.#version(subject, 'latest').pipe(
      mergeMap((answer) =>
        this.#whole(answer, new Count(), 0).pipe(
          map((schema) => ({ subject, version: numberOf(answer, 'version'), id: numberOf(answer, 'id'), schema })),
        ),
      ),
    );
  }

  /** Registers the schema under the subject, or finds it there; what it refers to first, by the names they have. */
  register(subject: string, schema: RegisteredSchema): Observable<SchemaId> {
    return this.#id(subject, schema, true);
  }

  /** Finds a schema that is registered under the subject. */
  lookUp(subject: string, schema: RegisteredSchema): Observable<SchemaId> {
    return this.#id(subject, schema, false);
  }

  #id(subject: string, schema: RegisteredSchema, isNew: boolean): Observable<SchemaId> {
    return this.#referred(schema, isNew).pipe(
      mergeMap((references) => this.#post(subject, schema, references, isNew)),
      map((answer) => ({ id: numberOf(answer, 'id'), guid: guidOf(answer) })),
    );
  }

  #byPath(path: string, what: string): Observable<RegisteredSchema> {
    return this.#client.call('GET', path).pipe(
      mergeMap((answer) => {
        if (answer.status === 200) return this.#whole(answer, new Count(), 0);
        if (!isNotFound(answer)) throw this.#unexpected(path, answer);
        throw new DecodeError(
          'RXF_DECODE_SCHEMA',
          `The schema registry ${this.#client.name} has no schema with ${what}: ${messageOf(answer)}. Check that the producer uses this ` +
            'registry.',
          { details: { schema: what } },
        );
      }),
    );
  }

  #version(subject: string, version: number | 'latest'): Observable<RegistryAnswer> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    return this.#client.call('GET', path).pipe(
      map((answer) => {
        if (answer.status === 200) return answer;
        if (!isNotFound(answer)) throw this.#unexpected(path, answer);
        throw new DecodeError(
          'RXF_DECODE_SCHEMA',
          `The schema registry ${this.#client.name} has no version ${version} of subject ${subject}: ${messageOf(answer)}. Check the name.`,
          { details: { subject, version } },
        );
      }),
    );
  }

  /** The schema of an answer, with what it refers to. */
  #whole(answer: RegistryAnswer, count: Count, depth: number): Observable<RegisteredSchema> {
    const { schema, schemaType = 'AVRO', references } = answer.body;
    const isType = schemaType === 'AVRO' || schemaType === 'PROTOBUF' || schemaType === 'JSON';
    if (typeof schema !== 'string' || !isType) {
      throw this.#unexpected('a schema', answer);
    }
    const all = Array.isArray(references) ? (references as Reference[]) : [];
    const root: RegisteredSchema = { type: schemaType, schema, references: [] };
    if (all.length === 0) return of(root);
    count.add(all.length, depth);
    const each = all.map(({ name, subject, version }) =>
      defer(() => this.#version(String(subject), Number(version))).pipe(
        mergeMap((one) => this.#whole(one, count, depth + 1)),
        map((one): SchemaReference => ({ name: String(name), schema: one })),
      ),
    );
    return forkJoin(each).pipe(map((found) => ({ ...root, references: found })));
  }

  #post(
    subject: string,
    schema: RegisteredSchema,
    references: readonly Reference[],
    isNew: boolean,
  ): Observable<RegistryAnswer> {
    const path = `/subjects/${encodeURIComponent(subject)}${isNew ? '/versions' : ''}`;
    const body = { schema: schema.schema, schemaType: schema.type, references };
    return this.#client.call('POST', path, body).pipe(
      mergeMap((answer) => {
        if (answer.status === 200) return of(answer);
        if (answer.status === 409) return this.#incompatible(subject, body, answer);
        throw isNew ? invalidError(subject, answer) : missingError(subject, answer);
      }),
    );
  }

  /** What a schema refers to is a subject of the name that it is called by, as Confluent's clients have it. */
  #referred({ references }: RegisteredSchema, isNew: boolean): Observable<Reference[]> {
    if (references.length === 0) return of([]);
    const each = references.map(({ name, schema }) =>
      defer(() => this.#referred(schema, isNew)).pipe(
        mergeMap((inner) => {
          const found$ = defer(() => this.#post(name, schema, inner, false));
          return isNew ? this.#post(name, schema, inner, true).pipe(mergeMap(() => found$)) : found$;
        }),
        map((answer) => ({ name, subject: name, version: numberOf(answer, 'version') })),
      ),
    );
    return forkJoin(each);
  }

  /** Asks what differs: the answer to a registration does not say. */
  #incompatible(subject: string, body: object, rejected: RegistryAnswer): Observable<never> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
    return this.#client.call('POST', path, body).pipe(
      map((answer) => {
        const messages = Array.isArray(answer.body.messages) ? answer.body.messages.map(String) : [];
        throw incompatibleError(subject, messages.length > 0 ? listed(messages) : messageOf(rejected), messages);
      }),
    );
  }

  #unexpected(what: string, answer: RegistryAnswer): ConnectError {
    return new ConnectError(
      'RXF_REGISTRY_PROTOCOL',
      `The schema registry ${this.#client.name} answered ${answer.status} for ${what}, which is no answer of its API: ` +
        `${messageOf(answer)}. Check \`url\`.`,
      { details: { status: answer.status } },
    );
  }
}

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** How many schemas one refers to. */
class Count {
  #count = 0;

  add(more: number, depth: number): void {
    this.#count += more;
    if (this.#count <= MAX_REFERENCES && depth < MAX_DEPTH) return;
    throw new DecodeError(
      'RXF_DECODE_SCHEMA',
      `A schema refers to more than ${MAX_REFERENCES} others, or to others more than ${MAX_DEPTH} deep. Such a schema is not read: ` +
        'register one that holds what it needs.',
    );
  }
}

function isNotFound(answer: RegistryAnswer): boolean {
  return answer.status === 404 && NOT_FOUND.includes(errorCodeOf(answer) ?? 0);
}

function numberOf({ body }: RegistryAnswer, name: string): number {
  const value = body[name];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new ConnectError(
    'RXF_REGISTRY_PROTOCOL',
    `The schema registry answered without a number \`${name}\`. Check that \`url\` is that of its API.`,
    { details: { name } },
  );
}

function guidOf({ body: { guid } }: RegistryAnswer): string | undefined {
  return typeof guid === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(guid)
    ? guid.toLowerCase()
    : undefined;
}

function incompatibleError(subject: string, difference: string, messages: readonly string[]): SinkError {
  return new SinkError(
    'RXF_SCHEMA_REJECTED',
    `The schema is not compatible with the versions of subject ${subject}: ${difference}. Make the change compatible, such as by a default ` +
      'for a new field; or write to another subject; or change the compatibility of the subject, if you know all its readers.',
    { details: { subject, messages } },
  );
}

function invalidError(subject: string, answer: RegistryAnswer): SinkError {
  return new SinkError(
    'RXF_SCHEMA_REJECTED',
    `The schema registry does not take the schema for subject ${subject} (${answer.status}): ${messageOf(answer)}. Correct the schema.`,
    { details: { subject, status: answer.status } },
  );
}

function missingError(subject: string, answer: RegistryAnswer): SinkError {
  return new SinkError(
    'RXF_SCHEMA_REJECTED',
    `The schema is not registered under subject ${subject} (${answer.status}): ${messageOf(answer)}. Register it, or set ` +
      '`register: true`, which does so at the first value.',
    { details: { subject, status: answer.status } },
  );
}
