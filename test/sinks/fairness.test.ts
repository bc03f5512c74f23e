import { describe, expect, it } from '@jest/globals';
import { concatMap, delay, of, Subject } from 'rxjs';
import { transmit } from '../../operators/transmit.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { HttpRun } from './http/http-run.js';

const HOT = 400;

describe('a hot stream or key starves no other', () => {
  it.each(['stream', 'key'] as const)(
    'of an HTTP sink in order of %s: another waits for what is out, no longer',
    (order) =>
      inVirtualTime((at) => {
        const run = new HttpRun({ order, maxInFlight: 2, batch: { count: 1 } }, () => ({ status: 200, afterMs: 10 }));
        const other = new RecordingAcker('test:1');
        const key = (name: string) => Buffer.from(order === 'key' ? name : 'same');
        for (let n = 0; n < HOT; n += 1) run.put(`hot${n}`, { key: key('hot') });
        at(500, () => run.put('cold', { key: key('cold') }, other));
        // One request under way for each of the two lanes, and the next.
        at(500 + 3 * 12, () => {
          expect(other.acks).toEqual(['cold']);
          expect(run.acker.acks.length).toBeLessThan(HOT / 4);
        });
        at(501 + 3 * 12, () => run.leave());
      }),
  );

  it.each([1, 2, 4])('of `transmit` in order of key, with %i at once', (maxInFlight) =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker('test:0');
      const in$ = new Subject<Delivery<string>>();
      const write = (value: string) => of(value).pipe(delay(10));
      const running = in$
        .pipe(transmit(write, { order: 'key', maxInFlight, key: (value) => value.slice(0, 4) }))
        .subscribe();
      const put = (value: string) => in$.next(acker.deliver(value));
      for (let n = 0; n < HOT; n += 1) put(`hot1${n}`);
      for (let n = 0; n < HOT; n += 1) put(`hot2${n}`);
      at(505, () => put('cold'));
      // Behind what is under way, and at most one of each other key.
      at(505 + 30, () => expect(acker.acks).toContain('cold'));
      at(536, () => running.unsubscribe());
    }),
  );

  it('lets each of many keys have its turn before one has a second', () =>
    inVirtualTime((at) => {
      const acker = new RecordingAcker('test:0');
      const begun: string[] = [];
      const write = (value: string) => {
        begun.push(value);
        return of(value).pipe(delay(1));
      };
      const in$ = new Subject<Delivery<string>>();
      const options = {
        order: 'key',
        maxInFlight: 3,
        key: (value: string) => value.slice(0, 1),
      } as const;
      const running = in$
        .pipe(
          concatMap((one) => of(one)),
          transmit(write, options),
        )
        .subscribe();
      for (let n = 0; n < 50; n += 1) for (const key of 'aabaabc') in$.next(acker.deliver(`${key}${n}`));
      at(1_000, () => {
        // While all have some left, none is two turns ahead of another.
        const counts = new Map<string, number>();
        for (const [key] of begun.slice(0, 140)) {
          counts.set(key as string, (counts.get(key as string) ?? 0) + 1);
          if (counts.size < 3) continue;
          expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(2);
        }
        running.unsubscribe();
      });
    }));
});
