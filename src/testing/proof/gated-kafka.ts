import { from, Observable, type ObservableInput, Subscription, timer } from 'rxjs';
import { CommitError, ConnectError } from '../../core/errors.js';
import type {
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { call, type Steps, through } from './call.js';
import type { Collector, Connection } from './collector.js';
import type { FaultInjector } from './fault-injector.js';

/** How long a connect takes to fail. */
const ERROR_AFTER_MS = 1;

/** What is watched of the group while it is used. */
export interface GroupWatch {
  /** The collector is a member from now on. */
  joined(collector: Collector, groupId: string): void;
  /** The broker has carried out what it was asked to commit. */
  committed(): void;
}

/** Kafka as one collector reaches it: connects, commits, leavings and all that the driver hands over are steps. */
export function gatedKafka(kafka: KafkaDriver, recorder: GroupWatch, steps: Steps, collector: Collector): KafkaDriver {
  const { gate } = collector;
  return {
    name: kafka.name,
    connect: (subscription, listener) =>
      new Observable((subscriber) => {
        const connection: Connection = { subscription: new Subscription(), consumer: undefined };
        const { groupId } = subscription;
        const connect = (strike: FaultInjector) => {
          if (subscriber.closed) return;
          strike.hold();
          collector.connections.add(connection);
          connection.subscription.add(() => collector.connections.delete(connection));
          connection.subscription.add(
            kafka.connect(subscription, gatedListener(listener, steps, collector)).subscribe({
              next: (consumer) => {
                connection.consumer = consumer;
                recorder.joined(collector, groupId);
                gate.pass(() => subscriber.next(gatedConsumer(consumer, groupId, recorder, steps, collector)));
              },
              error: (error: unknown) => gate.pass(() => subscriber.error(error)),
              complete: () => gate.pass(() => subscriber.complete()),
            }),
          );
          strike.after();
        };
        const reject = () => gate.pass(() => subscriber.error(unreachable(groupId)));
        gate.pass(() => {
          if (subscriber.closed) return;
          const strike = steps.next(collector, 'connect', `connect as ${groupId}`);
          if (strike.fate === 'fail') connection.subscription.add(timer(ERROR_AFTER_MS).subscribe(reject));
          else strike.before(() => gate.pass(() => connect(strike)));
        });
        return () => gate.pass(() => connection.subscription.unsubscribe());
      }),
  };
}

function gatedConsumer(
  consumer: KafkaConsumer,
  groupId: string,
  recorder: GroupWatch,
  steps: Steps,
  collector: Collector,
): KafkaConsumer {
  const { gate } = collector;
  return {
    pause: (partitions) => gate.pass(() => consumer.pause(partitions)),
    resume: (partitions) => gate.pass(() => consumer.resume(partitions)),
    seek: (position) => gate.pass(() => consumer.seek(position)),
    commit: (epoch, offsets) =>
      call(steps, collector, {
        verb: 'commit',
        words: `commit ${shown(offsets)}`,
        carryOut: () =>
          new Observable((subscriber) =>
            from(consumer.commit(epoch, offsets)).subscribe({
              error: (error: unknown) => subscriber.error(error),
              complete: () => {
                recorder.committed();
                subscriber.complete();
              },
            }),
          ),
        failure: (words) => new CommitError('RXF_KAFKA_COMMIT', `No answer to ${words}.`),
      }),
    close: () =>
      call(steps, collector, {
        verb: 'leave',
        words: `leave ${groupId}`,
        carryOut: () => consumer.close(),
        failure: (words) => new ConnectError('RXF_KAFKA_LOST', `No answer to ${words}.`),
      }),
  };
}

function gatedListener(listener: KafkaListener, steps: Steps, collector: Collector): KafkaListener {
  const { gate } = collector;
  const ask = <T>(verb: 'assigned' | 'began' | 'revoking', words: string, question: () => ObservableInput<T>) =>
    new Observable<T>((subscriber) => {
      const answer = new Subscription();
      gate.hear(() => {
        if (subscriber.closed) return;
        steps.next(collector, verb, words).around(() => {
          answer.add(from(question()).subscribe(through(gate, subscriber)));
        });
      });
      return () => gate.pass(() => answer.unsubscribe());
    });
  return {
    assigned: (epoch, partitions) => {
      const words = `assigned in epoch ${epoch}: ${shown(partitions)}`;
      return ask('assigned', words, () => listener.assigned(epoch, partitions));
    },
    began: (epoch, starts) =>
      ask('began', `began in epoch ${epoch}: ${shown(starts)}`, () => listener.began(epoch, starts)),
    revoking: () => ask('revoking', 'revoking', () => listener.revoking()),
    lost: () => gate.pass(() => listener.lost()),
    records: (batch) =>
      gate.pass(() => {
        const [first] = batch.records;
        const words = `records ${batch.topic}/${batch.partition} ${first?.offset ?? '-'} to ${batch.nextOffset - 1}`;
        steps.next(collector, 'records', words).around(() => listener.records(batch));
      }),
    reading: (isReading) => gate.pass(() => listener.reading(isReading)),
    logEvent: (level, what, message) => gate.pass(() => listener.logEvent(level, what, message)),
  };
}

function shown(partitions: readonly (TopicPartition & Partial<PartitionOffset>)[]): string {
  return partitions.map(({ topic, partition, offset = '' }) => `${topic}/${partition} ${offset}`.trimEnd()).join(', ');
}

function unreachable(groupId: string): ConnectError {
  return new ConnectError('RXF_KAFKA_UNREACHABLE', `Cannot connect as ${groupId}: no answer.`);
}
