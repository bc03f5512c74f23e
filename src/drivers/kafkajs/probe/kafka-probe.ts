import type { Observable } from 'rxjs';
import { readHostPort } from '../../../core/address.js';
import { type Fact, type FactOf, type ProbeSetting, probing } from '../../../delivery/probe.js';
import type { KafkaProbed, TopicPartition } from '../../../ports/kafka-consumer.js';
import { DriverLog } from '../driver-log.js';
import { reasonOf, typeOf } from '../errors.js';
import { type CheckedOptions, DEFAULT_BROKER_PORT, secretsOf } from '../options.js';
import type { Internals } from '../vendor/internals.js';
import type { OpenSocket } from '../vendor/sockets.js';
import { keyOf, ProbeLink } from './probe-link.js';
import { type Allowed, isAllowed, type KnownBroker, type KnownTopic, type Operation } from './probe-requests.js';

const ROLE = 'Kafka broker';
/** A probe waits for people, not for a cluster that restarts. */
const CONNECT_WITHIN_MS = 3_000;
const ANSWER_WITHIN_MS = 8_000;
/** The most partitions whose next record is looked at. */
const MAX_READ = 200;
/** A record whose time is further ahead was written by a machine whose clock is wrong, or ours is. */
const AHEAD_MS = 60_000;

type Tell = (fact: Fact) => void;

/**
 * Looks at the brokers, also by the addresses that they advertise, at the topics, and where it reads at the group: what is
 * allowed, what is read next, and how long that will be there. It joins nothing, and writes nothing.
 *
 * Bounds: one batch of records at a time, of at most 200 partitions.
 */
export function kafkaProbe(
  internals: Internals,
  open: OpenSocket,
  given: CheckedOptions,
  probed: KafkaProbed,
  setting: ProbeSetting,
): Observable<Fact> {
  const options = {
    ...given,
    connectTimeoutMs: Math.min(given.connectTimeoutMs, CONNECT_WITHIN_MS),
    requestTimeoutMs: Math.min(given.requestTimeoutMs, ANSWER_WITHIN_MS),
  };
  return probing(async (tell, signal) => {
    const log = new DriverLog({ logEvent: () => undefined }, secretsOf(options));
    const link = new ProbeLink(internals, options, log, open);
    signal.addEventListener('abort', () => link.destroy());
    try {
      await new KafkaLook(link, options, probed, setting, tell).all();
    } finally {
      link.destroy();
    }
  });
}

class KafkaLook {
  readonly #link: ProbeLink;
  readonly #options: CheckedOptions;
  readonly #probed: KafkaProbed;
  readonly #setting: ProbeSetting;
  readonly #tell: Tell;
  readonly #reached = new Set<number>();

  constructor(link: ProbeLink, options: CheckedOptions, probed: KafkaProbed, setting: ProbeSetting, tell: Tell) {
    this.#link = link;
    this.#options = options;
    this.#probed = probed;
    this.#setting = setting;
    this.#tell = tell;
  }

