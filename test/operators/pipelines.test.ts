import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ignoreElements, map, type Observable, type OperatorFunction, timer } from 'rxjs';
import {
  balance,
  batch,
  deadLetter,
  decode,
  dedupeBy,
  failover,
  filterValue,
  inFlightWindow,
  mapValue,
  mapValueAsync,
  rateLimit,
  retryConnect,
  routeBy,
  splitValue,
  timeoutUnsettled,
  transmit,
} from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { type LawHost, plan, tryPlan } from '../support/operator-laws.js';
import { through } from './sinks.js';

type Step = (host: LawHost) => OperatorFunction<Delivery<unknown>, Delivery<unknown>>;

const firstDigit = (value: unknown) => Number([value].flat(9)[0]) % 10;

/** Settles itself the values that end in one digit. */
const steps: Record<string, (digit: number) => Step> = {
  map:
    (digit) =>
    ({ willSettle }) =>
      mapValue((value) => {
        if (firstDigit(value) !== digit) return value;
        willSettle(value, 'nack');
        throw new Error('no');
      }),
  filter:
    (digit) =>
    ({ willSettle }) =>
      filterValue((value) => {
        if (firstDigit(value) !== digit) return true;
        willSettle(value, 'ack');
        return false;
      }),
  decode:
    (digit) =>
    ({ willSettle }) =>
      decode((value: unknown) => {
        if (firstDigit(value) !== digit) return value;
        willSettle(value, 'nack');
        throw new Error('no');
      }),
  batch: (digit) => () => batch({ count: 1 + digit, bytes: 5 + digit * 3, maxWaitMs: 1 + digit }),
  window: (digit) => () => inFlightWindow({ count: 1 + digit, bytes: 5 + digit * 3 }),
  retry: () => () => retryConnect(),
  split: () => () => splitValue((value) => [value]),
  ask: (digit) => () =>
    mapValueAsync((value) => timer(digit % 3).pipe(map(() => value)), { maxInFlight: 1 + (digit % 4) }),
  askInAnyOrder: (digit) => () =>
    mapValueAsync((value) => timer((firstDigit(value) * digit) % 5).pipe(map(() => value)), { order: 'none' }),
  letters: () => () => deadLetter((letters) => letters.pipe(ignoreElements()), { when: () => false }),
  route: (digit) => () =>
    routeBy((value) => (firstDigit(value) > digit ? 'high' : 'low'), { high: through, low: through }),
  failover: () => () => failover([through, through], { when: () => false }),
  balance: () => () => balance([through, through]),
  rate: (digit) => () => rateLimit({ count: 1 + digit, perMs: 2, burst: 2 }),
  unsettled: () => () => timeoutUnsettled({ name: 'test', afterMs: 50, monitor: new Monitor() }),
  dedupe: () => () => dedupeBy((value) => String(value), { windowMs: 20 }),
};

const step = fc.record({ name: fc.constantFrom(...Object.keys(steps)), digit: fc.integer({ min: 0, max: 9 }) });
const pipeline = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  isTransmitted: fc.boolean(),
  maxInFlight: fc.integer({ min: 1, max: 4 }),
});

describe('any pipeline of the operators', () => {
  it('settles each delivery once, as its taker did or an operator had to, and leaves none behind', () => {
    fc.assert(
      fc.property(pipeline, plan, ({ steps: chosen, isTransmitted, maxInFlight }, one) => {
        const { actual, expected, ended, forgotten } = tryPlan(
          (host) => (source) => {
            const stream = chosen.reduce(
              (before, { name, digit }) => before.pipe((steps[name] as (digit: number) => Step)(digit)(host)),
              source as Observable<Delivery<unknown>>,
            );
            return isTransmitted ? stream.pipe(transmit(host.write, { maxInFlight })) : stream;
          },
          one,
        );
        expect({ actual, forgotten, isEnded: ended !== '' }).toEqual({
          actual: expected,
          forgotten: [],
          isEnded: true,
        });
      }),
      { numRuns: 700 },
    );
  });
});
