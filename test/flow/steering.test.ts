import { describe, expect, it } from '@jest/globals';
import { ignoreElements, type Observable, of, Subject, Subscription, tap } from 'rxjs';
import { batch, decode, mapValueAsync, mergeSources } from '../../operators/index.js';
import { alerts, builtInAlerts, type FlowSnapshot } from '../../src/alerts/index.js';
import { SinkError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { FlushSignal } from '../../src/delivery/acker.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import type { Source } from '../../src/delivery/source.js';
import { flow } from '../../src/flow/flow.js';
import type { FlowControl } from '../../src/flow/flow-control.js';
import type { ResetTarget } from '../../src/flow/reset-preview.js';
import { controlOf } from '../../src/flow/running-flows.js';
import type { FlumeEvent } from '../../src/formats/flume-event.js';
import { text } from '../../src/formats/text.js';
import { textDecoder } from '../../src/formats/text-decoder.js';
import { livenessOf, readinessOf } from '../../src/metrics/health.js';
import { statusesOf, statusOf } from '../../src/metrics/status.js';
import type { OffsetStore } from '../../src/offsets/offset-store.js';
import type { FlumeConnection } from '../../src/ports/flume-rpc.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { nullSink } from '../../src/sinks/null/null-sink.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../src/sources/amqp/amqp-stream-source.js';
import { flumeSource } from '../../src/sources/flume/flume-source.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../src/sources/kafka/options.js';
import { resetHint } from '../../src/sources/kafka/resume.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../support/virtual-time.js';

const busy = () => new SinkError('RXF_SINK_WRITE', 'busy');

/** A flow into a sink that holds what it takes until the test settles it, and what is asked of the sink. */
function held<T>(name: string, source: Source<Delivery<T>>, monitor: Monitor) {
  const out: Delivery<T>[] = [];
  const asked: FlushSignal[] = [];
  const heard = new Set<unknown>();
  const sink = ((deliveries: Observable<Delivery<T>>) =>
    deliveries.pipe(
      tap((delivery) => {
        out.push(delivery);
        const { flush$ } = delivery.acker;
        if (heard.has(flush$)) return;
        heard.add(flush$);
        flush$.subscribe((signal) => asked.push(signal));
      }),
      ignoreElements(),
    )) as unknown as Sink<T>;
  const ends: string[] = [];
  const subscription = flow(name, source, sink).subscribe({
    error: (error: Error) => ends.push(error.message),
    complete: () => ends.push('complete'),
  });
  return {
    out,
    asked,
    ends,
    monitor,
    control: controlOf(name) as FlowControl,
    values: () => out.map(({ value }) => String(value)),
    ackAll: () => {
      for (const delivery of out) delivery.ack();
    },
    leave: () => subscription.unsubscribe(),
  };
}

function chatKafka(...values: string[]): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 2);
  kafka.produce('chat', 0, values);
  return kafka;
}

function ofKafka(name: string, kafka: MemoryKafka, options: Partial<KafkaSourceOptions> = {}) {
  const monitor = new Monitor();
  const commit = { count: 1_000, intervalMs: 100 };
  return held(name, kafkaSource(kafka, { topics: ['chat'], groupId: 'g', commit, monitor, ...options }), monitor);
}

