import type { Observable } from 'rxjs';

/**
 * Instead of a result: what must happen before there can be one, such as the request for a schema.
 *
 * A function that returns it is called again with the same value when `until$` completes. If `until$` fails, the value is nacked with
 * that error. A class, so that `instanceof` distinguishes it from every result; nothing is allocated where no one waits.
 *
 * ```ts
 * import { Pending, type WaitingDecoder } from 'rxflume/registry';
 * import { from, tap } from 'rxjs';
 *
 * export function named(load: (id: string) => Promise<string>): WaitingDecoder<string, string> {
 *   const names = new Map<string, string>();
 *   return {
 *     decodeWith: (id) => names.get(id) ?? new Pending(from(load(id)).pipe(tap((name) => names.set(id, name)))),
 *   };
 * }
 * ```
 */
export class Pending {
  readonly until$: Observable<unknown>;

  constructor(until$: Observable<unknown>) {
    this.until$ = until$;
  }
}

/** How often in a row a value may wait before it counts as one that never gets a result. */
export const MAX_WAITS = 10;
