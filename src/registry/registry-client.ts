import { catchError, defer, from, map, mergeMap, type Observable, of, retry, timer } from 'rxjs';
import { backoffMs } from '../backpressure/backoff.js';
import { ConnectError, describeError, isRetryable, type RxflumeError } from '../core/errors.js';
import type { Secret } from '../core/secret.js';
import { withoutSecrets } from '../core/secrets.js';
import { sentence } from '../core/sentence.js';
import { shownUrl } from '../core/text.js';
import { within } from '../lifecycle/time-limit.js';
import type { HttpAnswer, HttpClient } from '../ports/http-client.js';
import { fetchClient } from './fetch-client.js';
import type { CheckedOptions, RegistryLogin } from './options.js';

/** An answer of the registry that is one: of success, or one of its own errors. */
export interface RegistryAnswer {
  readonly status: number;
  /** Its JSON, an object or a list. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The registry's own number of an error, such as 40403; undefined for an answer that has none. */
export function errorCodeOf({ body }: RegistryAnswer): number | undefined {
  return typeof body.error_code === 'number' ? body.error_code : undefined;
}

/** What the registry says is wrong; short, and without secrets. */
export function messageOf({ body }: RegistryAnswer): string {
  return typeof body.message === 'string' ? describeError(new Error(body.message)) : 'it gave no reason';
}

const TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * The HTTP of a schema registry: asks its URLs in turn, and again after a backoff, until one answers.
 *
 * Bounds: `retry.maxAttempts` rounds, each request for at most `requestTimeoutMs`. Follows no redirect, so that what logs in is sent to
 * the URLs of the options and nowhere else.
 * Fails: `RXF_REGISTRY_UNREACHABLE`, `RXF_REGISTRY_DENIED`, `RXF_REGISTRY_PROTOCOL`. No message has a secret.
 */
export class RegistryClient {
  readonly #options: CheckedOptions;
  readonly #http: HttpClient;
  /** The URL that answered last. */
  #current = 0;

  constructor(options: CheckedOptions) {
    this.#options = options;
    this.#http = options.http ?? fetchClient(options.maxResponseBytes);
  }

  /** As messages name it. */
  get name(): string {
    return this.#options.urls.map(shownUrl).join(', ');
  }

  /** Answers with what the registry says, also where that is a 404, 409 or 422 of its own. */
  call(method: 'GET' | 'POST', path: string, body?: object): Observable<RegistryAnswer> {
    const { retry: waits, urls } = this.#options;
    return defer(() => this.#round(method, path, body, urls.length)).pipe(
      retry({
        count: waits.maxAttempts - 1,
        delay: (error: unknown, failures) => {
          if (!isRetryable(error)) throw error;
          return timer(backoffMs(failures, waits));
        },
      }),
    );
  }

  /** Asks each URL once, until one answers. */
  #round(method: string, path: string, body: object | undefined, left: number): Observable<RegistryAnswer> {
    return this.#ask(method, path, body).pipe(
      catchError((error: unknown) => {
        if (left === 1 || !isRetryable(error)) throw error;
        return this.#round(method, path, body, left - 1);
      }),
    );
  }

  #ask(method: string, path: string, body: object | undefined): Observable<RegistryAnswer> {
    const { urls, requestTimeoutMs, auth } = this.#options;
    return defer(() => {
      const base = urls[this.#current] as string;
      const what = `${method} ${shownUrl(base + path)}`;
      return credentials(auth, what).pipe(
        mergeMap(({ headers, secrets }) =>
          this.#http
            .request({
              method,
              url: base + path,
              headers: {
                accept: `${TYPE}, application/json`,
                ...(body === undefined ? {} : { 'content-type': TYPE }),
                ...headers,
              },
              body: body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body)),
            })
            .pipe(map((answer) => readAnswer(answer, what, secrets))),
        ),
        within(requestTimeoutMs, () => timeoutError(what, requestTimeoutMs)),
        catchError((cause: unknown) => {
          // Those after it ask the next URL too.
          if (urls[this.#current] === base) this.#current = (this.#current + 1) % urls.length;
          throw ofRegistry(what, cause);
        }),
      );
    });
  }
}

