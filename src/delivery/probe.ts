import {
  catchError,
  concat,
  EMPTY,
  from,
  ignoreElements,
  merge,
  Observable,
  type ObservableInput,
  of,
  take,
} from 'rxjs';

/** An address to be tried. */
export interface Endpoint {
  /** What answers there, such as `Kafka broker`. */
  readonly role: string;
  readonly host: string;
  readonly port: number;
  /** Options of TLS, as Node's `tls.connect` takes them; undefined for a plain connection. Never shown. */
  readonly tls?: object | undefined;
  /** The server that named this address; left out where it is in the options. */
  readonly namedBy?: string;
  /** What to do where it cannot be reached. */
  readonly fix: string;
}

/** A certificate as a server showed it. */
export interface Certificate {
  readonly subject: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What came of trying an address: how long it took, or where it failed. */
export type EndpointOutcome =
  | { readonly isReached: true; readonly ms: number; readonly certificate?: Certificate | undefined }
  | { readonly isReached: false; readonly stage: 'name' | 'connection' | 'tls'; readonly reason: string };

/** Something that a probe found, in no system's own words. What it means is decided elsewhere. */
export type Fact =
  /** An address was tried. */
  | {
      readonly kind: 'endpoint';
      readonly role: string;
      readonly address: string;
      readonly namedBy?: string | undefined;
      readonly outcome: EndpointOutcome;
      readonly fix: string;
    }
  /** Something may be done, or not; by doing it, or because the server says so. `error`: why not. */
  | {
      readonly kind: 'right';
      /** What is done, such as `read records`. */
      readonly action: string;
      /** Such as `topic chat`. */
      readonly on: string;
      readonly error?: unknown;
      readonly fix: string;
    }
  /** A server's clock, and how many milliseconds it is ahead of ours; the answer took `roundTripMs`. */
  | { readonly kind: 'clock'; readonly of: string; readonly aheadMs: number; readonly roundTripMs: number }
  /** What a disk or a quota leaves. */
  | {
      readonly kind: 'space';
      /** Such as `the quota of /lake`. */
      readonly of: string;
      readonly unit: 'bytes' | 'names';
      readonly free: number;
      readonly total: number;
      readonly fix: string;
    }
  /** A stream that can be read again. */
  | {
      readonly kind: 'stream';
      readonly stream: string;
      /** The first offset that is still there. */
      readonly first: number;
      /** The offset after the last. */
      readonly end: number;
      /** The offset that is read next, where a position is kept. */
      readonly next?: number | undefined;
      /** When the record at `next` was written, milliseconds since 1970. */
      readonly nextWrittenMs?: number | undefined;
      readonly retentionMs?: number | undefined;
      /** A record from here on has a time that is more than a minute ahead of ours. */
      readonly futureFrom?: number | undefined;
    }
  /** Who shares the streams. */
  | { readonly kind: 'group'; readonly name: string; readonly members: number; readonly streams: number }
  /** When files are closed at the latest. */
  | { readonly kind: 'roll'; readonly bytes: number; readonly intervalMs: number }
  /** What a server says it is. */
  | { readonly kind: 'server'; readonly role: string; readonly version: string }
  /** Something could not be looked at, so nothing is known of it. */
  | { readonly kind: 'unknown'; readonly what: string; readonly error: unknown; readonly fix: string };

export type FactOf<K extends Fact['kind']> = Extract<Fact, { readonly kind: K }>;

/** What a probe is given. */
export interface ProbeSetting {
  /** Tries an address, within a few seconds; never fails. */
  readonly reach: (endpoint: Endpoint) => Promise<FactOf<'endpoint'>>;
  /** The time of day, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** A name that nothing else has, for what is made and removed again. */
  readonly scratch: string;
  /** `clean` is subscribed to when the probe has ended, however it did, and has a few seconds. */
  readonly atEnd: (clean: () => ObservableInput<Fact>) => void;
}

/**
 * Looks at the surroundings of a part, without changing them beyond its own scratch files. Emits facts as they are found;
 * the subscriber bounds the time. What cannot be looked at is a fact too, not a failure.
 */
export type Probe = (setting: ProbeSetting) => Observable<Fact>;

/** A probe's work as an Observable of what it tells; unsubscribing aborts the signal. */
export function probing(work: (tell: (fact: Fact) => void, signal: AbortSignal) => Promise<unknown>): Observable<Fact> {
  return new Observable((subscriber) => {
    const abort = new AbortController();
    work((fact) => subscriber.next(fact), abort.signal).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => abort.abort();
  });
}

/** Of a part that has no surroundings. */
export const nothingToProbe: Probe = () => EMPTY;

/** Several probes of one part, side by side; undefined where there is none of them. */
export function probes(...all: readonly (Probe | undefined)[]): Probe | undefined {
  const some = all.filter((probe) => probe !== undefined);
  return some.length === 0 ? undefined : (setting) => merge(...some.map((probe) => probe(setting)));
}

/** Whether something can be had: what is asked for emits, and is let go. */
export function rightBy(
  right: Omit<FactOf<'right'>, 'kind' | 'error'>,
  ask: () => ObservableInput<unknown>,
): Observable<Fact> {
  const held: Fact = { kind: 'right', ...right };
  return concat(from(ask()).pipe(take(1), ignoreElements()), of(held)).pipe(
    catchError((error: unknown) => of<Fact>({ ...held, error })),
  );
}
