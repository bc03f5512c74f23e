import { ConnectError, describeError, OptionError } from './errors.js';
import { rememberSecret } from './known-secrets.js';
import { sentence } from './sentence.js';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const SHOWN = '[secret]';

/**
 * A password, token or key that is read where it is used, and never shown: as text, in JSON, in `util.inspect` and in errors it is
 * `[secret]`. What it was read as is `***` in every message and log event from then on.
 *
 * ```ts
 * import { type Secret, secret } from 'rxflume/security';
 *
 * const password: Secret = secret.from(() => 'correct horse');
 * String(password); // → '[secret]'
 * JSON.stringify({ password }); // → '{"password":"[secret]"}'
 * password.value(); // → 'correct horse'
 * ```
 *
 * Fails: `value` with `RXF_SECRET_UNREADABLE`, as it returns or by its promise.
 */
export class Secret {
  readonly #name: string;
  readonly #read: () => string | PromiseLike<string>;

  /** `name` is where it comes from, as messages say it. */
  constructor(name: string, read: () => string | PromiseLike<string>) {
    this.#name = name;
    this.#read = read;
  }

  /** Reads it: at once, or as a promise where what gives it is asynchronous. */
  value(): string | Promise<string> {
    let given: string | PromiseLike<string>;
    try {
      given = this.#read();
    } catch (cause) {
      throw this.#unreadable(describeError(cause), cause);
    }
    if (typeof given !== 'object' || given === null) return this.#checked(given);
    return Promise.resolve(given).then(
      (text) => this.#checked(text),
      (cause: unknown) => {
        throw this.#unreadable(describeError(cause), cause);
      },
    );
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [INSPECT](): string {
    return SHOWN;
  }

  get [Symbol.toStringTag](): string {
    return 'secret';
  }

  #checked(text: unknown): string {
    if (typeof text !== 'string') throw this.#unreadable(`it gave no text (${typeof text})`);
    if (text === '') throw this.#unreadable('it is empty');
    rememberSecret(text);
    return text;
  }

  #unreadable(problem: string, cause?: unknown): ConnectError {
    const message = sentence(`cannot read the secret of ${this.#name}: ${problem}`, 'Correct what gives it');
    return new ConnectError('RXF_SECRET_UNREADABLE', message, { cause, details: { secret: this.#name } });
  }
}

/** A secret as options take it: the text, where it is read, or a function that gives it. */
export type SecretText = string | Secret | (() => string | PromiseLike<string>);

/** Also one of another copy of this package, as in a flow file. */
export function isSecret(value: unknown): value is Secret {
  return value instanceof Secret || Object.prototype.toString.call(value) === '[object secret]';
}

/** The secret that an option holds. Throws `OptionError`, which does not show it. */
export function expectSecret(name: string, given: unknown): Secret {
  if (isSecret(given)) return given;
  if (typeof given === 'function') return new Secret(`\`${name}\``, given as () => string | PromiseLike<string>);
  if (typeof given === 'string' && given !== '') {
    rememberSecret(given);
    return new Secret(`\`${name}\``, () => given);
  }
  const got = given === '' ? 'an empty text' : given === null ? 'null' : typeof given;
  throw new OptionError(
    'RXF_OPTION_INVALID',
    `Expected \`${name}\` to be a non-empty string, a \`Secret\` or a function that gives one, got ${got}.`,
    { details: { option: name } },
  );
}

/** What a secret is now, for what cannot wait. Throws `OptionError` where its function is asynchronous. */
export function secretNow(name: string, secret: Secret): string {
  const given = secret.value();
  if (typeof given === 'string') return given;
  given.catch(() => undefined);
  throw new OptionError(
    'RXF_OPTION_INVALID',
    `Expected \`${name}\` to be given at once, got a promise. Give a text, \`secret.env\`, \`secret.file\` or a function that is not async.`,
    { details: { option: name } },
  );
}
