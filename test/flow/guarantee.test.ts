import { describe, expect, it } from '@jest/globals';
import { map, NEVER } from 'rxjs';
import {
  batch,
  decode,
  drainOn,
  failover,
  mapValue,
  retryConnect,
  routeBy,
  tee,
  transmit,
  trusted,
} from '../../operators/index.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import type { SourceTraits } from '../../src/delivery/traits.js';
import { flow } from '../../src/flow/flow.js';
import { guaranteeOf, type OperatorPart, operatorPart } from '../../src/flow/guarantee.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import type { OffsetStore } from '../../src/offsets/offset-store.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';

const offsetStore: OffsetStore = () => [new Map()];
const others: OffsetStore = () => [new Map()];
const ledger = { offsetStore, at: 'memory /lake' };
const kafka = { name: 'kafkaSource', isReplayable: true };

describe('guaranteeOf', () => {
  it('is exactly once where a source that can be read again resumes from the very sink the flow ends in', () => {
    expect(guaranteeOf({ source: { ...kafka, resumeFrom: offsetStore }, ledger })).toEqual({
      level: 'exactly-once',
      because: [
        'kafkaSource can be read again, and resumes from the ledger of the sink the flow ends in (memory /lake)',
        'dead letters, where `decode` sets any aside, are at least once',
      ],
    });
  });

  it.each<[string, readonly OperatorPart[], RegExp]>([
    [
      'an operator that joins streams',
      [{ name: 'mapValue', ledger: 'kept' }, operatorPart(batch({ count: 2 }))],
      /^`batch` joins/,
    ],
    ['an operator that gives a value to two sinks', [operatorPart(failover([() => NEVER]))], /^`failover` may/],
    [
      'an operator that says nothing',
      [operatorPart(map(() => 0))],
      /^operator 1.* does not say what it does with deliveries/,
    ],
  ])('is at least once behind %s, and says what to do', (_, operators, reason) => {
    const { level, because } = guaranteeOf({ source: { ...kafka, resumeFrom: offsetStore }, ledger, operators });
    expect([level, because]).toEqual(['at-least-once', [expect.stringMatching(reason)]]);
  });

  it('is exactly once behind operators that keep the ledger', () => {
    const operators = [operatorPart(mapValue(() => 1)), operatorPart(trusted(map((one) => one)))];
    expect(guaranteeOf({ source: { ...kafka, resumeFrom: offsetStore }, ledger, operators }).level).toBe(
      'exactly-once',
    );
  });

  it('looks at the operators of a flow', () => {
    const lake = fileSink<unknown>(memoryFileSystem(), { root: '/lake', format: jsonLines() });
    const source = kafkaSource(new MemoryKafka(), { topics: ['t'], groupId: 'g', resumeFrom: lake.offsetStore });
    expect(flow('x', source, mapValue(String), lake.write()).guarantee.level).toBe('exactly-once');
    const { level, because } = flow('x', source, mapValue(String), batch({ count: 9 }), lake.write()).guarantee;
    expect([level, because]).toEqual(['at-least-once', [expect.stringMatching(/^`batch`/)]]);
  });

  it.each<[string, SourceTraits | undefined, typeof ledger | undefined, readonly RegExp[]]>([
    [
      'without resumeFrom',
      kafka,
      ledger,
      [/^kafkaSource resumes from the committed offsets.*`resumeFrom: lake\.offsetStore`/],
    ],
    [
      'with the positions of another',
      { ...kafka, resumeFrom: others },
      ledger,
      [/a function other than the offset store/],
    ],
    ['into a sink without a ledger', { ...kafka, resumeFrom: offsetStore }, undefined, [/^the sink keeps no ledger/]],
    [
      'from a source that cannot be read again',
      { name: 'amqpSource', isReplayable: false },
      ledger,
      [/^amqpSource cannot be/],
    ],
    ['from a source that says nothing', undefined, ledger, [/^the source does not say that it can be read again/]],
    ['for two reasons', undefined, undefined, [/^the source does not say/, /^the sink keeps no ledger/]],
  ])('is at least once %s, and says what to do', (_, source, kept, reasons) => {
    const { level, because } = guaranteeOf({ source, ledger: kept });
    expect([level, because]).toEqual(['at-least-once', reasons.map((reason) => expect.stringMatching(reason))]);
    // They are in the middle of a sentence.
    expect(because.filter((reason) => /[.\n]$/.test(reason))).toEqual([]);
  });
});

describe('flow.guarantee', () => {
  const lake = () => fileSink<Buffer | null>(memoryFileSystem(), { root: '/lake', format: jsonLines() });
  const source = (resumeFrom?: OffsetStore) =>
    kafkaSource(new MemoryKafka(), {
      topics: ['chat'],
      groupId: 'g',
      ...(resumeFrom && { resumeFrom }),
    });

  it('is computed from the source, past retryConnect and drainOn, and the sink', () => {
    const [sink, other] = [lake(), lake()];
    const level = (from: Source<Delivery<Buffer | null>>, to: Sink<Buffer | null>) =>
      flow('lake', from, to).guarantee.level;
    const behind = source(sink.offsetStore).pipe(retryConnect(), drainOn(NEVER)) as ReturnType<typeof source>;
    expect([source(sink.offsetStore), behind].map((from) => level(from, sink.write()))).toEqual([
      'exactly-once',
      'exactly-once',
    ]);
    expect(level(source(sink.offsetStore), other.write())).toBe('at-least-once');
    expect(level(source(), sink.write())).toBe('at-least-once');
    expect(level(source(sink.offsetStore), (deliveries) => sink.write()(deliveries))).toBe('at-least-once');
    const read = decode((value: Buffer | null) => value);
    expect(flow('lake', source(sink.offsetStore), read, sink.write()).guarantee.level).toBe('exactly-once');
  });

  it('says of a flow that ends in several sinks that these are not looked into', () => {
    const sink = lake();
    const both = tee({ lake: sink.write(), copy: lake().write() });
    expect(flow('lake', source(sink.offsetStore), both).guarantee).toEqual({
      level: 'at-least-once',
      because: [
        'the flow ends in `tee`, whose sinks are not examined; a file sink among them that the source resumes from still stores ' +
          'each value that it gets once',
      ],
    });
    const asked = flow(
      'asked',
      source(sink.offsetStore),
      transmit(async () => 1),
    );
    expect(asked.guarantee.because).toEqual([
      expect.stringMatching(/^the flow ends in `transmit`, which keeps no ledger; /),
    ]);
    const route = routeBy(() => 'lake', { lake: sink.write() });
    expect(flow('lake', source(sink.offsetStore), route).guarantee.because[0]).toMatch(/^the flow ends in `routeBy`/);
  });

  it('is at least once for a source that carries no traits', () => {
    const silent = new Source<Delivery<Buffer | null>>(() => undefined);
    expect(flow('lake', silent, lake().write()).guarantee.because).toEqual([expect.stringMatching('does not say')]);
  });
});

describe('the traits of a source', () => {
  it('are kept by drainedBy and through', () => {
    const traits = { ...kafka, resumeFrom: offsetStore };
    const source = new Source<number>(() => undefined, traits);
    const derived = [source.drainedBy(NEVER), source.through((values) => values.pipe(map(String)))];
    expect(derived.map((one) => one.traits)).toEqual([traits, traits]);
    expect(new Source(() => undefined).drainedBy(NEVER).traits).toBeUndefined();
  });
});
