import { describe, expect, it } from '@jest/globals';
import { ignoreElements, type Observable, type OperatorFunction, of, Subject, tap } from 'rxjs';
import {
  aggregateByKey,
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
  splitValue,
  timeoutUnsettled,
  trusted,
} from '../../operators/index.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { ledgerTraitOf } from '../../src/delivery/delivery-operator.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { resumeTracker } from '../support/call-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

type Through = OperatorFunction<Delivery<string>, Delivery<unknown>>;

const handingOn = (deliveries: Observable<Delivery<string>>) => deliveries;
const dropping = (deliveries: Observable<Delivery<unknown>>) =>
  deliveries.pipe(
    tap((one) => one.ack()),
    ignoreElements(),
  );

/** Each operator that may precede a sink. */
const OPERATORS: Readonly<Record<string, Through>> = {
  aggregateByKey: aggregateByKey(() => 'all', {
    windowMs: 5,
    initial: () => '',
    add: (sum, value: string) => sum + value,
  }),
  balance: balance([handingOn]) as Through,
  batch: batch<string>({ count: 2 }) as Through,
  deadLetter: deadLetter<string>(dropping),
  decode: decode((value: string) => value),
  dedupeBy: dedupeBy((value: string) => value, { windowMs: 5 }),
  failover: failover([handingOn]) as Through,
  filterValue: filterValue<string>(() => true),
  inFlightWindow: inFlightWindow<string>({ count: 9 }),
  mapValue: mapValue((value: string) => value),
  mapValueAsync: mapValueAsync((value: string) => of(value)),
  rateLimit: rateLimit<string>({ count: 9, perMs: 1 }),
  splitValue: splitValue((value: string) => [value, value]) as Through,
  timeoutUnsettled: timeoutUnsettled<string>({ name: 'x', afterMs: 1_000 }),
  trusted: trusted(tap<Delivery<string>>(() => undefined)) as Through,
};

describe('what an operator says it does to a ledger behind it', () => {
  it.each(Object.entries(OPERATORS))('is what a sink behind %s finds, of two streams', (_, operator) => {
    const ackers = ['one', 'two'].map((stream) =>
      Object.assign(new RecordingAcker(stream), { resumeTracker: { ...resumeTracker } }),
    );
    const out: Delivery<unknown>[] = [];
    const given$ = new Subject<Delivery<string>>();
    inVirtualTime((at) => {
      const running = given$.pipe(operator).subscribe((one) => out.push(one));
      for (const acker of ackers) given$.next(acker.deliver(acker.stream));
      at(50, () => running.unsubscribe());
    });
    const mayCount = out.every(
      ({ acker }) => acker.isMixed !== true && ackers.some((one) => one.resumeTracker === acker.resumeTracker),
    );
    expect(out.length).toBeGreaterThan(0);
    expect(ledgerTraitOf(operator) === 'kept').toBe(mayCount);
  });

  it('is said of each in the middle of a sentence, with its name', () => {
    for (const [name, operator] of Object.entries(OPERATORS)) {
      const trait = ledgerTraitOf(operator);
      if (trait !== undefined && trait !== 'kept') expect(trait.because).toMatch(new RegExp(`^\`${name}\` .*[^.]$`));
    }
    expect(ledgerTraitOf(tap(() => undefined))).toBeUndefined();
  });
});
