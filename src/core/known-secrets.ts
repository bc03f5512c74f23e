/** Shorter ones are not looked for: the messages of a flow whose password is `flume` must still name flume. */
const MIN_LENGTH = 8;
const MAX_KNOWN = 100;

const NOT_MADE: readonly string[] = [];

const SHARED = Symbol.for('rxflume.knownSecrets');

/**
 * Each secret with its forms, which are made once a text is looked through: more secrets than are remembered may be in use in turn. One list
 * a process, also where a flow file and the command that runs it load two copies of this package.
 */
function known(): Map<string, readonly string[]> {
  const registry = globalThis as { [SHARED]?: Map<string, readonly string[]> };
  registry[SHARED] ??= new Map();
  return registry[SHARED];
}

/**
 * Has no message, log event or fact of an error show this text, nor its forms in URLs, in JSON and in base64.
 *
 * Bounds: the last 100 texts of at least 8 characters.
 */
export function rememberSecret(secret: string): void {
  if (secret.length < MIN_LENGTH) return;
  const all = known();
  const forms = all.get(secret) ?? NOT_MADE;
  all.delete(secret);
  all.set(secret, forms);
  for (const oldest of all.keys()) {
    if (all.size <= MAX_KNOWN) break;
    all.delete(oldest);
  }
}

function formsOf(secret: string): readonly string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  const bytes = Buffer.from(secret);
  const encoded = bytes.toString('base64').replace(/=+$/, '');
  return [...new Set([secret, encodeURIComponent(bytes.toString('utf8')), escaped, encoded])];
}

/** The text with `***` for each secret that is remembered. */
export function withoutKnownSecrets(text: string): string {
  let clean = text;
  const all = known();
  for (const [secret, made] of all) {
    const forms = made.length === 0 ? formsOf(secret) : made;
    if (made.length === 0) all.set(secret, forms);
    for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, '***');
  }
  return clean;
}

const DEEPEST = 8;

/** Facts with `***` for each secret that is remembered, in texts, lists and plain objects; the same object where there is none. */
export function factsWithoutSecrets<T>(facts: T, depth = 0): T {
  if (known().size === 0 || depth > DEEPEST) return facts;
  if (typeof facts === 'string') return withoutKnownSecrets(facts) as T;
  if (typeof facts !== 'object' || facts === null) return facts;
  const isPlain = Array.isArray(facts) || [Object.prototype, null].includes(Object.getPrototypeOf(facts));
  if (!isPlain) return facts;
  const entries = Object.entries(facts);
  const clean = entries.map(([name, value]) => [name, factsWithoutSecrets(value, depth + 1)] as const);
  if (clean.every(([, value], at) => value === entries[at]?.[1])) return facts;
  return (Array.isArray(facts) ? clean.map(([, value]) => value) : Object.fromEntries(clean)) as T;
}
