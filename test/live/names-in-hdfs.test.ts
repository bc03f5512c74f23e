import { afterAll, expect, it, jest } from '@jest/globals';
import { fileSink, jsonLines, kafkaSource, Monitor } from 'rxflume';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { deadLetter, drainOn, mapValue } from 'rxflume/operators';
import { MemoryKafka } from 'rxflume/testing';
import { firstValueFrom, from, lastValueFrom, Subject } from 'rxjs';
import { auditLedger } from '../../src/sinks/files/ledger/audit.js';
import { ledgerStreams, readLedger } from '../../src/sinks/files/ledger/reading.js';
import { ledgerPath, temporaryPath } from '../../src/sinks/files/names.js';
import { fresh, nameNode } from './support.js';

jest.setTimeout(60_000);

const root = `/lake/${fresh('filesink-names')}`;
const fs = webhdfs({ nameNodes: [nameNode], user: 'flume' });
// As long as Kafka takes them.
const topic = 't'.repeat(249);
const stream = `kafka:${topic}/0`;

afterAll(() => firstValueFrom(from(fs.remove(root))));

async function put(path: string, text: string): Promise<void> {
  const writer = fs.create(path);
  await firstValueFrom(from(writer.write(Buffer.from(text))), { defaultValue: null });
  await firstValueFrom(from(writer.close()));
}

/** Collects what the topic has into HDFS; the codes of the notices. */
async function collect(kafka: MemoryKafka): Promise<string[]> {
  const monitor = new Monitor();
  const codes: string[] = [];
  monitor.logEvents$.subscribe(({ what }) => codes.push(what));
  const lake = fileSink<string>(fs, {
    root: `${root}/lake`,
    path: (value) => (JSON.parse(value) as { bucket: string }).bucket,
    format: jsonLines({ compression: 'gzip' }),
    roll: { intervalMs: 300 },
    monitor,
  });
  const bad = fileSink(fs, { root: `${root}/bad`, format: jsonLines(), roll: { intervalMs: 200 }, monitor });
  const stop$ = new Subject<void>();
  setTimeout(() => stop$.next(), 2_000);
  const receipts$ = kafkaSource(kafka, {
    topics: [topic],
    groupId: 'lake',
    resumeFrom: lake.offsetStore,
    monitor,
  }).pipe(drainOn(stop$), deadLetter(bad.write()), mapValue(String), lake.write());
  await lastValueFrom(receipts$, { defaultValue: null });
  return codes;
}

const filesBelow = async (path: string): Promise<string[]> => {
  const found = await firstValueFrom(from(fs.list(path)));
  const below: string[] = [];
  for (const { kind, path: one } of found) below.push(...(kind === 'folder' ? await filesBelow(one) : [one]));
  return below.filter((file) => !file.includes('/_rxflume/'));
};

it('sets aside what HDFS cannot hold and lands the rest, resumes and verifies a stream of the longest name', async () => {
  await put(`${root}/lake/taken`, '');
  const kafka = new MemoryKafka();
  kafka.createTopic(topic, 1);
  const good = ['', 'x'.repeat(255), '语'.repeat(85), `${'l/'.repeat(900)}l`];
  const bad = ['lang=\ud800', '.snapshot', 'a/.snapshot/b', `${'l/'.repeat(1_000)}l`, 'taken', 'taken/below'];
  kafka.produce(
    topic,
    0,
    [...good, ...bad, 'last'].map((bucket) => JSON.stringify({ bucket })),
  );
  expect(await collect(kafka)).toEqual(['kafka.assigned']);
  expect(await filesBelow(`${root}/lake`)).toHaveLength(good.length + 2);
  const letters = await Promise.all(
    (await filesBelow(`${root}/bad`)).map(async (path) => String(await firstValueFrom(from(fs.read(path, 1e6))))),
  );
  expect(letters.join('').match(/"RXF_SINK_BUCKET"/g)).toHaveLength(bad.length);

  // An entry as earlier versions committed it, which could never be published.
  const files = [`lang=\ud800`, '.snapshot', 'x'.repeat(256)].map((bucket, n) => ({
    temporary: temporaryPath('', stream, 11, 'earlier-0', n).slice(1),
    final: `${bucket}/kafka+${topic}~0+0000000000000011+0000000000000011+earlier-0.jsonl`,
    bytes: 4,
    values: 1,
    first: 11,
    last: 11,
  }));
  for (const { temporary } of files) await put(`${root}/lake/${temporary}`, '"x"\n');
  const entry = { version: 1, writer: 'earlier-0', stream, from: 11, next: 12, files };
  await put(ledgerPath(`${root}/lake`, stream, 11), JSON.stringify(entry));
  kafka.produce(
    topic,
    0,
    ['skipped', 'after'].map((bucket) => JSON.stringify({ bucket })),
  );
  expect((await collect(kafka)).filter((code) => code === 'files.quarantined')).toHaveLength(3);
  expect(await filesBelow(`${root}/lake/after`)).toHaveLength(1);

  expect((await firstValueFrom(ledgerStreams(fs, `${root}/lake`))).streams).toEqual([stream]);
  const audit = auditLedger(await firstValueFrom(readLedger(fs, `${root}/lake`, stream)));
  expect(audit).toMatchObject({ next: 13, quarantined: { files: 3, bytes: 12 } });
  expect(audit.problems.map(({ kind }) => kind)).toEqual(['quarantined', 'quarantined', 'quarantined']);
  expect(await collect(kafka)).toEqual(['kafka.assigned']);
});
