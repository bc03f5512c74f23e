import { describe, expect, it } from '@jest/globals';
import { NEVER, Observable, Subject, type Subscriber, takeUntil } from 'rxjs';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import type { FlumeEvent } from '../../src/formats/flume-event.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { amqpSink } from '../../src/sinks/amqp/amqp-sink.js';
import { consoleSink } from '../../src/sinks/console/console-sink.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { flumeSink } from '../../src/sinks/flume/flume-sink.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { nullSink } from '../../src/sinks/null/null-sink.js';
import { MemoryAmqp, MemoryFlume, MemoryHttp, MemoryKafka, memoryFileSystem } from '../../src/testing/index.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

const monitor = new Monitor();

/** All that write somewhere, to where nothing is answered, or not at once. */
const sinks: readonly [string, () => Sink<string> | Sink<FlumeEvent>][] = [
  ['amqpSink', () => amqpSink<string>(new MemoryAmqp(), { routingKey: 'q', monitor }).write()],
  ['consoleSink', () => consoleSink<string>({ name: 'test', write: () => NEVER }, { monitor }).write()],
  ['fileSink', () => fileSink<string>(memoryFileSystem(), { root: '/lake', format: jsonLines(), monitor }).write()],
  ['flumeSink', () => flumeSink(new MemoryFlume({ agents: ['a1'] }), { monitor }).write()],
  ['httpSink', () => httpSink<string>(new MemoryHttp(), { url: 'http://store/', monitor }).write()],
  ['kafkaSink', () => kafkaSink<string>(new MemoryKafka(), { topic: 'copy', monitor }).write()],
  ['nullSink', () => nullSink({ monitor }).write()],
];

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

describe.each(sinks)('%s, when it is left', (name, sink) => {
  const valueFor = (n: number) => (name === 'flumeSink' ? { headers: {}, body: Buffer.from(`${n}`) } : `${n}`);

  it.each(['while its source emits within `subscribe`', 'later'])(
    'leaves its source first, then settles what waits, and takes nothing in between: %s',
    (when) =>
      inVirtualTime((at) => {
        const left$ = new Subject<void>();
        const isWithin = when !== 'later';
        const source = new Windowed(valueFor, () => isWithin && left$.next());
        (sink() as Sink<unknown>)(source.deliveries$).pipe(takeUntil(left$)).subscribe();
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
