import { describe, expect, it } from '@jest/globals';
import { map } from 'rxjs';
import { deadLetter, filterValue, mapValue, retryConnect, tee } from '../../operators/index.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { flow } from '../../src/flow/flow.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { type FileSink, fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { type BuildCollector, proveExactlyOnce } from '../../src/testing/index.js';

const INPUT = { chat: [['a0', 'a1', 'a2'], ['b0']] };

type Given = Parameters<BuildCollector>[0];

function lakeIn(fs: Given['fs'], monitor: Given['monitor']) {
  const roll = { intervalMs: 60 };
  return fileSink<string>(fs, { root: '/lake', format: jsonLines(), roll, chunk: { maxWaitMs: 10 }, monitor });
}

/** The topic, read again from the ledger of the sink. */
function chatInto(lake: FileSink<string>, kafka: Given['kafka'], monitor: Given['monitor']) {
  const options = {
    topics: ['chat'],
    groupId: 'lake',
    window: { count: 8, bytes: 10_000 },
    redeliver: { maxAttempts: 100, firstDelayMs: 10, maxDelayMs: 50 },
    resumeFrom: lake.offsetStore,
    revokeTimeoutMs: 200,
    monitor,
  };
  return kafkaSource(kafka, options).pipe(retryConnect({ firstDelayMs: 10, monitor }));
}

describe('a ledger stays exact behind', () => {
  it('tee, as one of its sinks, and nothing is lost for the other', () => {
    const build: BuildCollector = ({ kafka, fs, monitor }) => {
      const lake = lakeIn(fs, monitor);
      const copy = fileSink<string>(fs, { root: '/copy', format: jsonLines(), roll: { intervalMs: 170 }, monitor });
      return flow(
        'trial',
        chatInto(lake, kafka, monitor),
        mapValue((value) => String(value)),
        tee({ lake: lake.write(), copy: copy.write() }),
      );
    };
    const options = {
      root: '/lake',
      atLeastOnceRoot: '/copy',
      singleFaults: 'none',
      schedules: 400,
      seed: 8,
    } as const;
    expect(proveExactlyOnce(build, INPUT, options)).toMatchObject({ lines: 8 });
  });

  it('deadLetter, and no letter is lost', () => {
    const build: BuildCollector = ({ kafka, fs, monitor }) => {
      const lake = lakeIn(fs, monitor);
      const bad = fileSink<DeadLetter>(fs, { root: '/bad', format: jsonLines(), roll: { intervalMs: 170 }, monitor });
      const steady = map((letter: Delivery<DeadLetter>) => letter.with({ ...letter.value, setAsideAt: '' }));
      return flow(
        'trial',
        chatInto(lake, kafka, monitor),
        deadLetter((deliveries) => bad.write()(deliveries.pipe(steady))),
        mapValue((value) => {
          if (String(value).endsWith('2')) throw new Error('no twos');
          return String(value);
        }),
        filterValue((value) => !value.endsWith('1')),
        lake.write(),
      );
    };
    const report = proveExactlyOnce(build, INPUT, {
      root: '/lake',
      atLeastOnceRoot: '/bad',
      singleFaults: 'none',
      schedules: 400,
      seed: 9,
    });
    expect(report).toMatchObject({ lines: 3 });
  });
});