function ofRegistry(what: string, cause: unknown): RxflumeError {
  if (cause instanceof ConnectError && cause.code.startsWith('RXF_REGISTRY_')) return cause;
  const isTls = cause instanceof ConnectError && cause.code === 'RXF_HTTP_TLS';
  const advice = isTls ? '' : 'Check `url`, and that the schema registry runs';
  return new ConnectError(
    isTls ? 'RXF_REGISTRY_DENIED' : 'RXF_REGISTRY_UNREACHABLE',
    sentence(`the schema registry did not answer: ${describeError(cause)}`, advice),
    { cause, details: { request: what } },
  );
}

function timeoutError(what: string, limitMs: number): ConnectError {
  return new ConnectError(
    'RXF_REGISTRY_UNREACHABLE',
    `The schema registry did not answer ${what} within ${limitMs} ms (requestTimeoutMs). Check that it runs.`,
    { details: { request: what, limitMs } },
  );
}

function readAnswer(answer: HttpAnswer, what: string, secrets: readonly string[]): RegistryAnswer {
  const { status, excerpt, isWhole, headers } = answer;
  const shown = withoutSecrets(excerpt.slice(0, 200), secrets);
  const details = { request: what, status };
  if (status === 401 || status === 403) {
    const advice = 'Check `auth`, and what the registry allows this user';
    throw new ConnectError(
      'RXF_REGISTRY_DENIED',
      sentence(`the schema registry answered ${status} to ${what}`, advice),
      {
        details,
      },
    );
  }
  if (status === 429 || status >= 500) {
    throw new ConnectError(
      'RXF_REGISTRY_UNREACHABLE',
      `The schema registry answered ${status} to ${what}: ${JSON.stringify(shown)}. Look into its log.`,
      { details },
    );
  }
  const wrong = (problem: string) =>
    new ConnectError(
      'RXF_REGISTRY_PROTOCOL',
      `${what} ${problem}. Check that \`url\` is that of the registry's API, with its path, such as http://registry:8080/apis/ccompat/v7.`,
      { details },
    );
  if (status >= 300 && status < 400) {
    throw wrong(`was answered with ${status} to ${shownUrl(headers.location ?? '')}; redirects are not followed`);
  }
  if (!isWhole) throw wrong(`was answered with ${status} and more bytes than are read (maxResponseBytes)`);
  const body = jsonOf(excerpt);
  const isOwnError = typeof (body as { error_code?: unknown } | undefined)?.error_code === 'number';
  if (body === undefined || (status >= 400 && !isOwnError)) {
    throw wrong(`was answered with ${status} and no answer of a schema registry, ${JSON.stringify(shown)}`);
  }
  // Servers quote what they were sent.
  const { message } = body;
  return { status, body: typeof message === 'string' ? { ...body, message: withoutSecrets(message, secrets) } : body };
}

function jsonOf(text: string): RegistryAnswer['body'] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as RegistryAnswer['body']) : undefined;
  } catch {
    return undefined;
  }
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

const NONE: Credentials = { headers: {}, secrets: [] };

function credentials(auth: RegistryLogin | undefined, what: string): Observable<Credentials> {
  if (auth === undefined) return of(NONE);
  if ('token' in auth) {
    return secretOf(auth.token, 'auth.token', what).pipe(
      map((token) => ({ headers: { authorization: `Bearer ${token}` }, secrets: [token] })),
    );
  }
  return secretOf(auth.password, 'auth.password', what).pipe(
    map((password) => {
      const basic = Buffer.from(`${auth.username}:${password}`).toString('base64');
      return { headers: { authorization: `Basic ${basic}` }, secrets: [password, basic] };
    }),
  );
}

function secretOf(secret: Secret, option: string, what: string): Observable<string> {
  const failed = (problem: string, cause?: unknown) =>
    new ConnectError('RXF_REGISTRY_DENIED', `\`${option}\` ${problem}, so ${what} was not sent. Correct it.`, {
      cause,
      retryable: true,
    });
  return defer(() => {
    const given = secret.value();
    return typeof given === 'string' ? of(given) : from(given);
  }).pipe(
    map((given) => {
      // A line feed in it would begin another header.
      if (typeof given === 'string' && /^[\x20-\x7e]+$/.test(given)) return given;
      throw failed('must be a non-empty text of ASCII characters');
    }),
    catchError((cause: unknown) => {
      const isOurs = cause instanceof ConnectError && cause.code === 'RXF_REGISTRY_DENIED';
      throw isOurs ? cause : failed(`cannot be read (${describeError(cause)})`, cause);
    }),
  );
}