describe('a paused flow from Kafka', () => {
  it('reads no more, settles and commits what is in flight, stays in its group, and goes on where it was', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b');
      const own = ofKafka('paused-kafka', kafka);
      at(10, () => {
        own.control.pause();
        expect([own.control.state, own.control.commands]).toEqual(['paused', ['resume', 'roll', 'drain', 'reset']]);
        expect(kafka.pauses).toEqual(['pause chat/0', 'pause chat/1']);
        kafka.produce('chat', 0, ['c']);
        kafka.produce('chat', 1, ['d']);
      });
      at(100_000, () => {
        expect(own.values()).toEqual(['a', 'b']);
        own.ackAll();
      });
      at(100_200, () => {
        expect([kafka.committed('g', 'chat', 0), kafka.memberCount('g'), own.asked]).toEqual([2, 1, []]);
        own.control.resume();
        expect(own.control.state).toBe('running');
      });
      at(100_300, () => {
        expect(own.values()).toEqual(['a', 'b', 'c', 'd']);
        expect(own.out.map(({ origin }) => origin.epoch)).toEqual([1, 1, 1, 1]);
        own.leave();
      });
    }));

  it('is said to be paused, and is neither stalled, nor unwell, nor idle', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b');
      const own = ofKafka('paused-health', kafka, { window: { count: 1 } });
      at(10, () => own.control.pause());
      at(50_000, () => own.monitor.samples());
      at(100_000, () => {
        const total = (name: string) => own.monitor.total(`rxflume_source_${name}`);
        expect([total('no_progress_seconds'), total('held_back_partitions'), total('in_flight_records')]).toEqual([
          0, 2, 1,
        ]);
        const { sources } = statusOf(own.monitor)[0] as ReturnType<typeof statusOf>[number];
        const flows = [
          { flow: 'paused-health', state: 'paused', sources, operators: [], sinks: [], deadLetters: {} },
        ] as const;
        expect(livenessOf(flows, { maxNoProgressMs: 10_000, maxAgeMs: 10_000 })).toEqual({ ok: true, reasons: [] });
        expect(readinessOf(flows, { maxNoProgressMs: 10_000, maxAgeMs: 10_000 })).toEqual({ ok: true, reasons: [] });
        own.leave();
      });
    }));

  it('does not read again after a nack, nor a new assignment, before it is resumed', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b');
      const own = ofKafka('paused-nacks', kafka, { redeliver: { firstDelayMs: 50 } });
      at(10, () => own.control.pause());
      at(20, () => own.out[0]?.nack(busy()));
      at(5_000, () => {
        expect([own.values(), kafka.pauses.filter((one) => one.startsWith('resume'))]).toEqual([['a', 'b'], []]);
        kafka.expireSessions('g');
      });
      at(6_000, () => expect(own.values()).toEqual(['a', 'b']));
      at(7_000, () => own.control.resume());
      at(7_100, () => {
        expect(own.values()).toEqual(['a', 'b', 'a', 'b']);
        own.leave();
      });
    }));

  it('drains, and has then committed what was settled', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b');
      const own = ofKafka('paused-drain', kafka);
      at(10, () => {
        own.control.pause();
        kafka.produce('chat', 0, ['c']);
      });
      at(1_000, () => {
        void own.control.drain();
        expect(own.control.state).toBe('draining');
      });
      at(1_500, () => {
        expect([own.ends, own.asked[0]]).toEqual([[], 'settle']);
        own.ackAll();
      });
      at(2_000, () => expect([own.ends, kafka.committed('g', 'chat', 0)]).toEqual([['complete'], 2]));
    }));

  it('loses nothing and repeats nothing, however it is paused, resumed, acked and rebalanced', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      let state = seed;
      const chance = (): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      inVirtualTime((at) => {
        const kafka = chatKafka();
        const own = ofKafka(`paused-random-${seed}`, kafka, { window: { count: 5 } });
        const settled = new Set<Delivery<unknown>>();
        for (let step = 1; step <= 200; step += 1) {
          at(step * 20, () => {
            const { state: now } = own.control;
            if (chance() < 0.3) kafka.produce('chat', chance() < 0.5 ? 0 : 1, [`v${step}`]);
            if (chance() < 0.2) now === 'paused' ? own.control.resume() : own.control.pause();
            const open = own.out.filter((delivery) => !settled.has(delivery));
            const one = open[Math.floor(chance() * open.length)];
            if (one === undefined || chance() < 0.3) return;
            one.ack();
            settled.add(one);
          });
        }
        at(5_000, () => {
          if (own.control.state === 'paused') own.control.resume();
        });
        for (let more = 5_100; more < 10_000; more += 50) at(more, own.ackAll);
        at(10_000, () => {
          const written = kafka.read('chat').map(({ value }) => String(value));
          expect([seed, [...own.values()].sort()]).toEqual([seed, written.sort()]);
          expect(kafka.committed('g', 'chat', 0) + kafka.committed('g', 'chat', 1)).toBe(written.length);
          own.leave();
        });
      });
    }
  });
});

describe('alerts of a paused flow', () => {
  it('say that its data gets old, once a fetch has shown what waits, and nothing of its progress', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a');
      kafka.produce('chat', 0, [{ value: 'b', timestamp: 5_000 }]);
      const own = ofKafka('paused-alerts', kafka, { window: { count: 1 } });
      const firing: string[] = [];
      const snapshots$ = new Subject<FlowSnapshot>();
      alerts(snapshots$, builtInAlerts({ maxAgeMs: 60_000, maxNoProgressMs: 60_000 })).subscribe(
        ({ isFiring, labels, state }) => {
          if (isFiring || state === 'resolved') firing.push(`${state} ${labels.alertname}`);
        },
      );
      const look = () =>
        snapshots$.next({
          flows: statusesOf(own.monitor.samples()).filter(({ flow }) => flow === 'paused-alerts'),
          logEvents: [],
        });
      at(10, () => {
        own.control.pause();
        own.ackAll();
        look();
      });
      for (let ms = 20_000; ms <= 400_000; ms += 20_000) at(ms, look);
      at(400_100, () => {
        // Older than a minute at the look after it; the pause does not make that harmless. Nothing hangs, so `NoProgress` is silent.
        expect(firing).toEqual(['firing DataTooOld']);
        own.control.resume();
        own.ackAll();
        own.leave();
      });
    }));
});

