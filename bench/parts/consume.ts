import { kcat } from '../contestants/kcat.js';
import { limit, limitDecoding, NODE_FLAGS, plainLoop, rxflumeConsume } from '../contestants/own.js';
import { atLeast, atMost } from '../lab/bars.js';
import {
  type Contestant,
  contest,
  cpuMicroseconds,
  type Job,
  type Measured,
  recordsPerSecond,
} from '../lab/contest.js';
import { Lake } from '../lab/lake.js';
import { chosen, type Part } from '../lab/part.js';
import { ratioOf, rowsOf } from '../lab/rows.js';
import { median } from '../lab/statistics.js';
import { deleteTopic, fillTopic } from '../lab/topics.js';

const VALUE_BYTES = 199;
const PARTITIONS = 4;

/** Reading alone, and what decoding adds to it. */
export const consume: Part = {
  name: 'consume',
  title: 'Consume only',
  async run(bench) {
    const { services, isShort, say } = bench;
    const records = bench.records ?? (isShort ? 600_000 : 3_000_000);
    const rounds = bench.rounds ?? (isShort ? 2 : 5);
    const contestants = chosen(bench, [
      rxflumeConsume(services),
      rxflumeConsume(services, 'rxflume, io-ts', true),
      rxflumeConsume(services, 'rxflume, flags', false, NODE_FLAGS),
      rxflumeConsume(services, 'rxflume, io-ts, flags', true, NODE_FLAGS),
      kcat(services),
      plainLoop(services, false),
      limit(services, false),
      limitDecoding(services),
      limitDecoding(services, 'bare fetch, io-ts, flags', NODE_FLAGS),
    ]);
    const topic = await fillTopic(services.broker, { partitions: PARTITIONS, records, valueBytes: VALUE_BYTES });
    const check = async ({ name }: Contestant, _: Job, measured: Measured) => {
      if (measured.records < records) throw new Error(`${name} read ${measured.records} of ${records} records`);
    };
    try {
      const results = await contest({ contestants, rounds, topic, lake: new Lake(services.hdfsUrl), say, check });
      const cpu = (name: string) => (results.get(name) ?? []).map(cpuMicroseconds);
      const added = (decoding: string, without: string) =>
        cpu(decoding).map((one, at) => one - (cpu(without)[at] as number));
      const times = (ours: readonly number[], alone: readonly number[]) =>
        median(ours.map((one, at) => one / (alone[at] as number)));
      const alone = added('bare fetch, io-ts', 'bare fetch');
      const tuned = added('rxflume, io-ts, flags', 'rxflume, flags');
      return {
        setup:
          `${records} JSON records of ${VALUE_BYTES} bytes, ${PARTITIONS} partitions, uncompressed; ${rounds} rounds. rxflume with one ` +
          'mapValue and one filterValue, into the null sink; the others with nothing. With io-ts, each value is ' +
          'parsed as JSON and decoded by a codec of five fields. ' +
          `Flags: node ${NODE_FLAGS.join(' ')}.`,
        rows: rowsOf(results),
        bars: [
          atLeast('consume only, by kcat', ratioOf(results, 'rxflume', 'kcat (librdkafka)', recordsPerSecond), 1.3),
          atMost(
            'what an io-ts decode adds, by JSON.parse and the codec alone',
            times(added('rxflume, io-ts', 'rxflume'), alone),
            1.1,
          ),
          atMost('the same, with flags for Node', times(tuned, added('bare fetch, io-ts, flags', 'bare fetch')), 1.1),
        ],
      };
    } finally {
      await deleteTopic(services.broker, topic.name);
    }
  },
};
