import { describe, expect, it } from '@jest/globals';
import { EMPTY, ignoreElements, type Observable, Subject, tap } from 'rxjs';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import type { Source } from '../../src/delivery/source.js';
import { flow } from '../../src/flow/flow.js';
import type { FlowControl } from '../../src/flow/flow-control.js';
import { guaranteeOf } from '../../src/flow/guarantee.js';
import { controlOf } from '../../src/flow/running-flows.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../src/sources/amqp/amqp-stream-source.js';
import { execSource } from '../../src/sources/exec/exec-source.js';
import { fileSource } from '../../src/sources/file/file-source.js';
import { lineRecords } from '../../src/sources/file/line-records.js';
import { flumeSource } from '../../src/sources/flume/flume-source.js';
import { fromObservable$ } from '../../src/sources/from/from-observable.js';
import { generateSource } from '../../src/sources/generate/generate-source.js';
import { httpSource } from '../../src/sources/http/http-source.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { netSource } from '../../src/sources/net/net-source.js';
import { spoolSource } from '../../src/sources/spool/spool-source.js';
import { syslogSource } from '../../src/sources/syslog/syslog-source.js';
import { tailSource } from '../../src/sources/tail/tail-source.js';
import {
  MemoryAmqp,
  MemoryCommandRunner,
  MemoryFlume,
  MemoryHttpServer,
  MemoryKafka,
  MemoryLocalFiles,
  MemorySockets,
  memoryFileSystem,
} from '../../src/testing/index.js';
import { SourceRun } from '../support/source-run.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** A source that reads at most three at once over a store in memory, and gives up a drain after 500 ms. */
interface MemorySource {
  readonly source: Source<Delivery<unknown>>;
  produce(values: readonly string[]): void;
}

const common = { drainTimeoutMs: 500, monitor: new Monitor() };

function rabbitmq(kind: 'classic' | 'stream', build: (own: MemoryAmqp) => Source<Delivery<unknown>>): MemorySource {
  const own = new MemoryAmqp();
  own.createQueue('q', kind);
  return { source: build(own), produce: (values) => own.send('q', values) };
}

const SOURCES: Readonly<Record<string, () => MemorySource>> = {
  kafkaSource: () => {
    const own = new MemoryKafka();
    own.createTopic('t');
    const source = kafkaSource(own, { topics: ['t'], groupId: 'g', window: { count: 3 }, ...common });
    return { source, produce: (values) => own.produce('t', 0, values) };
  },
  amqpSource: () => rabbitmq('classic', (own) => amqpSource(own, { queues: ['q'], prefetch: 3, ...common })),
  amqpStreamSource: () => rabbitmq('stream', (own) => amqpStreamSource(own, { queues: ['q'], prefetch: 3, ...common })),
  fromObservable$: () => {
    const input$ = new Subject<string>();
    return {
      source: fromObservable$(input$, { name: 'f', window: { count: 3 }, ...common }),
      produce: (values) => {
        for (const value of values) input$.next(value);
      },
    };
  },
  execSource: () => {
    const own = new MemoryCommandRunner();
    const source = execSource(own, { name: 'e', command: ['e'], window: { count: 3 }, ...common });
    return { source, produce: (values) => own.runs.at(-1)?.write(values.map((value) => `${value}\n`).join('')) };
  },
  tailSource: () => {
    const own = new MemoryLocalFiles();
    own.append('/log/a.log', '');
    const times = { scanIntervalMs: 20, pollIntervalMs: 10 };
    const where = { paths: ['/log/*.log'], positionFile: '/state/tail.json' };
    return {
      source: tailSource(own, { ...where, window: { count: 3 }, ...times, ...common }),
      produce: (values) => own.append('/log/a.log', values.map((value) => `${value}\n`).join('')),
    };
  },
  spoolSource: () => {
    const own = memoryFileSystem();
    const times = { pollIntervalMs: 20, unchangedForMs: 20 };
    const where = { name: 's', folder: '/in', records: lineRecords() };
    let files = 0;
    return {
      source: spoolSource(own, { ...where, window: { count: 3 }, ...times, ...common }),
      produce: (values) => own.put(`/in/${files++}`, values.map((value) => `${value}\n`).join('')),
    };
  },
  httpSource: () => {
    const own = new MemoryHttpServer();
    const source = httpSource(own, { name: 'h', window: { count: 3 }, ...common });
    const produce = (values: readonly string[]) => {
      own.send({ body: JSON.stringify(values) }).subscribe({ error: () => undefined });
    };
    return { source, produce };
  },
  netSource: () => {
    const own = new MemorySockets();
    const source = netSource(own, { name: 'n', window: { count: 3 }, ...common });
    return { source, produce: (values) => own.connect().send(`${values.join('\n')}\n`) };
  },
  syslogSource: () => {
    const own = new MemorySockets();
    const source = syslogSource(own, { name: 's', framing: 'relp', window: { count: 3 }, ...common });
    const produce = (values: readonly string[]) => {
      const messages = values.map((value, n) => `${n + 2} syslog ${value.length} ${value}\n`);
      own.connect().send(`1 open 14 relp_version=0\n${messages.join('')}`);
    };
    return { source, produce };
  },
  flumeSource: () => {
    const own = new MemoryFlume();
    return {
      source: flumeSource(own.server(), { name: 'f', window: { count: 3 }, ...common }),
      produce: (values) => {
        const events = values.map((value) => ({ headers: {}, body: Buffer.from(value) }));
        own.connect(0).subscribe({
          next: (connection) => connection.append(events).subscribe({ error: () => undefined }),
          error: () => undefined,
        });
      },
    };
  },
};

