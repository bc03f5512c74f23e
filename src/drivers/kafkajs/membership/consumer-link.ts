import type { CommittedOffset, KafkaSubscription, TopicPartition } from '../../../ports/kafka-consumer.js';
import { type Offsets, type Rejected, takenApart } from '../consumer/offsets.js';
import type { DriverLog } from '../driver-log.js';
import { reasonOf } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import { groupRequest } from '../probe/probe-requests.js';
import type { Internals } from '../vendor/internals.js';
import { Link, type Membership } from '../vendor/link.js';
import type { OpenSocket } from '../vendor/sockets.js';
import { featuresRequest } from './features-frame.js';
import {
  CONSUMER_GROUP_HEARTBEAT,
  type Heartbeat,
  type HeartbeatAnswer,
  heartbeatRequest,
  PATTERN_VERSION,
} from './heartbeat-frame.js';
import { type Asking, offsetCommitRequest, offsetFetchRequest } from './offset-frames.js';

/** The feature by which a cluster says that it speaks the consumer protocol. */
const GROUP_VERSION = 'group.version';

/** A link whose member speaks the consumer protocol: requests with an epoch in the place of a generation. */
export class ConsumerLink extends Link {
  /** Who asks for offsets: the member once it is in the group. */
  #asking: Omit<Asking, 'groupId'> = { memberId: null, epoch: -1 };

  constructor(
    internals: Internals,
    options: CheckedOptions,
    subscription: KafkaSubscription,
    driverLog: DriverLog,
    open: OpenSocket,
  ) {
    super(internals, options, subscription, driverLog, open, null);
  }

  /** From now on it asks as that member. */
  set asking(asking: Omit<Asking, 'groupId'>) {
    this.#asking = asking;
  }

  /** Whether the broker resolves patterns. */
  get canMatch(): boolean {
    return this.#heartbeatVersion >= PATTERN_VERSION;
  }

  get #heartbeatVersion(): number {
    return Math.min(PATTERN_VERSION, this.coordinator().versions[CONSUMER_GROUP_HEARTBEAT]?.maxVersion ?? -1);
  }

  /** Why the cluster does not speak the consumer protocol; undefined where it does. */
  async whyNotOffered(): Promise<string | undefined> {
    await this.findCoordinator();
    const { connectionPool } = this.coordinator();
    if (this.#heartbeatVersion < 0) return 'the brokers do not offer it';
    const features = await connectionPool.send(featuresRequest(this.internals));
    const level = features.get(GROUP_VERSION) ?? 0;
    return level >= 1 ? undefined : `the cluster has not switched it on (${GROUP_VERSION} is ${level})`;
  }

  /** How many members of the classic protocol the group has. */
  async classicMembers(): Promise<number> {
    const { groupId } = this.subscription;
    const { errorCode, members } = await this.coordinator().connectionPool.send(groupRequest(this.internals, groupId));
    if (errorCode !== 0) throw this.errorOf(errorCode);
    return members;
  }

  async beat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    const request = heartbeatRequest(this.internals, this.#heartbeatVersion, beat);
    const answer = await this.coordinator().connectionPool.send(request);
    if (answer.errorCode === 0) return answer;
    const error = this.errorOf(answer.errorCode);
    if (answer.errorMessage) error.message = `${reasonOf(error)} (${answer.errorMessage})`;
    throw error;
  }

  override async committed(partitions: readonly TopicPartition[]): Promise<Offsets> {
    const asking = { ...this.#asking, groupId: this.subscription.groupId };
    const request = offsetFetchRequest(this.internals, asking, partitions);
    const { errorCode, responses } = await this.coordinator().connectionPool.send(request);
    if (errorCode !== 0) throw this.errorOf(errorCode);
    const { offsets, rejected } = takenApart(responses, this.errorOf);
    return { offsets: offsets.filter(({ offset }) => offset >= 0), rejected };
  }

  override async commit(
    { generationId: epoch, memberId }: Omit<Membership, 'partitions'>,
    offsets: readonly CommittedOffset[],
  ): Promise<readonly Rejected[]> {
    const { groupId, groupInstanceId = null } = this.subscription;
    const asking = { groupId, memberId, epoch };
    const request = offsetCommitRequest(this.internals, asking, groupInstanceId, offsets);
    const responses = await this.coordinator().connectionPool.send(request);
    return takenApart(responses, this.errorOf).rejected;
  }
}
