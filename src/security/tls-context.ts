import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { describeError, isOwnError, OptionError } from '../core/errors.js';
import { defaultMonitor } from '../core/monitor.js';
import { sentence } from '../core/sentence.js';
import type { CheckedIdentity, ReadPart } from './tls-options.js';

type Read = string | Buffer;

/**
 * What TLS is made of, as it is at the moment of each connection: files that have changed are read again. Where what they hold now cannot be
 * used, as while a certificate is replaced and its key not yet, the last one that could be stays in use, and a log event says so.
 */
export class TlsContext {
  readonly #name: string;
  readonly #identity: CheckedIdentity;
  readonly #ca: readonly ReadPart[];
  #parts: readonly (Read | undefined)[];
  #context: SecureContext;
  #options: SecureContextOptions;

  /** Throws `OptionError` where it cannot be used. */
  constructor(name: string, identity: CheckedIdentity, ca: readonly ReadPart[] = []) {
    this.#name = name;
    this.#identity = identity;
    this.#ca = ca;
    try {
      this.#parts = this.#read();
      this.#options = this.#optionsOf(this.#parts);
      this.#context = createSecureContext(this.#options);
    } catch (cause) {
      if (cause instanceof OptionError) throw cause;
      const message = sentence(`expected \`${name}\` to be usable, got: ${describeError(cause)}`);
      throw new OptionError('RXF_OPTION_INVALID', message, { details: { option: name }, cause });
    }
  }

  /** The same object as long as nothing has changed. */
  get current(): SecureContext {
    try {
      const parts = this.#read();
      if (parts.length !== this.#parts.length || !parts.every((part, at) => isSame(part, this.#parts[at]))) {
        const options = this.#optionsOf(parts);
        this.#context = createSecureContext(options);
        this.#options = options;
        this.#parts = parts;
      }
    } catch (cause) {
      const reason = isOwnError(cause) ? cause.message : `${describeError(cause)}.`;
      const message = `Cannot use the certificates in \`${this.#name}\` as they are now, and keep the last: ${reason}`;
      defaultMonitor.report({ what: 'tls.certificate', about: this.#name, message, cause });
    }
    return this.#context;
  }

  /** What `current` was made of when it was asked for last. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  #read(): (Read | undefined)[] {
    const { cert, key, pfx, passphrase } = this.#identity;
    return [cert, key, pfx, passphrase, ...this.#ca].map((read) => read?.());
  }

  #optionsOf([cert, key, pfx, passphrase, ...ca]: readonly (Read | undefined)[]): SecureContextOptions {
    return {
      minVersion: this.#identity.minVersion,
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(pfx !== undefined && { pfx }),
      ...(passphrase !== undefined && { passphrase: String(passphrase) }),
      ...(ca.length > 0 && { ca: ca as Read[] }),
    };
  }
}

function isSame(one: Read | undefined, other: Read | undefined): boolean {
  if (one === other) return true;
  return Buffer.isBuffer(one) && Buffer.isBuffer(other) && one.equals(other);
}
