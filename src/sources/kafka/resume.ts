import { map, type Observable, of } from 'rxjs';
import { ConnectError, describeError, isRetryable, RxflumeError, SourceError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import type { CheckedOptions } from './options.js';
import { type Partition, streamOf } from './partition.js';

/** Where the ledger says to resume each partition, in their order; without a ledger, undefined. Fails as `lookUpOffsets` does. */
export function resumePoints(
  { resumeFrom, groupId, monitor }: CheckedOptions,
  partitions: readonly TopicPartition[],
): Observable<readonly (ResumePoint | undefined)[]> {
  if (resumeFrom === undefined || partitions.length === 0) return of(partitions.map(() => undefined));
  const streams = partitions.map(streamOf);
  const slow = (message: string) => monitor.logEvent('warn', 'RXF_KAFKA_RESUME', message);
  return lookUpOffsets(() => resumeFrom(streams, { groupId }), streams, 'RXF_KAFKA_RESUME', slow).pipe(
    map((lookup) => streams.map((stream) => ({ resumeFrom, lookup, start: lookup.get(stream) }))),
  );
}

/** Asks where to resume these, and has what is made of them taken. Answers the starts that are known. */
export function startsOf(
  options: CheckedOptions,
  partitions: readonly TopicPartition[],
  make: (of: TopicPartition, resumePoint: ResumePoint | undefined) => Partition,
  take: (ours: readonly Partition[]) => void,
): Observable<readonly PartitionOffset[]> {
  return resumePoints(options, partitions).pipe(
    map((points) => {
      const ours = partitions.map((partition, at) => make(partition, points[at]));
      take(ours);
      const known = ours.filter(({ start }) => start >= 0);
      return known.map(({ topic, partition, start }) => ({ topic, partition, offset: start }));
    }),
  );
}

/** Why an assignment ends the flow: the ledger did not say where to resume. */
export function resumeError(partitions: readonly TopicPartition[], cause: unknown): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_RESUME',
    `Cannot learn where to resume ${partitions.map(streamOf).join(', ')}: ${describeError(cause)}. ` +
      'Nothing was read; the subscription can be tried again.',
    { cause, retryable: isRetryable(cause) },
  );
}

/** What the error of a driver says of a position that a log does not hold. */
interface LostDetails {
  readonly stream?: string;
  /** None where the log is not Kafka's. */
  readonly topic?: string;
  /** None where it is the whole topic. */
  readonly partition?: number;
  readonly expected?: number;
  readonly available?: { readonly first: number };
}

/**
 * Adds to the error of a stream that no longer holds its position what can be done, which depends on where the position
 * came from. Any other error is left as it is.
 */
export function withRecoveryHint(
  error: unknown,
  { resumeFrom, groupId }: Pick<CheckedOptions, 'resumeFrom' | 'groupId'>,
): unknown {
  if (!(error instanceof RxflumeError) || error.code !== 'RXF_KAFKA_DATA_LOST') return error;
  const lost = error.details as LostDetails;
  const { topic, partition = 0, stream = `kafka:${topic}/${partition}`, expected = -1, available } = lost;
  const first = available !== undefined && available.first > expected ? available.first : undefined;
  const hint = resumeFrom?.recoveryHint?.(stream, first) ?? groupHint(lost, groupId, resumeFrom);
  if (hint === undefined) return error;
  return new SourceError(error.code, sentence(error.message, hint), { details: error.details, cause: error });
}

/** What to run so that a partition is resumed at the offset, which depends on where its position is kept. */
export function resetHint(
  { topic, partition, stream, committed }: TopicPartition & { readonly stream: string; readonly committed: number },
  offset: number,
  { resumeFrom, groupId }: Pick<CheckedOptions, 'resumeFrom' | 'groupId'>,
): string {
  // A sink that commits with the group's offsets keeps no others.
  if (resumeFrom === undefined || resumeFrom.commit !== undefined) {
    return (
      `kafka-consumer-groups.sh --bootstrap-server … --group ${groupId} --topic ${topic}:${partition} --reset-offsets --to-offset ` +
      `${offset} --execute`
    );
  }
  if (resumeFrom.recoveryHint === undefined) return 'Change it in what `resumeFrom` asks.';
  if (offset > committed) return `rxflume ledger <root> --stream ${stream} --skip-to ${offset}`;
  return "The sink's ledger never goes back, so that each value stays in one file. To read it again, give the sink another `root`.";
}

function groupHint({ topic, partition }: LostDetails, groupId: string, resumeFrom: OffsetStore | undefined) {
  if (topic === undefined) return undefined;
  if (resumeFrom !== undefined && resumeFrom.commit === undefined)
    return '`resumeFrom` supplied the offset: change it there';
  const where = partition === undefined ? topic : `${topic}:${partition}`;
  return (
    'To resume from the first available record, stop every member and run: kafka-consumer-groups.sh --bootstrap-server … ' +
    `--group ${groupId} --topic ${where} --reset-offsets --to-earliest --execute`
  );
}
