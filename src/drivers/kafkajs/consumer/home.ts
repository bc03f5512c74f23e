import type { KafkaListener, KafkaSubscription } from '../../../ports/kafka-consumer.js';
import type { DriverLog } from '../driver-log.js';
import type { Setting } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import type { TopicIds } from './topic-ids.js';

/** What a member needs of the connection it lives in. */
export interface Home {
  readonly listener: KafkaListener;
  readonly subscription: KafkaSubscription;
  readonly options: CheckedOptions;
  readonly driverLog: DriverLog;
  readonly setting: Setting;
  readonly hasJoined: boolean;
  /** Of the topics as they were at the last joining, kept over members: positions are too. */
  topicIds: TopicIds;
  /** One higher each time, over all members of the connection. */
  nextEpoch(): number;
  /** It is in the group; nothing was assigned yet. */
  joined(): void;
  /** The stream cannot go on. */
  failed(error: unknown): void;
}
