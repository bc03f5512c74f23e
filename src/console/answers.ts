import type { ErrorCode } from '../core/error-codes.js';
import { describeError, RxflumeError } from '../core/errors.js';
import { shownText } from '../core/text.js';
import type { ConsoleFailure } from './contract.js';

/** Of every response: nothing is kept, guessed, framed, or sent on to others. */
const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/** Scripts, styles and data of this server alone; no inline code, no frames, no forms, no plug-ins. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

type Headers = Readonly<Record<string, string>>;

/** A response that a browser runs nothing of. */
export function answer(
  status: number,
  body: string | Uint8Array | ReadableStream | null,
  headers: Headers = {},
): Response {
  return new Response(body, { status, headers: { ...ALWAYS, 'content-security-policy': NO_PAGE, ...headers } });
}

export function jsonAnswer(value: unknown, status = 200, headers: Headers = {}): Response {
  return answer(status, JSON.stringify(value), { 'content-type': 'application/json; charset=utf-8', ...headers });
}

/** A request that is not granted; thrown by whatever finds out. */
export class Denied extends Error {
  readonly status: number;
  readonly failure: ConsoleFailure;
  readonly headers: Headers;

  constructor(status: number, code: ErrorCode, message: string, headers: Headers = {}) {
    super(message);
    this.status = status;
    this.failure = { code, message: shownText(message) };
    this.headers = headers;
  }
}

/** What is answered where handling a request failed. What is not ours is not shown. */
export function failureAnswer(error: unknown): Response {
  if (error instanceof Denied) return jsonAnswer(error.failure, error.status, error.headers);
  // An error of another copy of this package has another class, and the same form.
  const { code } = error as { readonly code?: unknown };
  if (error instanceof RxflumeError || (typeof code === 'string' && code.startsWith('RXF_'))) {
    return jsonAnswer({ code: String(code), message: describeError(error) }, 409);
  }
  const message =
    'The console could not answer, because of an error in its own code. The flows go on; please report it.';
  return jsonAnswer({ code: 'RXF_CONSOLE_REQUEST', message } satisfies ConsoleFailure, 500);
}
