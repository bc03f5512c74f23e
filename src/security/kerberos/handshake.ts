import { type ChildProcess, spawn } from 'node:child_process';
import { describeError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { faultOfGss, KerberosFault } from './fault.js';
import type { CheckedLogin } from './options.js';
import { PROGRAM } from './program.js';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Message {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/**
 * One login by Kerberos to one service, in a process of its own that `end` ends. Tokens are base64.
 *
 * Bounds: one small process; `timeoutMs` for each step, then the process is killed.
 * Fails: `KerberosFault`.
 * Source: RFC 4178 (SPNEGO), RFC 4121, the package `kerberos` 7.
 */
class Handshake {
  readonly #login: CheckedLogin;
  readonly #doing: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #said = '';
  #failure: KerberosFault | undefined;

  private constructor(login: CheckedLogin, service: string) {
    this.#login = login;
    this.#doing = `log in as ${login.principal} to ${service}`;
    const own = login.keytab === undefined ? {} : { KRB5_CLIENT_KTNAME: `FILE:${login.keytab}`, KRB5CCNAME: 'MEMORY:' };
    this.#process = spawn(process.execPath, ['-e', PROGRAM, login.library], {
      env: { ...process.env, ...own },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.on('message', (message) => this.#answered(message as Message));
    this.#process.stderr?.on('data', (text: Buffer) => {
      this.#said = `${this.#said}${text.toString('utf8')}`.slice(0, 500);
    });
    this.#process.on('error', (error) => this.#fail(`its process cannot be started: ${describeError(error)}`));
    this.#process.on('close', (code, signal) => this.#fail(`its process ended (${signal ?? code}): ${this.#said}`));
  }

  /** The first token for a service, such as `HTTP@nn1.example.com`. */
  static async begin(login: CheckedLogin, service: string) {
    const handshake = new Handshake(login, service);
    try {
      const token = await handshake.#call<string>('begin', service, login.principal);
      return { handshake, token };
    } catch (error) {
      handshake.end();
      throw error;
    }
  }

  end(): void {
    this.#failure ??= new KerberosFault(sentence(`Cannot ${this.#doing}: it was given up`), true);
    this.#process.kill('SIGKILL');
  }

  #call<T>(call: string, ...values: readonly string[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const { timeoutMs } = this.#login;
      const timer = setTimeout(() => this.#late(timeoutMs), timeoutMs);
      const settle =
        <V>(how: (value: V) => void) =>
        (value: V) => {
          clearTimeout(timer);
          how(value);
        };
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: settle(resolve as (value: unknown) => void), reject: settle(reject) });
      this.#process.send({ id, call, values }, (error) => {
        if (error !== null) this.#fail(describeError(error));
      });
    });
  }

  #answered({ id, value, error }: Message): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(faultOfGss(this.#doing, error));
  }

  #late(timeoutMs: number): void {
    const why = `no KDC answered within ${timeoutMs} ms`;
    const next =
      'Check that a KDC of the realm runs and is reachable from here, and its address in krb5.conf (`KRB5_CONFIG`)';
    this.#failAll(new KerberosFault(sentence(`Cannot ${this.#doing}: ${why}`, next), true));
    this.#process.kill('SIGKILL');
  }

  #fail(why: string): void {
    this.#failAll(new KerberosFault(sentence(`Cannot ${this.#doing}: ${why}`, 'It can be tried again'), true));
  }

  #failAll(failure: KerberosFault): void {
    this.#failure ??= failure;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of all) waiting.reject(this.#failure);
  }
}

/** One token of SPNEGO for the web server of a host, as the header `authorization` has it. It is good for one request. */
export async function negotiateHeader(login: CheckedLogin, host: string): Promise<string> {
  const { handshake, token } = await Handshake.begin(login, `HTTP@${host}`);
  handshake.end();
  return `Negotiate ${token}`;
}
