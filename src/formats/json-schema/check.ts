import { Ajv, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** What of a value does not fit a schema, and where. */
export interface Misfit {
  readonly path: string;
  readonly problem: string;
}

/** The first thing that does not fit, if there is one. */
export type Check = (value: unknown) => Misfit | undefined;

/** It stops at the first error, logs nothing, and has no way to fetch a schema. */
const OPTIONS: Options = {
  strict: false,
  validateFormats: false,
  logger: false,
  allErrors: false,
};

/** Compiles a schema, with others that it refers to by name. Throws where it cannot. */
export function checkOf(schema: object | boolean, others: readonly (readonly [name: string, schema: object])[]): Check {
  const draft = String((schema as { readonly $schema?: unknown }).$schema ?? '');
  const isKnown = draft === '' || /\/(draft-07|draft\/2020-12)\/schema#?$/.test(draft);
  if (!isKnown) throw new Error(`its $schema is ${JSON.stringify(draft.slice(0, 100))}`);
  const ajv = draft.includes('2020-12') ? new Ajv2020(OPTIONS) : new Ajv(OPTIONS);
  // Of those that refer to the same one, each has it.
  for (const [name, other] of new Map(others)) ajv.addSchema(other, name);
  const validate = ajv.compile(schema);
  return (value) => {
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    return { path: pathOf(error?.instancePath ?? ''), problem: `it ${error?.message ?? 'is not valid'}` };
  };
}

/** A JSON Pointer as our messages show paths: `/a/0/b c` as `$.a[0]["b c"]`. */
function pathOf(pointer: string): string {
  const steps = pointer.split('/').slice(1, 21);
  return `$${steps
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, 60))
    .map((step) =>
      /^\d+$/.test(step) ? `[${step}]` : /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
    )
    .join('')}`;
}
