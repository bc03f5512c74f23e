import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { CallbackConnection, CallbackListener } from './callback-connection.js';
import { checkOptions, type FromOptions } from './options.js';
import { FROM, traitsOf } from './push-kind.js';
import { PushSession } from './push-session.js';

/** A Node `Readable`, an async generator, or anything else that `for await` reads. */
export type ReadableInput<T> = (AsyncIterable<T> | Iterable<T>) & { destroy?(): unknown };

/**
 * A Node `Readable`, an async generator or any iterable as a source: one delivery a chunk or value. It is asked for the next one only
 * while the window has room, so nothing waits here but one. `open` is called at each subscription.
 *
 * ```
 * asked    -x-x-------x-----
 * values   -a-b-------c-----     a window of 2
 * acks     -----------a-----
 * ```
 *
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { createInterface } from 'node:readline';
 * import { fromReadable } from 'rxflume/inputs';
 *
 * export const lines$ = fromReadable(() => createInterface({ input: createReadStream('/srv/words.txt') }), { name: 'words' });
 * ```
 *
 * Settles: calls `onAck` or `onNack` once for each value. Without `onNack` a nack ends the source; without both the guarantee is
 * at most once, since what was in flight when the program ended is lost.
 * Bounds: `window` for what is out, and one value; the values until they are settled, up to `maxUnacked`, where there is an
 * `onAck` or an `onNack`.
 * Fails: with the error of the input, once what is out is settled; `SourceError` on a nack without `onNack`, where `onAck` or `onNack`
 * fails, or a drain is late.
 */
export function fromReadable<T>(open: () => ReadableInput<T>, options: FromOptions<T>): Source<Delivery<T>> {
  expectFunction('open', open);
  const checked = checkOptions(options);
  const connect = (listener: CallbackListener<T>) => new Pump(open(), listener);
  return new Source(
    (subscriber, stop$) => new PushSession(FROM, connect, checked, subscriber).start(stop$),
    traitsOf('fromReadable', options),
  );
}

/** Asks for one value after another, as long as each is taken at once. */
class Pump<T> implements CallbackConnection {
  readonly #input: ReadableInput<T>;
  readonly #listener: CallbackListener<T>;
  readonly #iterator: AsyncIterator<T> | Iterator<T>;
  #isAsking = false;
  #isPaused = false;
  #isOver = false;

  constructor(input: ReadableInput<T>, listener: CallbackListener<T>) {
    this.#input = input;
    this.#listener = listener;
    const { [Symbol.asyncIterator]: ofAsync, [Symbol.iterator]: ofSync } = input as Partial<
      AsyncIterable<T> & Iterable<T>
    >;
    this.#iterator = ofAsync === undefined ? (ofSync as () => Iterator<T>).call(input) : ofAsync.call(input);
    this.#ask();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#ask();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** A stream is destroyed at once: its iterator would end it only after the next chunk, which may never come. */
  close(): void {
    this.#isOver = true;
    if (this.#input.destroy !== undefined) this.#input.destroy();
    else void Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
  }

  #ask(): void {
    if (this.#isAsking || this.#isPaused || this.#isOver) return;
    this.#isAsking = true;
    // A `next` that throws fails as one that rejects.
    new Promise<IteratorResult<T>>((resolve) => resolve(this.#iterator.next())).then(
      (result) => this.#answered(result),
      (error: unknown) => this.#failed(error),
    );
  }

  #answered(result: IteratorResult<T>): void {
    this.#isAsking = false;
    if (this.#isOver) return;
    if (result.done === true) {
      this.#isOver = true;
      this.#listener.complete();
      return;
    }
    this.#listener.next(result.value);
    this.#ask();
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.error(error);
  }
}