describe('roll', () => {
  it('has open files committed at once, each value once', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b');
      const fs = memoryFileSystem();
      const monitor = new Monitor();
      const lake = fileSink<string>(fs, { root: '/lake', format: text(), roll: { intervalMs: 3_600_000 }, monitor });
      const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'g', resumeFrom: lake.offsetStore, monitor });
      const subscription = flow('rolled', source, decode(textDecoder()), lake.write()).subscribe();
      const control = controlOf('rolled') as FlowControl;
      at(5_000, () => {
        expect([control.files, control.locate('kafka:chat/0', 0)]).toMatchObject([
          [],
          { state: 'in flight', at: 'the sink (2 fileSink)' },
        ]);
        control.roll();
      });
      at(6_000, () => {
        expect(control.files).toMatchObject([{ stream: 'kafka:chat/0', firstOffset: 0, lastOffset: 1, values: 2 }]);
        const [file] = control.files;
        expect(fs.text(file?.path ?? '')).toBe('a\nb\n');
        expect(control.locate('kafka:chat/0', 1)).toMatchObject({ state: 'settled', file: file?.path });
        control.roll();
        expect(control.files.length).toBe(1);
        subscription.unsubscribe();
      });
    }));
});

describe('locate', () => {
  it('finds a record of Kafka: not read, in flight with its attempt and what it holds up, settled, committed, gone', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b', 'c');
      kafka.produce('chat', 0, ['d'], 10);
      const own = ofKafka('located', kafka, { redeliver: { firstDelayMs: 50 } });
      const where = (offset: number) => own.control.locate('kafka:chat/0', offset);
      at(10, () => {
        own.out[0]?.ack();
        own.out[2]?.ack();
        own.out[3]?.ack();
        expect([0, 1, 2, 5, 13, 14].map((offset) => where(offset).state)).toEqual([
          'settled',
          'in flight',
          'settled',
          'gone',
          'settled',
          'not read',
        ]);
      });
      at(1_010, () => {
        expect(where(1)).toMatchObject({ at: 'the sink (1 sink)', attempt: 1, holdsUp: 2, isReleased: false });
        expect(Math.round(where(1).sinceSeconds ?? 0)).toBe(1);
        expect(where(1).message).toBe(
          'kafka:chat/0 offset 1 is in flight, in the sink (1 sink). It was read 1.0 s ago. 2 settled records behind it cannot be ' +
            'committed before it.',
        );
        expect(where(0)).toEqual({
          stream: 'kafka:chat/0',
          offset: 0,
          state: 'committed',
          message: 'kafka:chat/0 offset 0 is committed.',
        });
        const [first] = own.control.positions();
        expect(first).toEqual({ stream: 'kafka:chat/0', logEnd: 14, read: 14, released: 1, acked: 1, committed: 1 });
        own.out[1]?.release();
        expect([where(1).isReleased, [...own.control.positions()][0]?.released]).toEqual([true, 14]);
        own.out[1]?.nack(busy());
        expect(where(1)).toMatchObject({ state: 'not read', attempt: 2 });
      });
      at(1_100, () => {
        expect(where(1)).toMatchObject({ state: 'in flight', attempt: 2, holdsUp: 0 });
        expect(own.control.locate('kafka:chat/7', 1).state).toBe('unknown');
        own.leave();
      });
    }));
});

