import { describe, expect, it } from '@jest/globals';
import { concatMap, ignoreElements, map, NEVER, type ObservableInput, tap, timer } from 'rxjs';
import { transmit } from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../src/sources/amqp/amqp-stream-source.js';
import { fileSource } from '../../src/sources/file/file-source.js';
import { lineRecords } from '../../src/sources/file/line-records.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { spoolSource } from '../../src/sources/spool/spool-source.js';
import { tailSource } from '../../src/sources/tail/tail-source.js';
import {
  describeSink,
  describeSource,
  type It,
  MemoryAmqp,
  MemoryKafka,
  MemoryLocalFiles,
  memoryFileSystem,
} from '../../src/testing/index.js';
import { naiveSource } from '../invariants/naive-source.js';

const files = (): Sink<string> =>
  fileSink<string>(memoryFileSystem({ latencyMs: 1 }), {
    root: '/lake',
    format: jsonLines(),
    chunk: { maxWaitMs: 10 },
  }).write();

/** The least that is a sink: it acks at once, and leaves nothing to settle. */
const acking = (): Sink<string> =>
  map((delivery: Delivery<string>): Receipt => {
    const { value, origin } = delivery;
    delivery.ack();
    const range = { stream: origin.stream, firstOffset: origin.offset, lastOffset: origin.offset };
    return { sink: 'test', target: value, values: 1, bytes: 1, ...range };
  });

const posting = (): Sink<string> =>
  transmit((target: string, { origin: { stream, offset } }) =>
    timer(5).pipe(
      map(
        (): Receipt => ({ sink: 'post', target, values: 1, bytes: 1, stream, firstOffset: offset, lastOffset: offset }),
      ),
    ),
  );

function kafka(build: (own: MemoryKafka) => Source<Delivery<unknown>>) {
  const own = new MemoryKafka();
  own.createTopic('t');
  return {
    source: build(own),
    produce: (count: number) =>
      own.produce(
        't',
        0,
        Array.from({ length: count }, (_, n) => `v${n}`),
      ),
    committed: () => own.committed('g', 't', 0),
  };
}

const ours = (own: MemoryKafka) => kafkaSource(own, { topics: ['t'], groupId: 'g', drainTimeoutMs: 500 });

describe('describeSink', () => {
  describeSink('a file sink', { sink: files, value: (n) => `v${n}`, it });
  describeSink('the least that is a sink', { sink: acking, value: (n) => `v${n}`, it });
  describeSink('transmit, of receipts', { sink: posting, value: (n) => `v${n}`, it });
});

/** Of a queue, what need not be redelivered is what was acked, from the first on. */
function queue() {
  const own = new MemoryAmqp();
  own.createQueue('q');
  let sent = 0;
  const committed = () => {
    const acked = new Set(own.settlements.filter(({ how }) => how === 'ack').flatMap(({ contents }) => contents));
    let end = 0;
    while (acked.has(`v${end}`)) end += 1;
    return end;
  };
  const options = { queues: ['q'], drainTimeoutMs: 500, monitor: new Monitor() };
  return {
    source: amqpSource(own, options),
    produce: (count: number) =>
      own.send(
        'q',
        Array.from({ length: count }, () => `v${sent++}`),
      ),
    committed,
  };
}

const LINE_BYTES = 9;

/** Of a file that is followed, what need not be redelivered is what lies before the position in the position file. */
function tail() {
  const own = new MemoryLocalFiles();
  own.append('/log/a.log', '');
  let sent = 0;
  const line = (n: number) => `${String(n).padStart(LINE_BYTES - 1, '0')}\n`;
  const source = tailSource(own, {
    paths: ['/log/*.log'],
    positionFile: '/state/tail.json',
    drainTimeoutMs: 500,
    monitor: new Monitor(),
  });
  return {
    source,
    produce: (count: number) => own.append('/log/a.log', Array.from({ length: count }, () => line(sent++)).join('')),
    committed: () => {
      if (!own.paths.includes('/state/tail.json')) return 0;
      const { files } = JSON.parse(own.text('/state/tail.json')) as { files: { offset: number }[] };
      return (files[0]?.offset ?? 0) / LINE_BYTES;
    },
  };
}

const common = { drainTimeoutMs: 500, monitor: new Monitor() };
const linesOf = (count: number) => Array.from({ length: count }, (_, n) => `v${n}\n`).join('');

