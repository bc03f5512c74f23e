import { describe, expect, it } from '@jest/globals';
import { map, throwError, timer } from 'rxjs';
import { deadLetter, filterValue, inFlightWindow, mapValue, transmit } from '../../../operators/index.js';
import { SinkError } from '../../../src/core/errors.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { MarbleError, type Marbles, marbles } from '../../../src/testing/index.js';
import { parseRow } from '../../../src/testing/marbles/row.js';

function failureOf(draw: (m: Marbles) => void): string {
  try {
    marbles(draw);
  } catch (error) {
    if (error instanceof MarbleError) return error.message;
    throw error;
  }
  throw new Error('nothing was found');
}

const text = mapValue((value: Buffer | null) => String(value));

describe('marbles', () => {
  it('draws values, acks, nacks and releases', () =>
    marbles((m) => {
      const kept$ = m.deliveries('-a-b-c-|').pipe(filterValue((value) => value !== 'b'));
      m.expectObservable(
        kept$.pipe(
          m.sink('---a--X(503)'),
          map(({ target }) => target),
        ),
      ).toBe('---a---|');
      m.expectAcks('  ---(ab)');
      m.expectNacks(' ------c');
      m.expectReleases('-');
    }));

  it('finds a delivery by its character whatever its value has become, and by its value first', () => {
    marbles((m) => {
      const values = { a: { n: 1 }, b: { n: 2 }, c: 'a' };
      const stored$ = m.deliveries<unknown>('abc|', values).pipe(m.sink('---b-aa'));
      m.expectObservable(stored$.pipe(map(({ target }) => target))).toBe('---b-a(a|)');
      m.expectAcks('---b-ca');
    });
    const found = failureOf((m) => {
      m.expectObservable(m.deliveries<unknown>('a', { a: { n: 1 } }).pipe(m.sink('-b'))).toBe('-');
    });
    expect(found).toContain('is to settle b after 1 ms');
  });

  it('draws a Kafka with commits and pauses', () =>
    marbles((m) => {
      const kafka = m.kafka('p0: a-b-c  p1: -d');
      const window = { count: 3 };
      const source$ = kafkaSource(kafka, {
        topics: ['topic'],
        groupId: 'g',
        window,
        commit: { count: 1, intervalMs: 9 },
      });
      m.expectObservable(source$.pipe(text, m.sink('--a---(bd)c')), '----------------!').toBe(
        '--w---(xy)z',
        receipts('wxyz', 'abdc', [0, 1, 0, 2], [0, 0, 1, 0]),
      );
      m.expectCommits({ p0: '--1---2---3', p1: '------1' });
      m.expectPauses({ p0: '-' });
    }));

  it('draws revocation and reassignment', () =>
    marbles((m) => {
      const kafka = m.kafka('p0: a  p1: b  group: ----R---A', { topic: 'chat' });
      const options = { topics: ['chat'], groupId: 'g', revokeTimeoutMs: 1, commit: { count: 1, intervalMs: 5 } };
      const values$ = kafkaSource(kafka, options).pipe(
        text,
        map(({ value }) => value),
      );
      // Not acked before the group took them away: they are redelivered, p0 to us, and p1 when the other has left.
      m.expectObservable(values$, '-------------!').toBe('(ab)-a---(ab)');
    }));

  it('draws files and dead letters', () =>
    marbles((m) => {
      const fs = m.files();
      const lake = fileSink<string>(fs, { root: '/lake', path: 'in', format: jsonLines(), chunk: { maxWaitMs: 1 } });
      const stored$ = m.deliveries('-a-b-c-|').pipe(
        deadLetter(m.deadLetters(3)),
        mapValue((value) => {
          if (value === 'b') throw new Error('no b');
          return value;
        }),
        lake.write(),
      );
      m.expectObservable(stored$.pipe(map(({ values }) => String(values)))).toBe('-------(2|)');
      m.expectDeadLetters('---b');
      m.expectAcks('------b(ac)');
      m.expectReleases('--a---c');
      m.expectFiles({ '/lake/in': ['"a"', '"c"'] });
    }));

  it('shows what was expected and what happened under each other', () => {
    const message = failureOf((m) => {
      const busy = new SinkError('RXF_SINK_WRITE', 'busy');
      m.expectObservable(
        m.deliveries('-a-b-c-|').pipe(
          inFlightWindow({ count: 1 }),
          transmit((value) => (value === 'b' ? throwError(() => busy) : timer(4))),
        ),
      );
      m.expectAcks('-----a-c');
    });
    expect(`\n${message}`).toBe(`
The acks are not as drawn. At 7 ms: expected c, got nothing.
  expected  -----a-c--
  actual    -----a---c
                   ^`);
  });

  it.each([
    [
      'results',
      (m: Marbles) => m.expectObservable(m.deliveries('-a--b|')).toBe('-a-b-|'),
      'The results are not as drawn. At 3 ms: expected b, got nothing.\n  expected  -a-b-|\n  actual    -a--b|\n               ^',
    ],
    [
      'values that are no characters, with a legend',
      (m: Marbles) => m.expectObservable(m.cold('-a|', { a: { n: 1 } })).toBe('-a|', { a: { n: 2 } }),
      'The results are not as drawn. At 1 ms: expected B, got A.\n  expected  -B|\n  actual    -A|\n             ^\n  A = {"n":1}\n  B = {"n":2}',
    ],
    [
      'errors',
      (m: Marbles) => m.expectObservable(m.cold('-#', {}, new Error('lost'))).toBe('-|'),
      'The results are not as drawn. At 1 ms: expected |, got #.\n  expected  -|\n  actual    -#\n             ^\n  # = lost',
    ],
    [
      'groups and long times',
      (m: Marbles) => {
        m.deliveries('(ab)').subscribe((one) => one.ack());
        m.expectAcks('a 99ms b');
      },
      'The acks are not as drawn. At 0 ms: expected a, got a, b.\n  expected  a--- 99ms b\n  actual    (ab) 99ms -\n            ^',
    ],
    [
      'files',
      (m: Marbles) => {
        m.files();
        m.expectFiles({ '/lake': ['a'] });
      },
      'The files are not as expected.\n  expected\n    /lake: a\n  actual\n    nothing',
    ],
    [
      'what is not there: Kafka',
      (m: Marbles) => m.expectCommits('-'),
      'There is no m.kafka(…) whose commits could be looked at.',
    ],
    ['what is not there: files', (m: Marbles) => m.expectFiles({}), 'There are no m.files() that could be looked at.'],
  ])('finds wrong %s', (_, draw, message) => {
    expect(failureOf(draw as never)).toBe(message);
  });

  it('finds a sink that is to settle what is not there', () => {
    expect(failureOf((m) => m.expectObservable(m.deliveries('--a-|').pipe(m.sink('-a'))).toBe('-'))).toContain(
      '# = The sink `-a` is to settle a after 1 ms, and holds nothing',
    );
  });

  it('finds wrong subscriptions', () => {
    const message = failureOf((m) => {
      const source = m.cold('-a|');
      m.expectObservable(source).toBe('-a|');
      m.expectSubscriptions(source.subscriptions).toBe('^-');
    });
    expect(message).toContain('The subscriptions are not as drawn.');
  });

  it('rejects a diagram that is none', () => {
    expect(() => marbles((m) => m.kafka('a-b'))).toThrow('without a gap, got `a-b`; `p0` is missing');
    expect(() => marbles((m) => m.kafka('p0: a p2: b'))).toThrow('`p1` is missing');
    expect(() => marbles((m) => m.expectAcks('-(a'))).toThrow('Expected a row of marbles, got `-(a`: see (a');
    expect(() => marbles(1 as never)).toThrow('Expected `draw` to be a function');
  });
});