describe('resetPreview', () => {
  it('says what would be redelivered or skipped, and what to run, and changes nothing', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b', 'c');
      const own = ofKafka('reset-preview', kafka);
      at(10, () => own.ackAll());
      at(1_000, () => {
        kafka.produce('chat', 1, ['d', 'e']);
        const of = (offset: number, ...streams: string[]) =>
          own.control.resetPreview({ offset }, streams.length === 0 ? undefined : streams);
        expect(of(1, 'kafka:chat/0').perStream).toEqual([
          {
            stream: 'kafka:chat/0',
            from: 3,
            to: 1,
            redelivered: 2,
            skipped: 0,
            how: 'kafka-consumer-groups.sh --bootstrap-server … --group g --topic chat:0 --reset-offsets --to-offset 1 --execute',
          },
        ]);
        expect(of(1).message).toMatch(
          /^2 offsets of 2 streams would be redelivered, and 1 skipped\. Nothing was changed/,
        );
        expect(() => of(-1)).toThrow('`to.offset`');
      });
      at(2_000, () => {
        expect(own.control.resetPreview({ offset: 99 }, ['kafka:chat/1']).perStream).toMatchObject([
          { from: 0, to: 2, redelivered: 0, skipped: 2 },
        ]);
        expect(kafka.committed('g', 'chat', 0)).toBe(3);
        own.leave();
      });
    }));

  it('names the command of a ledger, which only goes on', () => {
    const offsetStore = Object.assign(() => of(new Map<string, number>()), { recoveryHint: () => 'x' });
    const partition = { topic: 'chat', partition: 0, stream: 'kafka:chat/0', committed: 5 };
    const how = (offset: number, resumeFrom: OffsetStore) => resetHint(partition, offset, { groupId: 'g', resumeFrom });
    expect(how(7, offsetStore)).toBe('rxflume ledger <root> --stream kafka:chat/0 --skip-to 7');
    expect(how(2, offsetStore)).toMatch(/^The sink's ledger never goes back/);
    expect(how(2, () => of(new Map()))).toBe('Change it in what `resumeFrom` asks.');
  });
});

describe('reset', () => {
  const moving = (own: Pick<ReturnType<typeof ofKafka>, 'control'>, to: ResetTarget, streams?: readonly string[]) => {
    const said: string[] = [];
    own.control.reset(to, streams).subscribe({
      next: ({ message }) => said.push(message),
      error: (error: Error) => said.push(error.message),
    });
    return said;
  };

  it('settles what is in flight, commits the new offset as a member, and is read on from there once resumed', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b', 'c');
      const own = ofKafka('reset-back', kafka);
      at(10, () => own.control.pause());
      let said: string[] = [];
      at(1_000, () => {
        said = moving(own, { offset: 1 }, ['kafka:chat/0']);
      });
      at(2_000, () => {
        expect([said, own.asked.length > 0, own.control.state]).toEqual([[], true, 'paused']);
        own.ackAll();
      });
      at(3_000, () => {
        expect(said).toEqual(['Flow reset-back was moved: kafka:chat/0 to 1.']);
        expect(kafka.commits.map(({ partition, offset }) => `${partition}@${offset}`)).toEqual([
          '0@0',
          '1@0',
          '0@3',
          '0@1',
        ]);
        expect(own.values()).toEqual(['a', 'b', 'c']);
        own.control.resume();
      });
      at(4_000, () => {
        expect(own.values()).toEqual(['a', 'b', 'c', 'b', 'c']);
        for (const delivery of own.out.slice(0, 3)) delivery.ack();
      });
      at(5_000, () => {
        // Acks of the reading before are stale.
        expect(kafka.committed('g', 'chat', 0)).toBe(1);
        own.ackAll();
      });
      at(6_000, () => {
        expect([kafka.committed('g', 'chat', 0), own.ends]).toEqual([3, []]);
        own.leave();
      });
    }));

  it('skips to an offset or a time, never out of the log', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat', 2);
      kafka.produce('chat', 0, ['a', 'b', { value: 'c', timestamp: 5_000 }, { value: 'd', timestamp: 6_000 }]);
      const own = ofKafka('reset-on', kafka, { window: { count: 1 } });
      let said: string[] = [];
      at(10, () => {
        own.control.pause();
        own.ackAll();
      });
      at(6_000, () => {
        own.control.offsetsAt(5_500).subscribe((offsets) => {
          expect(offsets).toEqual(
            new Map([
              ['kafka:chat/0', 3],
              ['kafka:chat/1', 0],
            ]),
          );
          said = moving(own, { offsets });
        });
      });
      at(7_000, () => {
        expect(said).toEqual(['Flow reset-on was moved: kafka:chat/0 to 3, kafka:chat/1 to 0.']);
        // Where that log ends is not known here yet.
        said = moving(own, { offset: 99 }, ['kafka:chat/1']);
      });
      at(7_500, () => {
        expect(said).toEqual(['Cannot move kafka:chat/1: its log has offsets 0 to 0, and not 99.']);
        own.control.resume();
      });
      at(8_000, () => {
        expect(own.values()).toEqual(['a', 'd']);
        own.leave();
      });
    }));

  it('moves the same stream of each source that reads it', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b', 'c');
      const of = (groupId: string) =>
        kafkaSource(kafka, { topics: ['chat'], groupId, commit: { count: 1_000, intervalMs: 100 } });
      const own = held('reset-both', mergeSources([of('g'), of('h')]), new Monitor());
      const committed = () => ['g', 'h'].map((group) => kafka.committed(group, 'chat', 0));
      let said: string[] = [];
      at(10, () => {
        own.ackAll();
        own.control.pause();
      });
      at(1_000, () => {
        expect(committed()).toEqual([3, 3]);
        said = moving(own, { offset: 1 }, ['kafka:chat/0']);
      });
      at(2_000, () => {
        expect([said, committed()]).toEqual([
          ['Flow reset-both was moved: kafka:chat/0 to 1, kafka:chat/0 to 1.'],
          [1, 1],
        ]);
        own.control.resume();
      });
      at(3_000, () => {
        expect(own.values().slice(6)).toEqual(['b', 'c', 'b', 'c']);
        own.leave();
      });
    }));

  it('is denied while the flow runs, and where the position is kept with what is stored', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a');
      const own = ofKafka('reset-denied', kafka);
      const ledger = () => of(new Map([['kafka:chat/0', 0]]));
      const stored = ofKafka('reset-ledger', chatKafka('a'), {
        resumeFrom: Object.assign(ledger, { recoveryHint: () => 'x' }),
      });
      at(10, () => {
        expect(moving(own, { offset: 0 })).toEqual(['Cannot reset flow reset-denied: it is running. Pause it first.']);
        stored.control.pause();
        expect(stored.control.commands).not.toContain('reset');
        expect(moving(stored, { offset: 0 }, ['kafka:chat/0'])).toEqual([
          expect.stringMatching(
            /^Cannot move kafka:chat\/0: its position is kept with what is stored, so records .* stored twice, or never\. The sink's ledger never goes back/,
          ),
        ]);
        own.leave();
        stored.leave();
      });
    }));

  it('gives up where what is in flight is not settled within 30 s, and moves nothing', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b');
      const own = ofKafka('reset-late', kafka);
      let said: string[] = [];
      at(10, () => {
        own.control.pause();
        said = moving(own, { offset: 0 }, ['kafka:chat/0']);
      });
      at(31_000, () => {
        expect(said).toEqual([expect.stringContaining('2 records of it are still in flight after 30 s')]);
        own.ackAll();
      });
      at(32_000, () => {
        expect(kafka.committed('g', 'chat', 0)).toBe(2);
        own.leave();
      });
    }));
});

