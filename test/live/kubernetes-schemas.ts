import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';

/** A document of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

type Schema = Record<string, unknown>;

// Where the schemas come from: modules whose files Go's proxy serves.
const KUBERNETES = 'k8s.io/kubernetes@v1.34.4';
const CUSTOM = [
  ['github.com/kedacore/keda/v2@v2.21.0', 'config/crd/bases'],
  ['github.com/prometheus-operator/prometheus-operator@v0.92.1', 'example/prometheus-operator-crd'],
] as const;

function moduleFolder(name: string): string {
  const text = execFileSync('go', ['mod', 'download', '-json', name], { encoding: 'utf8', timeout: 120_000 });
  return (JSON.parse(text) as { Dir: string }).Dir;
}

/** Checks documents as `kubectl apply --validate=strict` does: types, what is required, and that no field is unknown. */
export class KubernetesSchemas {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  readonly #byKind = new Map<string, ValidateFunction>();

  constructor() {
    const text = readFileSync(join(moduleFolder(KUBERNETES), 'api/openapi-spec/swagger.json'), 'utf8');
    const { definitions } = JSON.parse(text) as { definitions: Record<string, Schema> };
    this.#ajv.addSchema({ $id: 'kubernetes', definitions: closed(definitions) });
    for (const [name, schema] of Object.entries(definitions)) {
      for (const { group, version, kind } of kindsOf(schema)) {
        const $ref = `kubernetes#/definitions/${name}`;
        this.#byKind.set(`${group === '' ? '' : `${group}/`}${version} ${kind}`, this.#lazy({ $ref }));
      }
    }
    for (const [module, folder] of CUSTOM) this.#addCustom(join(moduleFolder(module), folder));
  }

  /** What is wrong with a document, a line each. */
  problems(document: Manifest): string[] {
    const kind = `${document.apiVersion} ${document.kind}`;
    const validate = this.#byKind.get(kind);
    if (validate === undefined) return [`no schema of ${kind}`];
    if (validate(document)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${kind}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #addCustom(folder: string): void {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
      const { spec } = parse(readFileSync(join(folder, file), 'utf8')) as { spec?: CustomResource };
      if (spec === undefined) continue;
      for (const { name, schema } of spec.versions) {
        this.#byKind.set(
          `${spec.group}/${name} ${spec.names.kind}`,
          this.#lazy(closed(schema.openAPIV3Schema) as Schema),
        );
      }
    }
  }

  /** Compiled when it is asked for: there are hundreds, and large. */
  #lazy(schema: Schema): ValidateFunction {
    let compiled: ValidateFunction | undefined;
    const validate = (data: unknown) => {
      compiled ??= this.#ajv.compile(schema);
      const isValid = compiled(data);
      validate.errors = compiled.errors ?? null;
      return isValid;
    };
    validate.errors = null as ValidateFunction['errors'];
    return validate as unknown as ValidateFunction;
  }
}

interface CustomResource {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
}

function kindsOf(schema: Schema): readonly { group: string; version: string; kind: string }[] {
  return (schema['x-kubernetes-group-version-kind'] ?? []) as never;
}

/** The schema, in which an object has no fields but those that are named, and numbers may be text where Kubernetes takes both. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const own = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)])) as Schema;
  if (own['x-kubernetes-int-or-string'] === true || own.format === 'int-or-string') return {};
  if (typeof own.$ref === 'string' && own.$ref.endsWith('.IntOrString')) return {};
  if (typeof own.$ref === 'string' && own.$ref.endsWith('.Quantity')) return {};
  const isOpen = own['x-kubernetes-preserve-unknown-fields'] === true || own.additionalProperties !== undefined;
  const hasFields = typeof own.properties === 'object' && own.type === 'object';
  const isMeta = hasFields && Object.keys(own.properties as object).join() === 'apiVersion,kind,metadata';
  return hasFields && !isOpen && !isMeta ? { ...own, additionalProperties: false } : own;
}