describe.each(Object.entries(SOURCES))('%s', (_, make) => {
  const running = (
    values: readonly string[],
    check: (run: SourceRun<unknown>, at: (ms: number, action: () => void) => void, own: MemorySource) => void,
  ) =>
    inVirtualTime((at) => {
      const own = make();
      const run = new SourceRun(own.source);
      if (values.length > 0) at(20, () => own.produce(values));
      check(run, at, own);
      at(20_000, () => run.leave());
    });

  it('gives offsets that rise, dense numbers, one stream and one `flush$` an epoch', () =>
    running(['a', 'b', 'c'], ({ seen }, at) => {
      at(200, () => {
        expect(seen.map(({ seq }) => seq)).toEqual([0, 1, 2]);
        expect(
          new Set(seen.map(({ origin, acker }) => `${origin.stream} ${acker.flush$ === seen[0]?.acker.flush$}`)).size,
        ).toBe(1);
        const offsets = seen.map(({ origin }) => origin.offset);
        expect(offsets.every((offset, n) => Number.isSafeInteger(offset) && offset > (offsets[n - 1] ?? -1))).toBe(
          true,
        );
        for (const { origin } of seen) expect(origin.byteLength).toBeGreaterThan(0);
      });
    }));

  it('reads no more while its flow is paused, settles what is out, says where it is, and goes on', () =>
    inVirtualTime((at) => {
      const { source, produce } = make();
      const seen: Delivery<unknown>[] = [];
      const sink = ((deliveries: Observable<Delivery<unknown>>) =>
        deliveries.pipe(
          tap((delivery) => seen.push(delivery)),
          ignoreElements(),
        )) as unknown as Sink<unknown>;
      const ends: string[] = [];
      const running = flow('paused', source, sink).subscribe({
        error: (error: Error) => ends.push(error.message),
        complete: () => ends.push('complete'),
      });
      const control = controlOf('paused') as FlowControl;
      at(20, () => produce(['a', 'b']));
      at(200, () => {
        expect(seen).toHaveLength(2);
        control.pause();
        expect(control.state).toBe('paused');
        const { stream, offset } = (seen[0] as Delivery<unknown>).origin;
        expect(control.locate(stream, offset).state).toBe('in flight');
        for (const delivery of seen) delivery.ack();
      });
      at(300, () => produce(['c']));
      at(9_000, () => {
        expect([seen.length, ends]).toEqual([2, []]);
        control.resume();
        produce(['d']);
      });
      at(9_500, () => {
        // What answers its clients turned `c` away; of others it waited.
        expect(seen.length).toBeGreaterThanOrEqual(3);
        control.drain().subscribe();
        for (const delivery of seen) delivery.ack();
      });
      at(15_000, () => {
        expect(ends).toEqual(['complete']);
        running.unsubscribe();
      });
    }));

  it('says that it is connected while it reads, and not when it is left: `/readyz` and `--until-idle` go by it', () =>
    running([], (run, at) => {
      const joined = () => common.monitor.total('rxflume_source_joined');
      at(200, () => expect(joined()).toBe(1));
      at(300, () => run.leave());
      at(400, () => expect(joined()).toBe(0));
    }));

  it('has no more out than its window or prefetch, and goes on when something is settled', () =>
    running(['a', 'b', 'c', 'd', 'e', 'f'], ({ seen }, at) => {
      at(200, () => {
        expect(seen).toHaveLength(3);
        for (const delivery of seen.slice(0, 3)) delivery.ack();
      });
      at(400, () => expect(seen).toHaveLength(6));
    }));

  it('drains: asks its holders to settle, reads no more, and completes when all is settled', () =>
    running(['a', 'b'], (run, at, own) => {
      at(200, () => {
        run.drain();
        own.produce(['late']);
      });
      at(300, () => {
        expect([run.asked, run.ended]).toEqual([expect.arrayContaining(['settle']), '']);
        for (const delivery of run.seen) delivery.ack();
      });
      at(600, () => expect([run.seen.length, run.ended, run.isEpochOver]).toEqual([2, 'complete', true]));
    }));

  it('ends a drain in time where nobody settles, and says so', () =>
    running(['a'], (run, at) => {
      at(200, () => run.drain());
      at(650, () => expect(run.ended).toBe(''));
      at(900, () => expect([run.ended, run.error?.code]).toEqual(['error', 'RXF_SOURCE_DRAIN_TIMEOUT']));
    }));

  it('completes a drain at once where nothing is out', () =>
    running([], (run, at) => {
      at(100, () => run.drain());
      at(200, () => expect(run.ended).toBe('complete'));
    }));

  it('does not pass off as drained what was nacked meanwhile', () =>
    running(['a'], (run, at) => {
      at(200, () => {
        run.drain();
        run.seen[0]?.nack(new Error('disk'));
      });
      at(2_000, () => expect([run.ended, run.error?.code]).toEqual(['error', 'RXF_SOURCE_NACKED']));
    }));

  it('ends with the error of a stop signal that fails', () =>
    inVirtualTime((at) => {
      const stop$ = new Subject<void>();
      const run = new SourceRun(make().source, stop$);
      const cause = new Error('no signal');
      at(100, () => stop$.error(cause));
      at(200, () => expect([run.ended, run.error]).toEqual(['error', cause]));
    }));

  it('is silent once it is left: its epoch is over, and acks, nacks and releases do nothing', () =>
    running(['a', 'b', 'c'], (run, at, own) => {
      at(200, () => {
        run.leave();
        expect(run.isEpochOver).toBe(true);
        run.seen[0]?.ack();
        run.seen[1]?.nack(new Error('late'));
        run.seen[2]?.release();
        own.produce(['d']);
      });
      at(2_000, () => expect([run.seen.length, run.ended]).toEqual([3, '']));
    }));
});

