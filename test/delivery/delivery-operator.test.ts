import { expect, test } from '@jest/globals';
import * as o from '../../operators/index.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';

const sink: Sink<unknown> = () => ({}) as Receipt as never;

test('each operator on deliveries has its name, for `watched`', () => {
  const all = {
    aggregateByKey: o.aggregateByKey(() => 0, { windowMs: 1, initial: () => 0, add: () => 0 }),
    balance: o.balance([sink, sink]),
    batch: o.batch({ count: 1 }),
    deadLetter: o.deadLetter(sink),
    decode: o.decode(() => 0),
    dedupeBy: o.dedupeBy(() => 0, { windowMs: 1 }),
    failover: o.failover([sink, sink]),
    filterValue: o.filterValue(() => true),
    inFlightWindow: o.inFlightWindow({ count: 1 }),
    mapValue: o.mapValue(() => 0),
    mapValueAsync: o.mapValueAsync(async () => 0),
    rateLimit: o.rateLimit({ count: 1, perMs: 1 }),
    routeBy: o.routeBy(() => 'a', { a: sink }),
    splitValue: o.splitValue(() => []),
    tee: o.tee({ a: sink }),
    timeoutUnsettled: o.timeoutUnsettled({ name: 'a', afterMs: 1 }),
    transmit: o.transmit(async () => 0),
    trusted: o.trusted((source) => source),
  };
  expect(Object.entries(all).map(([, { name }]) => name)).toEqual(Object.keys(all));
  const others = ['drainOn', 'mergeSources', 'retryConnect', 'retryWrite'];
  const exported = Object.entries(o).filter(([, value]) => typeof value === 'function');
  expect(exported.map(([name]) => name).sort()).toEqual([...Object.keys(all), ...others].sort());
});
