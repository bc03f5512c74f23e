import type { SecureContext, SecureContextOptions } from 'node:tls';
import { describeError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { TlsContext } from '../../security/tls-context.js';
import { checkIdentity, expectServerTls } from '../../security/tls-options.js';
import type { ServerTls } from './listen-options.js';

/** Where a certificate is used, and what is said of one that cannot be. */
export interface CertificateUser {
  use(tls: SecureContextOptions): void;
  warn(message: string): void;
}

/**
 * The certificate of a server. Files in it are read again when they have changed, a function every `intervalMs`; where what they give cannot be
 * used, the last one stays in use, and the failure is logged.
 */
export class Certificate {
  readonly #tls: ServerTls;
  #context: TlsContext;
  #used: SecureContext;
  #reading: NodeJS.Timeout | undefined;

  /** Throws `OptionError` where it cannot be used. */
  constructor(tls: ServerTls) {
    this.#tls = tls;
    this.#context = contextOf(tls);
    this.#used = this.#context.current;
  }

  /** As it was read last. */
  get options(): SecureContextOptions {
    return this.#context.options;
  }

  /** As it is now. */
  get context(): SecureContext {
    return this.#context.current;
  }

  /** Has a server that keeps its certificate use each new one, until `stop`; looks for one now and from time to time. */
  watch(intervalMs: number, user: CertificateUser): void {
    this.#read(user);
    this.#reading = setInterval(() => this.#read(user), intervalMs);
    this.#reading.unref();
  }

  stop(): void {
    clearInterval(this.#reading);
  }

  #read(user: CertificateUser): void {
    try {
      if (typeof this.#tls === 'function') this.#context = contextOf(this.#tls);
      const { current } = this.#context;
      if (current === this.#used) return;
      this.#used = current;
      user.use(this.options);
    } catch (error) {
      user.warn(sentence(`Cannot read the certificate again, and keep the last: ${describeError(error)}`));
    }
  }
}

function contextOf(given: ServerTls): TlsContext {
  const tls = typeof given === 'function' ? given() : given;
  expectServerTls('tls', tls);
  return new TlsContext('tls', checkIdentity('tls', tls));
}