describe('locate in an operator', () => {
  it('asks those that hold values by themselves', () =>
    inVirtualTime((at) => {
      const kafka = chatKafka('a', 'b', 'c');
      const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'g', monitor: new Monitor() });
      const answers$ = new Subject<string>();
      const subscription = flow(
        'located-in-operators',
        source,
        mapValueAsync((value) => (String(value) === 'c' ? answers$ : of(String(value))), { maxInFlight: 1 }),
        batch<string>({ count: 10, maxWaitMs: 60_000 }),
        nullSink().write(),
      ).subscribe();
      const control = controlOf('located-in-operators') as FlowControl;
      at(100, () => {
        const where = (offset: number) => control.locate('kafka:chat/0', offset).at;
        expect([where(0), where(1), where(2)]).toEqual([
          'operator 2 batch',
          'operator 2 batch',
          'operator 1 mapValueAsync or the sink',
        ]);
        answers$.next('c');
        expect(where(2)).toBe('operator 2 batch');
        subscription.unsubscribe();
      });
    }));
});

describe('a paused flow from RabbitMQ', () => {
  const ofQueue = (name: string, own: MemoryAmqp) => {
    const monitor = new Monitor();
    return held(name, amqpSource(own, { queues: ['q'], prefetch: 4, ack: { count: 1 }, monitor }), monitor);
  };

  it('consumes no more, so that others get the messages; acks what is out on its channel, and consumes on a new one', () =>
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('q');
      own.send('q', ['a', 'b']);
      const paused = ofQueue('paused-queue', own);
      at(10, () => paused.control.pause());
      at(20, () => own.send('q', ['c']));
      at(50_000, () => {
        expect([paused.values(), own.ready('q'), own.unacked('q')]).toEqual([['a', 'b'], ['c'], 2]);
        expect(paused.control.locate('amqp:q', paused.out[0]?.origin.offset ?? 0).state).toBe('in flight');
        paused.ackAll();
      });
      at(50_100, () => {
        expect([own.unacked('q'), own.consumers('q'), paused.monitor.total('rxflume_source_reconnects_total')]).toEqual(
          [0, 0, 0],
        );
        paused.control.resume();
      });
      at(50_200, () => {
        expect([paused.values(), own.settlements.every(({ how }) => how === 'ack')]).toEqual([['a', 'b', 'c'], true]);
        paused.leave();
      });
    }));

  it('that is resumed early asks for what is out first: nothing is redelivered', () =>
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('q');
      own.send('q', ['a']);
      const paused = ofQueue('resumed-early', own);
      at(10, () => paused.control.pause());
      at(20, () => {
        own.send('q', ['b']);
        paused.control.resume();
      });
      at(2_000, () => {
        expect([paused.values(), paused.asked[0]]).toEqual([['a'], 'settle']);
        // Once more, and back: it goes on leaving the one channel.
        paused.control.pause();
        paused.control.resume();
        paused.ackAll();
      });
      at(2_100, () => {
        expect([paused.values(), own.consumers('q')]).toEqual([['a', 'b'], 1]);
        paused.leave();
      });
    }));

  it('waits for what goes back, drains, and does not connect before it is resumed', () =>
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('q');
      own.send('q', ['a']);
      const paused = ofQueue('paused-goes-back', own);
      at(10, () => paused.control.pause());
      at(20, () => paused.out[0]?.nack(busy()));
      at(10_000, () => {
        expect([own.ready('q'), own.consumers('q'), own.settlements.map(({ how }) => how)]).toEqual([
          ['a'],
          0,
          ['requeue'],
        ]);
        own.cut();
      });
      at(20_000, () => {
        expect([own.consumers('q'), paused.ends]).toEqual([0, []]);
        void paused.control.drain();
      });
      at(21_000, () => expect(paused.ends).toEqual(['complete']));
    }));

  it('goes on behind what is acked of a stream', () =>
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('s', 'stream');
      own.send('s', ['a', 'b']);
      const monitor = new Monitor();
      const paused = held(
        'paused-stream',
        amqpStreamSource(own, { queues: ['s'], startAt: 'first', monitor }),
        monitor,
      );
      at(10, () => paused.control.pause());
      at(20, () => {
        own.send('s', ['c']);
        paused.ackAll();
      });
      at(10_000, () => {
        expect([paused.values(), own.consumers('s')]).toEqual([['a', 'b'], 0]);
        paused.control.resume();
      });
      at(10_100, () => {
        expect([paused.values(), [...paused.control.positions()]]).toEqual([
          ['a', 'b', 'c'],
          [{ stream: 'amqp:s', read: 3, released: 2, acked: 2 }],
        ]);
        paused.leave();
      });
    }));
});

