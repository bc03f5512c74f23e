import { map, of, tap } from 'rxjs';
import { Monitor } from '../../core/monitor.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { SourceRehearsal } from '../../delivery/rehearsal.js';
import type { Source } from '../../delivery/source.js';
import type { KafkaConsumer, KafkaDriver } from '../../ports/kafka-consumer.js';
import { LogSection } from './log-section.js';
import type { CheckedOptions, KafkaSourceOptions } from './options.js';

/** How a plan reads a sample: by the same source, in another group, without commits. `make` is the source itself. */
export function rehearsalOf(
  driver: KafkaDriver,
  { window, maxUnacked, maxPartitionBytes }: CheckedOptions,
  options: KafkaSourceOptions,
  make: (driver: KafkaDriver, options: KafkaSourceOptions) => Source<Delivery<unknown>>,
): SourceRehearsal {
  return {
    windowBytes: window.bytes,
    maxUnacked,
    maxPartitionBytes,
    source: (name, offset) => {
      const { resumeFrom: _, ...own } = options;
      const resumeFrom = (streams: readonly string[]) =>
        of(new Map(streams.map((stream) => [stream, offset as number])));
      return make(withoutCommits(driver), {
        ...own,
        groupId: `${options.groupId}-${name}`,
        startAt: 'earliest',
        monitor: new Monitor(),
        ...(offset === undefined ? {} : { resumeFrom }),
      });
    },
    section: (asked) => {
      const { name, offsetStore, windowCount, monitor } = asked;
      const section = new LogSection(asked);
      // A static member of another group would be another process of it.
      const { groupInstanceId: _, ...own } = options;
      const source = make(section.driver(driver), {
        ...own,
        groupId: `${options.groupId}-${name}`,
        resumeFrom: offsetStore,
        ...(windowCount !== undefined && {
          window: { ...window, count: Math.min(window.count, windowCount) },
        }),
        ...(monitor && { monitor }),
      });
      const emitted = ({ origin }: Delivery<unknown>) => section.emitted(origin);
      return { source: source.through((values) => values.pipe(tap(emitted))), reached$: section.reached$ };
    },
  };
}

/** The same driver, whose members answer that they have committed, and commit nothing. */
function withoutCommits(driver: KafkaDriver): KafkaDriver {
  const { name, addresses, rebalanceTimeoutMs } = driver;
  return {
    name,
    ...(addresses && { addresses }),
    ...(rebalanceTimeoutMs !== undefined && { rebalanceTimeoutMs }),
    connect: (subscription, listener) => driver.connect(subscription, listener).pipe(map(uncommitted)),
  };
}

function uncommitted(consumer: KafkaConsumer): KafkaConsumer {
  const { describeLogs } = consumer;
  return {
    pause: (partitions) => consumer.pause(partitions),
    resume: (partitions) => consumer.resume(partitions),
    seek: (position) => consumer.seek(position),
    commit: () => of(undefined),
    ...(describeLogs && { describeLogs: (partitions) => describeLogs.call(consumer, partitions) }),
    close: () => consumer.close(),
  };
}
