import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from '@jest/globals';
import { lastValueFrom, type Observable, takeUntil, timer } from 'rxjs';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { webhdfs } from '../../src/drivers/webhdfs/index.js';
import { text } from '../../src/formats/text.js';
import { fileSource, lineRecords, spoolSource } from '../../src/inputs/index.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';

const hdfs = webhdfs({ nameNodes: [process.env.RXFLUME_HDFS_URL ?? 'http://127.0.0.1:9870'], user: 'hdfs' });
const root = `/inputs-files-${process.pid}-${Date.now()}`;

afterAll(async () => {
  await lastValueFrom(hdfs.remove(root) as Observable<boolean>);
});

async function linesBelow(folder: string): Promise<string[]> {
  const found = await lastValueFrom(
    hdfs.list(folder) as Observable<readonly { readonly path: string; readonly kind: string }[]>,
  );
  const files = found.filter(({ kind }) => kind === 'file');
  const texts = await Promise.all(
    files.map(async ({ path }) =>
      Buffer.from(await lastValueFrom(hdfs.read(path, 1 << 26) as Observable<Uint8Array>)).toString(),
    ),
  );
  return texts.flatMap((one) => one.trimEnd().split('\n')).sort();
}

it('stores a local spool folder in HDFS, and reads that back from HDFS once, over two runs', async () => {
  const local = await mkdtemp(join(tmpdir(), 'rxflume-inputs-'));
  try {
    await mkdir(join(local, 'in'));
    const expected: string[] = [];
    for (let file = 0; file < 5; file += 1) {
      const lines = Array.from({ length: 3_000 }, (_, line) => `${file}.${line}`);
      expected.push(...lines);
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      await writeFile(join(local, 'in', file === 0 ? '0.gz' : `${file}`), file === 0 ? gzipSync(bytes) : bytes);
    }
    const lake = fileSink<Buffer>(hdfs, { root: `${root}/lake`, format: text() });
    const spool$ = spoolSource(localDisk({ root: local }), {
      name: 'live',
      folder: '/in',
      records: lineRecords(),
      resumeFrom: lake.offsetStore,
    });
    const running = spool$.pipe(lake.write()).subscribe();
    for (let tries = 0; tries < 60; tries += 1) {
      await lastValueFrom(timer(500));
      if ((await readdir(join(local, 'in'))).every((name) => name.endsWith('.COMPLETED'))) break;
    }
    running.unsubscribe();
    expect(await readdir(join(local, 'in'))).toEqual([
      '0.gz.COMPLETED',
      ...[1, 2, 3, 4].map((file) => `${file}.COMPLETED`),
    ]);
    expect(await linesBelow(`${root}/lake`)).toEqual(expected.sort());

    const copy = fileSink<Buffer>(hdfs, { root: `${root}/copy`, format: text() });
    const backfill$ = fileSource(hdfs, {
      name: 'live',
      files: [`${root}/lake/*`],
      records: lineRecords(),
      resumeFrom: copy.offsetStore,
    });
    await lastValueFrom(backfill$.pipe(copy.write(), takeUntil(timer(400))), { defaultValue: undefined });
    await lastValueFrom(backfill$.pipe(copy.write()), { defaultValue: undefined });
    expect(await linesBelow(`${root}/copy`)).toEqual(expected);
  } finally {
    await rm(local, { recursive: true, force: true });
  }
}, 60_000);
