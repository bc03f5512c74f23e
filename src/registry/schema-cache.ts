import { defer, finalize, type Observable, ReplaySubject, share, tap } from 'rxjs';
import { monotonicMs } from '../core/clock.js';
import { DecodeError } from '../core/errors.js';

/**
 * What was fetched by its key, which never changes: one request for each key, however many wait for it.
 *
 * Bounds: so many values, and as many keys that the registry does not know, those for at most `unknownAgeMs`.
 */
export class SchemaCache<K, V> {
  readonly #maxSize: number;
  readonly #unknownAgeMs: number;
  readonly #known = new Map<K, V>();
  readonly #unknown = new Map<K, { readonly error: DecodeError; readonly until: number }>();
  readonly #inFlight = new Map<K, Observable<V>>();

  constructor(maxSize: number, unknownAgeMs: number) {
    this.#maxSize = maxSize;
    this.#unknownAgeMs = unknownAgeMs;
  }

  /** What is known; undefined where it must be fetched. Throws where the registry did not know it a short while ago. */
  get(key: K): V | undefined {
    const known = this.#known.get(key);
    if (known !== undefined || this.#unknown.size === 0) return known;
    const unknown = this.#unknown.get(key);
    if (unknown === undefined) return undefined;
    if (monotonicMs() < unknown.until) throw unknown.error;
    this.#unknown.delete(key);
    return undefined;
  }

  /** Fetches it, with all who ask meanwhile; keeps it, and that it is unknown, but no other failure. */
  fetch(key: K, load: () => Observable<V>): Observable<V> {
    const under = this.#inFlight.get(key);
    if (under !== undefined) return under;
    const fetching = defer(load).pipe(
      tap({
        next: (value) => keep(this.#known, key, value, this.#maxSize),
        error: (error: unknown) => {
          if (!(error instanceof DecodeError)) return;
          const until = monotonicMs() + this.#unknownAgeMs;
          keep(this.#unknown, key, { error, until }, this.#maxSize);
        },
      }),
      finalize(() => this.#inFlight.delete(key)),
      share({ connector: () => new ReplaySubject(1), resetOnComplete: false, resetOnError: false }),
    );
    this.#inFlight.set(key, fetching);
    return fetching;
  }
}

function keep<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}
