import { delayWhen, timer } from 'rxjs';
import { decode, filterValue, inFlightWindow, mapValue, retryConnect, trusted } from '../../../operators/index.js';
import { flow } from '../../../src/flow/flow.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import { fileSinkBy } from '../../../src/sinks/files/file-sink.js';
import { LEDGER_RULES, type LedgerRules } from '../../../src/sinks/files/ledger/rules.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { BuildCollector } from '../../../src/testing/index.js';
import { USUAL_FAULT_KINDS } from '../../../src/testing/proof/schedule.js';

const names = (letter: string, count: number) => Array.from({ length: count }, (_, n) => `${letter}${n}`);
/** What is collected: two partitions. */
export const CHAT = { chat: [names('a', 12), names('b', 8)] };

/** Old entries go at once, so that a writer that was overtaken finds its name free. */
export const FOLDING: LedgerRules = {
  ...LEDGER_RULES,
  toFold: (listed) => [...listed].sort((a, b) => a - b).slice(0, -1),
};

/** All but `hang`, after which a flow may take the minute that a commit has. */
export const ANSWERED = USUAL_FAULT_KINDS.filter((kind) => kind !== 'hang');

/** A small window, and waits that a proof has time for. */
export const SOURCE_OPTIONS = {
  topics: ['chat'],
  groupId: 'lake',
  window: { count: 8, bytes: 10_000 },
  commit: { count: 5, intervalMs: 30 },
  redeliver: { maxAttempts: 100, firstDelayMs: 10, maxDelayMs: 50 },
  revokeTimeoutMs: 200,
  drainTimeoutMs: 5_000,
};

/** Two buckets, a filter, short rolls: the flow that most people have. */
export function plain(rules: LedgerRules): BuildCollector {
  return ({ kafka, fs, monitor }) => {
    const lake = fileSinkBy<string>(rules, fs, {
      root: '/lake',
      path: (value) => `odd=${Number(value.slice(1)) % 2}`,
      format: jsonLines(),
      roll: { intervalMs: 60, count: 5 },
      chunk: { maxWaitMs: 10 },
      monitor,
    });
    return flow(
      'trial',
      kafkaSource(kafka, { ...SOURCE_OPTIONS, resumeFrom: lake.offsetStore, monitor }).pipe(
        retryConnect({ firstDelayMs: 10, monitor }),
      ),
      mapValue((value) => String(value)),
      filterValue((value) => !value.endsWith('3')),
      inFlightWindow({ count: 6 }),
      lake.write(),
    );
  };
}

/**
 * Values overtake one another between source and sink, each late by what `lateMs` says of its number, and some are set
 * aside in a slower sink of their own.
 */
export function unruly(rules: LedgerRules, lateMs = (n: number) => 1 + ((n * 7) % 4) * 15): BuildCollector {
  return ({ kafka, fs, monitor }) => {
    const lake = fileSinkBy<string>(rules, fs, {
      root: '/lake',
      format: jsonLines(),
      roll: { intervalMs: 60 },
      chunk: { maxWaitMs: 10 },
      monitor,
    });
    const bad = fileSinkBy(rules, fs, { root: '/bad', format: jsonLines(), roll: { intervalMs: 200 }, monitor });
    return flow(
      'unruly',
      kafkaSource(kafka, { ...SOURCE_OPTIONS, resumeFrom: lake.offsetStore, monitor }).pipe(
        retryConnect({ firstDelayMs: 10, monitor }),
      ),
      decode(
        (value: Buffer | null) => {
          if (String(value).endsWith('7')) throw new Error('not a value');
          return String(value);
        },
        { deadLetter: bad.write() },
      ),
      trusted(delayWhen(({ value }) => timer(lateMs(Number(value.charAt(1)))))),
      lake.write(),
    );
  };
}

/** Where the sinks of `unruly` write; of a dead letter, which has the time of its setting aside, the value is compared. */
export const UNRULY = {
  root: '/lake',
  atLeastOnceRoot: '/bad',
  readLines: (bytes: Uint8Array, path: string) => {
    const lines = Buffer.from(bytes).toString().split('\n').filter(Boolean);
    return path.startsWith('/bad/') ? lines.map((line) => (JSON.parse(line) as { value: string }).value) : lines;
  },
};
