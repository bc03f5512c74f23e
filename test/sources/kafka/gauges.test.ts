import { describe, expect, it } from '@jest/globals';
import { from, ignoreElements, Observable, throwError } from 'rxjs';
import { retryConnect, trusted } from '../../../operators/index.js';
import { timeOfDayMs } from '../../../src/core/clock.js';
import { ConnectError, SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { flow } from '../../../src/flow/flow.js';
import type { KafkaConsumer, KafkaDriver, LogFacts } from '../../../src/ports/kafka-consumer.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

function run(kafka: KafkaDriver, given: Partial<KafkaSourceOptions> = {}) {
  const monitor = new Monitor();
  const options = { topics: ['chat'], groupId: 'lake', commit: { intervalMs: 100 }, monitor, ...given };
  return Object.assign(new SourceRun(kafkaSource(kafka, options)), { monitor, ...readerOf(monitor) });
}

function readerOf(monitor: Monitor) {
  /** The values of a metric, by stream where it has one; sorted by that. */
  const read = (name: string): number[] =>
    monitor
      .samples()
      .filter((sample) => sample.name === `rxflume_source_${name}`)
      .sort((a, b) => String(a.labels.stream).localeCompare(String(b.labels.stream)))
      .map(({ value }) => value);
  return { read };
}

function chat(partitions = 1): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', partitions);
  return kafka;
}

/** Records whose time is so long ago, in milliseconds. */
const aged = (...ages: number[]) => ages.map((age) => ({ value: 'x', timestamp: timeOfDayMs() - age }));

