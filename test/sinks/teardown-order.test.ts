import { describe, expect, it } from '@jest/globals';
import { Observable, Subject, type Subscriber, takeUntil } from 'rxjs';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { MEMORY_SINKS } from '../support/memory-sinks.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** A source with a window of three: emits as many when it is subscribed to, and another for each that is settled. */
class Windowed {
  readonly log: string[] = [];
  readonly acker = new RecordingAcker('test:0', (settlement) => {
    const [how, name] = settlement.split(' ');
    if (how === 'release') return;
    this.log.push(`settled ${name}`);
    this.#emit();
  });
  readonly deliveries$: Observable<Delivery<unknown>>;
  #subscriber: Subscriber<Delivery<unknown>> | undefined;
  #count = 0;

  constructor(valueFor: (n: number) => unknown, within: () => void) {
    this.#valueFor = valueFor;
    this.deliveries$ = new Observable((subscriber) => {
      this.#subscriber = subscriber;
      subscriber.add(() => this.log.push('left'));
      for (let n = 0; n < 3; n += 1) this.#emit();
      within();
      this.#emit();
    });
  }

  readonly #valueFor: (n: number) => unknown;

  #emit(): void {
    if (this.#subscriber?.closed !== false || this.#count > 20) return;
    this.#count += 1;
    this.log.push(`emitted ${this.#count}`);
    this.#subscriber.next(this.acker.deliver(this.#valueFor(this.#count), {}, `${this.#count}`));
  }
}

describe.each(Object.entries(MEMORY_SINKS))('%s, when it is left', (_, { unanswered, value }) => {
  it.each(['while its source emits within `subscribe`', 'later'])(
    'leaves its source first, then settles what waits, and takes nothing in between: %s',
    (when) =>
      inVirtualTime((at) => {
        const left$ = new Subject<void>();
        const isWithin = when !== 'later';
        const source = new Windowed(value, () => isWithin && left$.next());
        unanswered()(source.deliveries$).pipe(takeUntil(left$)).subscribe();
        const check = () => {
          const before = source.log.slice(0, source.log.indexOf('left'));
          const after = source.log.slice(source.log.indexOf('left') + 1);
          expect(before.filter((line) => line.startsWith('settled'))).toEqual([]);
          expect(after.every((line) => line.startsWith('settled'))).toBe(true);
          expect(after).toHaveLength(isWithin ? 3 : 4);
          expect(source.acker.unsettled).toEqual([]);
        };
        if (!isWithin) left$.next();
        check();
        at(60_000, check);
      }),
  );
});