describe('a paused flow from Flume', () => {
  it('answers FAILED at once, OK for what was taken before, and takes what comes after it is resumed', () =>
    inVirtualTime((at) => {
      const flume = new MemoryFlume();
      const monitor = new Monitor();
      const paused = held<FlumeEvent>(
        'paused-flume',
        flumeSource(flume.server(), { name: 'f', monitor, window: { count: 1 } }),
        monitor,
      );
      const answers: string[] = [];
      let connection: FlumeConnection | undefined;
      let life = Subscription.EMPTY;
      const send = (name: string) =>
        connection
          ?.append([{ headers: {}, body: Buffer.from(name) }])
          .subscribe((status) => answers.push(`${name} ${status}`));
      at(5, () => {
        life = flume.connect(0).subscribe((made) => (connection = made));
      });
      at(10, () => {
        send('a');
        send('waits');
      });
      at(20, () => paused.control.pause());
      at(30, () => send('b'));
      at(40, () => {
        expect(answers).toEqual(['waits FAILED', 'b FAILED']);
        expect(paused.monitor.total('rxflume_source_no_progress_seconds')).toBe(0);
        paused.ackAll();
      });
      at(50, () => {
        expect(answers).toEqual(['waits FAILED', 'b FAILED', 'a OK']);
        paused.control.resume();
        send('b');
      });
      at(60, () => {
        expect(paused.out.map(({ value }) => String(value.body))).toEqual(['a', 'b']);
        paused.ackAll();
      });
      at(70, () => {
        life.unsubscribe();
        paused.leave();
      });
    }));
});