/** The same broker, whose answers about its logs are changed. */
function describing(kafka: MemoryKafka, change: (facts: readonly LogFacts[]) => KafkaConsumer['describeLogs']) {
  const driver: KafkaDriver = {
    name: kafka.name,
    connect: (subscription, listener) =>
      new Observable((subscriber) =>
        kafka.connect(subscription, listener).subscribe({
          next: (consumer) => {
            const describeLogs: KafkaConsumer['describeLogs'] = (of) => {
              let facts: readonly LogFacts[] = [];
              from(consumer.describeLogs?.(of) ?? []).subscribe((all) => {
                facts = all;
              });
              return change(facts)?.(of) ?? [];
            };
            subscriber.next(Object.assign(Object.create(consumer) as KafkaConsumer, bound(consumer), { describeLogs }));
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      ),
  };
  return driver;
}

function bound(consumer: KafkaConsumer): Partial<KafkaConsumer> {
  return {
    pause: (of) => consumer.pause(of),
    resume: (of) => consumer.resume(of),
    seek: (to) => consumer.seek(to),
    commit: (epoch, offsets) => consumer.commit(epoch, offsets),
    close: () => consumer.close(),
  };
}

describe('the gauges of a Kafka source', () => {
  it('show how far reading and committing are behind the end of the log while nothing is acked', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.produce('chat', 0, aged(0, 0, 0));
      const seen = run(kafka, { window: { count: 2 } });
      at(50, () => {
        expect(seen.seen).toHaveLength(2);
        expect(seen.read('log_end_offset')).toEqual([3]);
        expect(seen.read('read_offset')).toEqual([2]);
        expect(seen.read('backlog_records')).toEqual([1]);
        expect(seen.read('committed_lag_records')).toEqual([3]);
        expect(seen.read('in_flight_records')).toEqual([2]);
        expect(seen.monitor.total('rxflume_source_emitted_records_total')).toBe(2);
        seen.seen[0]?.ack();
      });
      at(300, () => {
        expect([seen.read('acked_offset'), seen.read('committed_offset')]).toEqual([[1], [1]]);
        expect([seen.read('backlog_records'), seen.read('committed_lag_records')]).toEqual([[0], [2]]);
        expect(seen.monitor.total('rxflume_source_released_records_total')).toBe(1);
        seen.leave();
      });
    }));

  it('follow the end of the log while the sink hangs and the partition is paused', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.produce('chat', 0, aged(0, 0, 0));
      const seen = run(kafka, { window: { count: 1 } });
      at(50, () => expect(seen.read('backlog_records')).toEqual([2]));
      at(1_000, () => kafka.produce('chat', 0, aged(0, 0, 0, 0)));
      at(20_000, () => {
        // The first reading asks, the next one has the answer.
        seen.read('backlog_records');
        expect(seen.read('backlog_records')).toEqual([6]);
        expect(seen.read('committed_lag_records')).toEqual([7]);
        seen.leave();
      });
    }));

  it('leave out the end of a paused log once the broker does not answer', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      kafka.produce('chat', 0, aged(0, 0, 0));
      let isAway = false;
      const driver = describing(kafka, (facts) => () => (isAway ? throwError(() => new Error('away')) : [facts]));
      const seen = run(driver, { window: { count: 2 } });
      at(50, () => expect(seen.read('backlog_records')).toEqual([1, 0]));
      at(10_000, () => {
        isAway = true;
        seen.read('backlog_records');
        expect([seen.read('backlog_records'), seen.read('committed_lag_records')]).toEqual([[0], [0]]);
        isAway = false;
      });
      at(20_000, () => {
        seen.read('backlog_records');
        expect(seen.read('backlog_records')).toEqual([1, 0]);
        seen.leave();
      });
    }));

  it('show when the oldest unsettled record was made, and nothing once all is settled', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      kafka.produce('chat', 0, [
        { value: 'a', timestamp: 10_000 },
        { value: 'b', timestamp: 20_000 },
      ]);
      const made = () => seen.read('oldest_unsettled_timestamp_seconds');
      let seen: ReturnType<typeof run>;
      at(70_000, () => {
        seen = run(kafka);
      });
      at(70_100, () => {
        expect(made()).toEqual([10]);
        // Not in order: the first is still unsettled.
        seen.seen[1]?.ack();
        expect(made()).toEqual([10]);
        seen.seen[0]?.ack();
        expect(made()).toEqual([]);
        const ages = seen.monitor.samples().find(({ name }) => name === 'rxflume_source_age_seconds')?.histogram;
        // Both are of one fetch, so they have the age of its first.
        expect([ages?.count, ages?.sum]).toEqual([2, 120.2]);
      });
      at(70_200, () => kafka.produce('chat', 1, [{ value: 'c', timestamp: 3_600_000 }]));
      at(70_300, () => {
        // A time to come is no age.
        expect(made()[0]).toBeCloseTo(70.2, 1);
        seen.leave();
      });
    }));

  it('keep the age of a record that was nacked until it is acked', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.produce('chat', 0, [{ value: 'a', timestamp: 1_000 }]);
      const made = () => seen.read('oldest_unsettled_timestamp_seconds');
      let seen: ReturnType<typeof run>;
      at(70_000, () => {
        seen = run(kafka, { redeliver: { firstDelayMs: 1_000 } });
      });
      at(70_050, () => seen.seen[0]?.nack(new SinkError('RXF_SINK_WRITE', 'away', { retryable: true })));
      at(70_500, () => expect(made()).toEqual([1]));
      // Read again, and not here yet.
      at(71_050, () => expect([seen.seen.length, made()]).toEqual([1, [1]]));
      at(72_000, () => {
        seen.seen[1]?.ack();
        expect(made()).toEqual([]);
        seen.leave();
      });
    }));

  it('say how long it is until retention deletes what is not settled, where the driver knows that', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      kafka.produce('chat', 0, [{ value: 'a', timestamp: 10_000 }]);
      const driver = describing(kafka, (facts) => () => [facts.map((one) => ({ ...one, retentionMs: 90_000 }))]);
      let seen: ReturnType<typeof run>;
      const headroom = () => seen.read('retention_headroom_seconds');
      at(70_000, () => {
        seen = run(driver);
      });
      at(70_100, () => {
        headroom();
        expect(headroom()).toEqual([29.9]);
      });
      at(110_000, () => {
        expect(headroom()).toEqual([0]);
        seen.seen[0]?.ack();
        expect(headroom()).toEqual([]);
        seen.leave();
      });
    }));

  it('count the seconds without progress only while there is a backlog', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.produce('chat', 0, aged(0, 0));
      const seen = run(kafka, { window: { count: 1 } });
      const readAt = (ms: number, expected: number) =>
        at(ms, () => expect(seen.read('no_progress_seconds')[0]).toBeCloseTo(expected, 3));
      readAt(100, 0);
      readAt(12_100, 12);
      at(12_200, () => seen.seen[0]?.ack());
      readAt(12_300, 0);
      // All is read: what is unsettled waits for its file, say.
      readAt(60_000, 0);
      at(60_100, () => {
        expect(seen.monitor.total('rxflume_source_window_closed_seconds_total')).toBeGreaterThan(60);
        seen.leave();
      });
    }));

  it('take reading again after a nack for no progress', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.produce('chat', 0, aged(0, 0));
      const seen = run(kafka, { window: { count: 1 }, redeliver: { firstDelayMs: 100, maxDelayMs: 100 } });
      seen.onNext = (delivery) => {
        at(900, () => delivery.nack(new SinkError('RXF_SINK_WRITE', 'away', { retryable: true })));
      };
      at(500, () => seen.read('no_progress_seconds'));
      at(8_500, () => {
        expect(seen.seen.length).toBeGreaterThan(5);
        expect(seen.read('no_progress_seconds')).toEqual([8]);
        seen.leave();
      });
    }));

  it('are gone with the partitions and with the subscription', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      kafka.produce('chat', 0, aged(0));
      const seen = run(kafka, { revokeTimeoutMs: 100 });
      const other = { leave: () => {} };
      const streams = () => new Set(seen.monitor.samples().flatMap(({ labels }) => labels.stream ?? []));
      at(50, () => expect([...streams()].sort()).toEqual(['kafka:chat/0', 'kafka:chat/1']));
      at(60, () => {
        other.leave = run(kafka, { revokeTimeoutMs: 100 }).leave;
      });
      at(1_000, () => {
        expect(streams().size).toBe(1);
        expect(seen.monitor.total('rxflume_source_rebalances_total')).toBe(1);
        other.leave();
        seen.leave();
        expect([...streams(), ...seen.read('in_flight_records'), ...seen.read('no_progress_seconds')]).toEqual([]);
        expect(seen.monitor.total('rxflume_source_emitted_records_total')).toBeGreaterThan(0);
      });
    }));

  it('have the name of the flow, also on a second connection', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.produce('chat', 0, aged(0));
      const monitor = new Monitor();
      kafka.connectErrors.push(new ConnectError('RXF_KAFKA_UNREACHABLE', 'away'));
      const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'lake', monitor });
      const running = flow(
        'named',
        source.pipe(retryConnect({ firstDelayMs: 10, monitor })),
        trusted(ignoreElements()) as never,
      ).subscribe();
      const flows = () => new Set(monitor.samples().map(({ labels }) => labels.flow));
      at(500, () => {
        expect(monitor.total('rxflume_connect_retries_total')).toBe(1);
        expect([...flows()]).toEqual(['named']);
        running.unsubscribe();
      });
    }));
});