describe('parseRow', () => {
  it.each([
    ['', []],
    ['--', []],
    [
      '-a-b|',
      [
        [1, 'a'],
        [3, 'b'],
        [4, '|'],
      ],
    ],
    [
      '(ab)c',
      [
        [0, 'a'],
        [0, 'b'],
        [4, 'c'],
      ],
    ],
    [
      'a 10ms b',
      [
        [0, 'a'],
        [11, 'b'],
      ],
    ],
    [
      '1s a 0.5s b',
      [
        [1_000, 'a'],
        [1_501, 'b'],
      ],
    ],
    [
      '-X(503)-b',
      [
        [1, 'X'],
        [3, 'b'],
      ],
    ],
    ['X', [[0, 'X']]],
  ])('reads %s', (row, marks) => {
    expect(parseRow(row).map(({ frame, label }) => [frame, label])).toEqual(marks);
  });
});

function receipts(labels: string, targets: string, offsets: number[], partitions: number[]) {
  return Object.fromEntries(
    [...labels].map((label, at) => {
      const [offset, partition] = [offsets[at] as number, partitions[at] as number];
      const range = { stream: `kafka:topic/${partition}`, firstOffset: offset, lastOffset: offset };
      return [label, { sink: 'marbles', target: targets[at], values: 1, bytes: 1, ...range }];
    }),
  );
}