/** Of a folder, what need not be redelivered is what is in the files that have their new name. */
function spool() {
  const fs = memoryFileSystem({ latencyMs: 1 });
  const counts = new Map<string, number>();
  const times = { pollIntervalMs: 50, unchangedForMs: 50 };
  return {
    source: spoolSource(fs, { name: 's', folder: '/in', records: lineRecords(), ...times, ...common }),
    produce: (count: number) => {
      const path = `/in/${counts.size}`;
      counts.set(path, count);
      fs.put(path, linesOf(count));
    },
    committed: () => {
      const left = new Set(Object.keys(fs.files()));
      return [...counts].filter(([path]) => !left.has(path)).reduce((sum, [, count]) => sum + count, 0);
    },
  };
}

/** Files that are read once stay as they are: what is committed is what is missing of them, or was changed. */
function backfill() {
  const fs = memoryFileSystem({ latencyMs: 1 });
  // They are looked for once, and the check places them after it has subscribed.
  const [look, scan] = [fs.look.bind(fs), fs.scan.bind(fs)];
  const late = <T>(find: () => ObservableInput<T>) => timer(1).pipe(concatMap(find));
  fs.look = (path) => late(() => look(path));
  fs.scan = (path) => late(() => scan(path));
  const counts = new Map<string, number>();
  return {
    source: fileSource(fs, { name: 'f', files: ['/old/*'], records: lineRecords(), ...common }),
    produce: (count: number) => {
      const path = `/old/${counts.size}`;
      counts.set(path, count);
      fs.put(path, linesOf(count));
    },
    committed: () =>
      Object.keys(fs.files()).length !== counts.size || [...counts].some(([path, n]) => fs.text(path) !== linesOf(n))
        ? 1
        : 0,
  };
}

/** A stream of RabbitMQ keeps what was read: an ack gives credit for more, and moves nothing. */
function stream() {
  const own = new MemoryAmqp();
  own.createQueue('q', 'stream');
  let sent = 0;
  return {
    source: amqpStreamSource(own, { queues: ['q'], prefetch: 100, ...common }),
    produce: (count: number) =>
      own.send(
        'q',
        Array.from({ length: count }, () => `v${sent++}`),
      ),
    committed: () => 0,
  };
}

describe('describeSource', () => {
  describeSource('the RabbitMQ source', { make: queue, nameOf: ({ value }) => String(value), it });
  describeSource('the Kafka source', { make: () => kafka(ours), it });
  describeSource('the source of log files', { make: tail, it });
  describeSource('the source of a folder', { make: spool, commits: 'files', it });
  describeSource('the source of files that are read once', { make: backfill, commits: 'nothing', it });
  describeSource('the source of a RabbitMQ stream', { make: stream, commits: 'nothing', it });
});

/** The names of the checks that fail. */
function failing(run: (it: It) => void): string[] {
  const failed: string[] = [];
  run((name, check) => {
    try {
      check();
    } catch {
      failed.push(name.slice(2));
    }
  });
  return failed;
}

describe('the contracts find', () => {
  const value = (n: number) => n;
  const ack = tap((one: Delivery<unknown>) => one.ack());

  it.each<[string, () => Sink<unknown>, string]>([
    [
      'a sink that forgets what it took',
      () => () => NEVER,
      'acks each value it stores, and completes after its source',
    ],
    [
      'a sink that gives no receipts',
      () => (d) => d.pipe(ack, ignoreElements()),
      'gives receipts for what is acked, after it is',
    ],
    [
      'a sink that gives a receipt before the ack',
      () => (d) =>
        d.pipe(
          concatMap((one) => {
            timer(5).subscribe(() => one.ack());
            return [{ values: 1, target: 'x' } as Receipt];
          }),
        ),
      'gives receipts for what is acked, after it is',
    ],
    [
      'a sink that leaves things unsettled',
      () => (d) => d.pipe(ignoreElements()),
      'settles everything when it is left, and acks nothing after that',
    ],
  ])('%s', (_, sink, what) => {
    expect(failing((own) => describeSink('x', { sink, value, it: own }))).toContain(what);
  });

  it('the naive source with its bugs', () => {
    const found = failing((own) =>
      describeSource('x', { make: () => kafka((one) => naiveSource(one, { commitsLastAck: true }, 9)), it: own }),
    );
    expect(found).toContain('commits the unbroken run of acks, and nothing beyond it');
    const mute = failing((own) =>
      describeSource('x', { make: () => kafka(() => new Source(() => undefined)), it: own }),
    );
    expect(mute.length).toBeGreaterThan(5);
  });

  it('wrong settings', () => {
    expect(() => describeSink('x', { sink: 1, value, it } as never)).toThrow('Expected `sink` to be a function');
    expect(() => describeSource('x', { make: files, it: 1 } as never)).toThrow('Expected `it` to be a function');
  });
});
