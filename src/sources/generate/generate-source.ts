import { map } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { nothingToProbe } from '../../delivery/probe.js';
import { Source } from '../../delivery/source.js';
import type { CallbackListener } from '../from/callback-connection.js';
import type { PushKind } from '../from/push-kind.js';
import { PushSession } from '../from/push-session.js';
import { checkOptions, type Generated, type GenerateOptions, type GenerateRecord } from './options.js';
import { RecordGenerator } from './record-generator.js';

const GENERATE: PushKind = {
  name: 'generate',
  afterNack: 'The next subscription generates all records again, from the first one on.',
};

const TRAITS = {
  name: 'generateSource',
  isReplayable: false,
  probe: nothingToProbe,
  repeatsBecause: 'generateSource begins at its first record at each start, so what was stored before is stored again',
};

/**
 * Generates records at a rate, for load tests and demos. The same seed gives the same records, and in `TestScheduler.run` its time is
 * virtual.
 *
 * ```
 * values   a-b-c-d---|     perSecond: 500, count: 4
 * values   (ab)(cd)--|     the same with burst: 2
 * acks     ----------x     x: all acked
 * ```
 *
 * ```ts
 * import { generateSource } from 'rxflume/inputs';
 *
 * export const orders$ = generateSource((seq, random) => ({ id: seq, amount: Math.round(random() * 10_000) / 100 }), {
 *   name: 'orders',
 *   perSecond: 500,
 *   count: 100_000,
 *   seed: 42,
 * });
 * ```
 *
 * Settles: at a nack it drains and fails. It resumes nowhere: each subscription begins at record 0, so a flow from here is at least
 * once, and a run after a crash stores again what the one before it had stored.
 * Bounds: `window` for what is out; nothing waits here, since a record is made when the window has room for it. Records that are due and
 * held back are made as soon as there is room, so the mean rate holds; their time is that at which they were due.
 * Fails: with what `record` throws, once what is out is settled; `SourceError` at a nack, or when a drain is late.
 * Source: Flume 1.11, `SequenceGeneratorSource` and `StressSource`.
 */
export function generateSource<T>(record: GenerateRecord<T>, options: GenerateOptions<T>): Source<Delivery<T>> {
  expectFunction('record', record);
  const checked = checkOptions(options);
  const connect = (listener: CallbackListener<Generated<T>>) => new RecordGenerator(record, checked, listener);
  const generated$ = new Source<Delivery<Generated<T>>>(
    (subscriber, stop$) => new PushSession(GENERATE, connect, checked.session, subscriber).start(stop$),
    TRAITS,
  );
  return generated$.through((deliveries$) => deliveries$.pipe(map((delivery) => delivery.with(delivery.value.record))));
}
