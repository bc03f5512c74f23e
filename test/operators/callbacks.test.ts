import { describe, expect, it } from '@jest/globals';
import { ignoreElements, map, type Observable, type OperatorFunction, of, Subject, tap, timer } from 'rxjs';
import {
  aggregateByKey,
  batch,
  deadLetter,
  decode,
  dedupeBy,
  failover,
  filterValue,
  mapValue,
  mapValueAsync,
  retryWrite,
  routeBy,
  splitValue,
  transmit,
} from '../../operators/index.js';
import { RxflumeError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

type Deliveries = Observable<Delivery<string>>;

let thrown: () => unknown = () => new Error('boom');

/** Throws for the value `bad`. */
function unless<R>(answer: (value: string) => R): (value: string) => R {
  return (value) => {
    if (value === 'bad') throw thrown();
    return answer(value);
  };
}

const windowed = { windowMs: 5, initial: () => '', add: (sum: string, value: string) => sum + value };

/** Nacks `bad` later, as a sink does, and acks the others. */
const later = (deliveries: Deliveries) =>
  deliveries.pipe(
    tap((one) => {
      timer(1).subscribe(() => (one.value === 'bad' ? one.nack(new Error('full')) : one.ack()));
    }),
    ignoreElements(),
  );

const acking = (deliveries: Observable<Delivery<unknown>>) =>
  deliveries.pipe(
    tap((one) => one.ack()),
    ignoreElements(),
  );

const boom = () => {
  throw thrown();
};

/** Each function that an operator is given, where it throws for one value. */
const CALLBACKS: Readonly<Record<string, OperatorFunction<Delivery<string>, unknown>>> = {
  'key of aggregateByKey': aggregateByKey(
    unless((value) => value),
    windowed,
  ),
  'add of aggregateByKey': aggregateByKey((value) => value, { ...windowed, add: (_, value) => unless(String)(value) }),
  'initial of aggregateByKey': (source) => {
    let last = '';
    const noted = aggregateByKey<string, string, string>((value) => (last = value), {
      ...windowed,
      initial: () => unless(String)(last),
    });
    return source.pipe(noted);
  },
  'add of aggregateByKey, windows that overlap': aggregateByKey((value) => value, {
    ...windowed,
    windowMs: 6,
    slideMs: 2,
    add: (_, value) => unless(String)(value),
  }),
  'weigh of batch': batch({ count: 1, weight: 9, weigh: unless(() => 1) }),
  'when of deadLetter': (source) => source.pipe(deadLetter<string>(acking, { when: boom }), later),
  'decoder of decode': decode(unless((value) => value)),
  'key of dedupeBy': dedupeBy(
    unless((value) => value),
    { windowMs: 5 },
  ),
  'when of failover': failover<string, never>([later, acking], { when: boom, monitor: new Monitor() }),
  'predicate of filterValue': filterValue(unless(() => true)),
  'project of mapValue': mapValue(unless((value) => value)),
  'project of mapValueAsync': mapValueAsync(unless((value) => of(value))),
  'select of routeBy': routeBy(
    unless(() => 'one'),
    { one: acking },
  ),
  'project of splitValue': splitValue(unless((value) => [value])),
  'project of splitValue, as it is gone through': splitValue(function* (value) {
    yield value;
    yield unless(String)(value);
  }),
  'write of transmit': transmit(unless((value) => of(value))),
  'key of transmit': transmit((value) => of(value), { order: 'key', key: (value) => unless(String)(value) }),
  'write of retryWrite': transmit(
    retryWrite(
      unless((value) => of(value)),
      { maxAttempts: 1, monitor: new Monitor() },
    ),
  ),
};

function run(operator: OperatorFunction<Delivery<string>, unknown>) {
  const acker = new RecordingAcker();
  const given$ = new Subject<Delivery<string>>();
  let ended = '';
  inVirtualTime((at) => {
    given$
      .pipe(
        operator,
        map((one) => one),
      )
      .subscribe({
        next: (one) => {
          if (one instanceof Delivery) one.ack();
        },
        error: (error: unknown) => {
          ended = `error ${String(error)}`;
        },
        complete: () => {
          ended = 'complete';
        },
      });
    for (const value of ['a', 'bad', 'c']) given$.next(acker.deliver(value));
    at(100, () => given$.complete());
  });
  return { acker, ended };
}

function unreadable(): object {
  const get = () => {
    throw new Error('again');
  };
  return Object.defineProperty({}, 'retryable', { get });
}

const UNREADABLE: Readonly<Record<string, unknown>> = {
  'a text': 'boom',
  undefined,
  'an object without a prototype': Object.create(null),
  'an object whose getters throw': unreadable(),
};

describe.each(Object.entries(UNREADABLE))('a function of an operator that throws %s', (_, value) => {
  it.each(Object.entries(CALLBACKS))('nacks the one value, with a code: the %s', (__, operator) => {
    thrown = () => value;
    try {
      const { acker, ended } = run(operator);
      expect(ended).toBe('complete');
      expect([acker.nacks, [...acker.acks].sort()]).toEqual([['bad'], ['a', 'c']]);
      expect(acker.causes.bad).toBeInstanceOf(RxflumeError);
      expect((acker.causes.bad as RxflumeError).message).toContain('test:stream offset 1');
    } finally {
      thrown = () => new Error('boom');
    }
  });
});

describe('a function of an operator that throws', () => {
  it.each(Object.entries(CALLBACKS))(
    'nacks the one value, with a code, and the flow goes on: the %s',
    (name, operator) => {
      const { acker, ended } = run(operator);
      expect(ended).toBe('complete');
      expect([acker.nacks, [...acker.acks].sort()]).toEqual([['bad'], ['a', 'c']]);
      const cause = acker.causes.bad as RxflumeError;
      expect(cause).toBeInstanceOf(RxflumeError);
      expect(cause.message).toMatch(/test:stream offset 1.*boom/);
      expect((cause.cause as Error).message).toBe('boom');
      const isWrite = /^(write of|project of mapValueAsync)/.test(name);
      expect([cause.code, cause.retryable]).toEqual([
        name.startsWith('write') ? 'RXF_SINK_WRITE' : 'RXF_OPERATOR_FAILED',
        isWrite,
      ]);
    },
  );
});
