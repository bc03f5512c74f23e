import { ConnectError, describeError, type RxflumeError, SinkError } from '../../core/errors.js';
import { isTlsFault, tlsAdvice } from '../../core/tls-fault.js';
import type { CheckedOptions } from './options.js';

/** The request that failed. */
export interface Failed {
  /** Such as `POST http://store:9200/bulk`, without secrets. */
  readonly what: string;
  /** Whether it was written to a connection, so that the server may have it. */
  readonly isSent: boolean;
}

const NOBODY_KNOWS = 'The server may or may not have carried it out.';

/** Translates an error of undici, or of Node below it. */
export function translate(cause: unknown, { what, isSent }: Failed, options: CheckedOptions): RxflumeError {
  const code = codeOf(cause);
  const extras = { cause, details: { request: what, foreignCode: code } };
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    const message = `${what}: no connection within ${options.connectTimeoutMs} ms. Check the address and the network.`;
    return new ConnectError('RXF_HTTP_UNREACHABLE', message, extras);
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    const message = `${what}: no response within ${options.headersTimeoutMs} ms (headersTimeoutMs). ${NOBODY_KNOWS}`;
    return new SinkError('RXF_HTTP_TIMEOUT', message, extras);
  }
  if (code === 'UND_ERR_BODY_TIMEOUT') {
    const message = `${what}: the response stalled for ${options.bodyTimeoutMs} ms (bodyTimeoutMs). ${NOBODY_KNOWS}`;
    return new SinkError('RXF_HTTP_TIMEOUT', message, extras);
  }
  if (!isSent && isTlsFault(cause)) {
    const advice = tlsAdvice(cause, 'tls.ca');
    const message = `${what}: the TLS handshake failed: ${describeError(cause)}. ${advice}.`;
    return new ConnectError('RXF_HTTP_TLS', message, extras);
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    return new SinkError('RXF_SINK_FORMAT', `${what} cannot be sent: ${describeError(cause)}.`, extras);
  }
  if (isSent && isOfProtocol(cause, code)) {
    const advice = 'Check the port, and whether it requires https.';
    const message = `${what}: the response is not HTTP: ${describeError(cause)}. ${advice}`;
    return new ConnectError('RXF_HTTP_PROTOCOL', message, extras);
  }
  if (!isSent) {
    const message = `${what}: cannot connect: ${describeError(cause)}.`;
    return new ConnectError('RXF_HTTP_UNREACHABLE', message, extras);
  }
  // A TLS server closes a plain connection without a reply.
  const hint = /^\w+ http:/.test(what) ? ' If this happens every time, check whether the port requires https.' : '';
  const message = `${what}: the connection closed before the response was complete: ${describeError(cause)}. ${NOBODY_KNOWS}${hint}`;
  return new SinkError('RXF_HTTP_LOST', message, extras);
}

function codeOf(cause: unknown): string {
  const { code, errors } = (cause ?? {}) as { code?: unknown; errors?: readonly unknown[] };
  // Of several addresses of one name, each of which failed.
  if (code === undefined && Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return typeof code === 'string' ? code : '';
}

function isOfProtocol(cause: unknown, code: string): boolean {
  const { name, message } = (cause ?? {}) as { name?: unknown; message?: unknown };
  // An answer that ends too early is one that was lost.
  if (name === 'HTTPParserError') return !/\bEOF\b/.test(`${code} ${message}`);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return true;
  return code === 'UND_ERR_SOCKET' && /\bbad (response|upgrade)\b/.test(describeError(cause));
}