/** What `rxflume check` says of a flow from each source into files, where it resumes from their ledger if it can. */
const PROMISES: Readonly<Record<string, readonly [level: string, words: string]>> = {
  kafkaSource: ['exactly-once', 'can be read again'],
  amqpSource: ['at-least-once', 'cannot be read again'],
  amqpStreamSource: ['exactly-once', 'can be read again'],
  fromObservable$: ['at-most-once', 'has no `onAck`'],
  execSource: ['at-most-once', 'the pipe from the command'],
  generateSource: ['at-least-once', 'begins at its first record at each start'],
  tailSource: ['exactly-once', 'can be read again'],
  fileSource: ['exactly-once', 'can be read again'],
  spoolSource: ['exactly-once', 'can be read again'],
  httpSource: ['at-least-once', 'cannot be read again'],
  netSource: ['at-most-once', 'hear of no ack'],
  syslogSource: ['at-least-once', 'cannot be read again'],
  flumeSource: ['at-least-once', 'cannot be read again'],
};

const MORE_SOURCES: Readonly<Record<string, () => Source<Delivery<unknown>>>> = {
  generateSource: () => generateSource((seq) => seq, { name: 'g' }),
  fileSource: () => fileSource(memoryFileSystem(), { name: 'f', files: ['/a'], records: lineRecords() }),
};

it('says of each source what a flow from it can promise', () => {
  const ledger = { offsetStore: () => EMPTY, at: '/lake' };
  const all = {
    ...Object.fromEntries(Object.entries(SOURCES).map(([name, make]) => [name, () => make().source])),
    ...MORE_SOURCES,
  };
  const promised = Object.entries(all).map(([name, make]) => {
    const { traits } = make();
    const source = traits?.isReplayable ? { ...traits, resumeFrom: ledger.offsetStore } : traits;
    const { level, because } = guaranteeOf({ source, ledger });
    return [name, [level, because.join('; ').includes(PROMISES[name]?.[1] ?? '?') ? PROMISES[name]?.[1] : because]];
  });
  expect(Object.fromEntries(promised)).toEqual(PROMISES);
});
