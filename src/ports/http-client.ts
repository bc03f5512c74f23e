import type { Observable } from 'rxjs';
import type { Fact, ProbeSetting } from '../delivery/probe.js';

/** One request, whole. */
export interface HttpRequest {
  /** Such as `POST`. */
  readonly method: string;
  /** An http or https URL without user information. Its query may hold a secret, and is in no message. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the server answered, whatever it is. */
export interface HttpAnswer {
  readonly status: number;
  /** By names in lower case; several of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The beginning of its body as UTF-8, at most as much as the client keeps. */
  readonly excerpt: string;
  /** Whether the excerpt is all of it. */
  readonly isWhole: boolean;
}

/** An HTTP client library behind one verb. */
export interface HttpClient {
  /** For messages, such as `http undici`. No secret. */
  readonly name: string;
  /**
   * Cold: each subscription sends the request once. Emits the answer and completes, when the answer's body was read to its
   * end or to the client's bound; whatever the status, and without following a redirect. Unsubscribing ends the request.
   *
   * Fails: `RXF_HTTP_UNREACHABLE` or `RXF_HTTP_TLS` before anything was sent; `RXF_HTTP_LOST`, `RXF_HTTP_TIMEOUT` or
   * `RXF_HTTP_PROTOCOL` after that, when the server may or may not have carried it out.
   */
  request(request: HttpRequest): Observable<HttpAnswer>;
  /** Tries the address of a URL, for `rxflume doctor`. Left out where the library cannot. */
  probe?(url: string, setting: ProbeSetting): Observable<Fact>;
}
