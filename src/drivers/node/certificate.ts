import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { describeError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { checkTls, type ServerTls } from './listen-options.js';

/** Where a certificate is used, and what is said of one that cannot be. */
export interface CertificateUser {
  use(tls: SecureContextOptions): void;
  warn(message: string): void;
}

/**
 * The certificate of a server. One that is a function is read again every `intervalMs`; where that fails, the last one stays
 * in use, and the failure is logged.
 */
export class Certificate {
  readonly #tls: ServerTls;
  #current: SecureContextOptions;
  #context: SecureContext | undefined;
  #reading: NodeJS.Timeout | undefined;

  /** Throws `OptionError` where it cannot be used. */
  constructor(tls: ServerTls) {
    this.#tls = tls;
    this.#current = checkTls(typeof tls === 'function' ? tls() : tls);
  }

  /** As it was read last. */
  get options(): SecureContextOptions {
    return this.#current;
  }

  get context(): SecureContext {
    this.#context ??= createSecureContext(this.#current);
    return this.#context;
  }

  /** Reads it now and from time to time, until `stop`. */
  watch(intervalMs: number, user: CertificateUser): void {
    if (typeof this.#tls !== 'function') return;
    this.#read(user);
    this.#reading = setInterval(() => this.#read(user), intervalMs);
    this.#reading.unref();
  }

  stop(): void {
    clearInterval(this.#reading);
  }

  #read(user: CertificateUser): void {
    try {
      this.#current = checkTls((this.#tls as () => SecureContextOptions)());
      this.#context = undefined;
      user.use(this.#current);
    } catch (error) {
      user.warn(sentence(`Cannot read the certificate again, and keep the last: ${describeError(error)}`));
    }
  }
}