  async all(): Promise<void> {
    const { brokers } = this.#options;
    const { topics } = this.#probed;
    const seeds = await Promise.all(brokers.map((broker) => this.#reachSeed(broker)));
    if (!seeds.some(({ outcome }) => outcome.isReached)) return;
    try {
      await this.#link.connect();
    } catch (error) {
      this.#unknown(`the cluster at ${brokers.join(', ')}`, error, 'Check `sasl`, `tls` and the ACLs of the cluster.');
      return;
    }
    const asked = topics instanceof RegExp ? undefined : topics;
    const known = await this.#link.known(asked).catch((error: unknown) => {
      this.#unknown('the brokers and topics', error, 'Check that the brokers are Kafka 2.3 or later, and their log.');
    });
    if (known === undefined) return;
    const seedsBy = new Set(seeds.map(({ address }) => address));
    await Promise.all(known.brokers.map((broker) => this.#reachAdvertised(broker, seedsBy)));
    if (this.#probed.use === 'write' && known.isBefore3) {
      this.#lookAtRight('write without repeating', 'the cluster', known.allowed, ['IdempotentWrite']);
    }
    const fitting = known.topics.filter((topic) => this.#isAsked(topic));
    if (topics instanceof RegExp && fitting.length === 0) {
      const fix = 'Create a topic that matches, grant `Describe` on it, or change the pattern.';
      this.#tell({ kind: 'right', action: 'find topics', on: String(topics), error: 'none matches', fix });
    }
    const usable = fitting.filter((topic) => this.#lookAtTopic(topic));
    if (this.#probed.use === 'read') await this.#lookAtStreams(usable);
  }

  async #reachSeed(broker: string): Promise<FactOf<'endpoint'>> {
    const { host, port } = readHostPort('brokers', broker, DEFAULT_BROKER_PORT);
    const fix = 'Check that this broker runs, and its host and port in `brokers`.';
    const fact = await this.#setting.reach({ role: ROLE, host, port, tls: this.#tls(host), fix });
    this.#tell(fact);
    return fact;
  }

  /** What a broker says it is reached by is what every client connects to next. */
  async #reachAdvertised({ nodeId, host, port }: KnownBroker, seeds: ReadonlySet<string>): Promise<void> {
    const fix = `Set \`advertised.listeners\` of broker ${nodeId} to an address that this machine reaches, or make ${host} known here (DNS, /etc/hosts, firewall).`;
    const namedBy = `broker ${nodeId} itself (advertised)`;
    const fact = await this.#setting.reach({ role: ROLE, host, port, tls: this.#tls(host), namedBy, fix });
    if (fact.outcome.isReached) this.#reached.add(nodeId);
    if (!fact.outcome.isReached || !seeds.has(fact.address)) this.#tell(fact);
  }

  #tls(host: string): object | undefined {
    return this.#options.tls?.connection(host);
  }

  #isAsked({ topic, isInternal }: KnownTopic): boolean {
    const { topics } = this.#probed;
    if (!(topics instanceof RegExp)) return topics.includes(topic);
    return !isInternal && new RegExp(topics.source, topics.flags.replace(/[gy]/g, '')).test(topic);
  }

  /** Whether it can be used. */
  #lookAtTopic({ topic, errorCode, allowed }: KnownTopic): boolean {
    const isReading = this.#probed.use === 'read';
    const action = isReading ? 'read records' : 'write records';
    const on = `topic ${topic}`;
    if (errorCode !== 0) {
      const error = this.#link.errorOf(errorCode);
      const isMissing = typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
      const create = `Create it: kafka-topics.sh --bootstrap-server ${this.#options.brokers[0]} --create --topic ${topic}`;
      const grant = `Grant \`Describe\` and \`${isReading ? 'Read' : 'Write'}\` on topic ${topic} to this user.`;
      this.#tell({
        kind: 'right',
        action,
        on,
        error: isMissing ? 'it does not exist' : this.#reason(error),
        fix: isMissing ? create : grant,
      });
      return false;
    }
    return this.#lookAtRight(action, on, allowed, ['Describe', isReading ? 'Read' : 'Write']);
  }

  #lookAtRight(action: string, on: string, allowed: Allowed, needed: readonly Operation[]): boolean {
    const lacking = needed.filter((operation) => !isAllowed(allowed, operation));
    const names = needed.map((operation) => `\`${operation}\``).join(' and ');
    const fix = `Grant ${names} on ${on} to this user (kafka-acls.sh --add).`;
    const error = lacking.length === 0 ? {} : { error: `the ACLs do not allow ${lacking.join(' and ')}` };
    this.#tell({ kind: 'right', action, on, ...error, fix });
    return lacking.length === 0;
  }

  async #lookAtStreams(topics: readonly KnownTopic[]): Promise<void> {
    const leaders = new Map<number, TopicPartition[]>();
    for (const { topic, partitions } of topics) {
      for (const { partition, leader } of partitions) {
        if (leader < 0) {
          const fix = `Start the brokers that hold it; see kafka-topics.sh --describe --topic ${topic}.`;
          this.#tell({
            kind: 'right',
            action: 'read records',
            on: `${topic}/${partition}`,
            error: 'it has no leader',
            fix,
          });
        } else if (this.#reached.has(leader)) {
          leaders.set(leader, [...(leaders.get(leader) ?? []), { topic, partition }]);
        }
      }
    }
    const all = [...leaders.values()].flat();
    if (all.length === 0) return;
    try {
      await this.#link.learn(topics.map(({ topic }) => topic));
    } catch (error) {
      this.#unknown('who leads the partitions', error, 'Look into the log of the brokers.');
      return;
    }
    const [next, retention] = await Promise.all([this.#lookAtGroup(all), this.#retentions(topics)]);
    let left = MAX_READ;
    const mayRead = () => {
      left -= 1;
      return left >= 0;
    };
    await Promise.all([...leaders].map(([leader, led]) => this.#lookAtLogs(leader, led, next, retention, mayRead)));
  }

  /** The offsets that the group reads next. */
  async #lookAtGroup(all: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const { groupId } = this.#probed;
    const on = `group ${groupId}`;
    const fix = `Grant \`Read\` and \`Describe\` on ${on} to this user (kafka-acls.sh --add --group).`;
    if (groupId === undefined) return new Map();
    try {
      const { errorCode, members, allowed } = await this.#link.group(groupId);
      if (errorCode !== 0) throw this.#link.errorOf(errorCode);
      const isOurs = this.#lookAtRight('join and commit', on, allowed, ['Read', 'Describe']);
      this.#tell({ kind: 'group', name: groupId, members, streams: all.length });
      return isOurs ? await this.#link.committed(groupId, all) : new Map();
    } catch (error) {
      this.#tell({ kind: 'right', action: 'join and commit', on, error: this.#reason(error), fix });
      return new Map();
    }
  }

  async #retentions(topics: readonly KnownTopic[]): Promise<ReadonlyMap<string, number>> {
    const known = new Map<string, number>();
    for (const { topic } of topics) {
      try {
        const retentionMs = await this.#link.retentionMs(topic);
        if (retentionMs !== undefined) known.set(topic, retentionMs);
      } catch (error) {
        this.#unknown(`how long topic ${topic} keeps records`, error, `Grant \`DescribeConfigs\` on topic ${topic}.`);
      }
    }
    return known;
  }

  async #lookAtLogs(
    leader: number,
    led: readonly TopicPartition[],
    nexts: ReadonlyMap<string, number>,
    retention: ReadonlyMap<string, number>,
    mayRead: () => boolean,
  ): Promise<void> {
    const fix = `Look into the log of broker ${leader}.`;
    try {
      const { first, end, later } = await this.#link.bounds(leader, led, this.#setting.nowMs() + AHEAD_MS);
      for (const one of led) {
        const key = keyOf(one);
        const [from, to, next] = [first.get(key), end.get(key), nexts.get(key)];
        if (from === undefined || to === undefined) continue;
        const retentionMs = retention.get(one.topic);
        const isOld = next !== undefined && next >= from && next < to && retentionMs !== undefined && mayRead();
        const nextWrittenMs = isOld ? await this.#link.writtenMs(leader, { ...one, offset: next }) : undefined;
        const futureFrom = later.get(key);
        this.#tell({ kind: 'stream', stream: key, first: from, end: to, next, nextWrittenMs, retentionMs, futureFrom });
      }
    } catch (error) {
      this.#unknown(`the logs that broker ${leader} leads`, error, fix);
    }
  }

  #reason(error: unknown): string {
    return reasonOf(error, secretsOf(this.#options));
  }

  #unknown(what: string, error: unknown, fix: string): void {
    this.#tell({ kind: 'unknown', what, error: this.#reason(error), fix });
  }
}
