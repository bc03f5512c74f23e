import { expectFunction, expectOption, expectText, expectWhole, withDefaults } from '../../core/options.js';

export interface EmbeddedLogOptions {
  /** Where the log lives; made when missing. One process at a time has it open. */
  readonly folder: string;
  /** Topics that are made, empty, when the log is opened and they are not there. Default none. */
  readonly topics?: readonly string[];
  /** How many partitions a new topic gets; a topic that is there keeps its own. 1 to 1,000. Default 1. */
  readonly partitions?: number;
  /** Answers the time an append is stamped with, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** The defaults of `embeddedLog`. */
export const EMBEDDED_LOG_DEFAULTS = {
  topics: [],
  partitions: 1,
  now: () => Date.now(),
} as const satisfies Partial<EmbeddedLogOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: EmbeddedLogOptions): Required<EmbeddedLogOptions> {
  const options = withDefaults('embeddedLog options', EMBEDDED_LOG_DEFAULTS, given, ['folder']);
  expectText('folder', options.folder);
  expectOption('topics', options.topics, Array.isArray(options.topics), 'a list of topic names');
  for (const topic of options.topics) expectTopic('topics', topic);
  expectWhole('partitions', options.partitions, 1, 1000);
  expectFunction('now', options.now);
  return options;
}

/** A name that Kafka takes for a topic, which is also the name of a folder. */
export function expectTopic(name: string, topic: unknown): void {
  const holds = typeof topic === 'string' && /^[\w-][\w.-]{0,248}$/.test(topic);
  expectOption(name, topic, holds, 'a topic name: 1 to 249 letters, digits, `.`, `_`, `-`, not starting with `.`');
}
