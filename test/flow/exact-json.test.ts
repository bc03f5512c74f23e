import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { deadLetter, decode, drainOn } from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import { flow } from '../../src/flow/flow.js';
import { json } from '../../src/formats/json.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../support/virtual-time.js';

const GOOD = [
  '{"n":1}',
  '{"id":"9223372036854775488","at":1772411400316,"x":0.1}',
  '{"t":"中文 \\ud800"}',
  '{"n":-5e-7}',
];
const MARKED = Buffer.from('\ufeff{"n":2}');
const BAD = [
  Buffer.from('{"id":9223372036854775488}'),
  Buffer.from('{"n":1e400}'),
  Buffer.from('\ufeff{"n":[0.12345678901234567890]}'),
  // 你好 in GBK.
  Buffer.concat([Buffer.from('{"t":"'), Buffer.from('c4e3bac3', 'hex'), Buffer.from('"}')]),
  Buffer.from('{"t":'),
];

describe('a flow of JSON into files', () => {
  it('lands what it can write back as it came, and sets the rest aside with the bytes as they came', () => {
    const kafka = new MemoryKafka({ latencyMs: 1 });
    kafka.createTopic('chat', 1);
    const records = [...BAD, MARKED, ...GOOD].map((value) => ({ value }));
    kafka.produce('chat', 0, records);
    const fs = memoryFileSystem();
    const linesIn = (root: string) =>
      Object.entries(fs.files())
        .filter(([path]) => path.startsWith(root) && !path.includes('/_rxflume/'))
        .flatMap(([, bytes]) => Buffer.from(bytes).toString().trimEnd().split('\n'));
    const monitor = new Monitor();
    const to = <T>(root: string) => fileSink<T>(fs, { root, format: jsonLines(), roll: { intervalMs: 50 }, monitor });
    const ends: unknown[] = [];
    const stop$ = new Subject<void>();

    inVirtualTime((at) => {
      flow(
        'chat',
        kafkaSource(kafka, { topics: ['chat'], groupId: 'g', monitor }),
        deadLetter(to<DeadLetter>('/bad').write()),
        decode(json()),
        to('/lake').write(),
      )
        .pipe(drainOn(stop$))
        .subscribe({ error: (error: unknown) => ends.push(error), complete: () => ends.push('complete') });
      at(5_000, () => stop$.next());
    });

    expect(ends).toEqual(['complete']);
    expect(kafka.committed('g', 'chat', 0)).toBe(records.length);
    expect(linesIn('/lake').sort()).toEqual(['{"n":2}', ...GOOD.slice(0, 3), '{"n":-5e-7}'].sort());
    const letters = linesIn('/bad').map((line) => JSON.parse(line) as DeadLetter);
    const came = letters.map(({ value, encoding }) =>
      Buffer.from(value ?? '', encoding === 'base64' ? 'base64' : 'utf8').toString('hex'),
    );
    expect(came.sort()).toEqual(BAD.map((bytes) => bytes.toString('hex')).sort());
    expect(letters.map(({ offset, code }) => `${offset} ${code}`).sort()).toEqual([
      '0 RXF_DECODE_INEXACT',
      '1 RXF_DECODE_INEXACT',
      '2 RXF_DECODE_INEXACT',
      '3 RXF_DECODE_SYNTAX',
      '4 RXF_DECODE_SYNTAX',
    ]);
    expect(letters.find(({ offset }) => offset === 2)?.message).toContain('`$.n[0]`');
  });
});
