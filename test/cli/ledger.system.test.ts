import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { lastValueFrom, Subject, tap } from 'rxjs';
import { decode, drainOn } from '../../operators/index.js';
import { ledger } from '../../src/cli/ledger.js';
import { Monitor } from '../../src/core/monitor.js';
import { embeddedLog } from '../../src/drivers/embedded-log/index.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { flow } from '../../src/flow/flow.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { rxflume } from './child.js';

jest.setTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-ledger-'));
const lakePath = join(folder, 'lake');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entries = join(lakePath, '_rxflume/ledger/kafka+chat~0');
const bucket = (name: string) => join(lakePath, name);
const filesIn = (path: string) => readdirSync(path).map((name) => join(path, name));

const log = embeddedLog({ folder: join(folder, 'log'), topics: ['chat'] });

/** Runs a flow until so many files stand, then drains it. */
async function land(texts: readonly string[], files: number): Promise<void> {
  const monitor = new Monitor();
  await log.append('chat', texts);
  const disk = localDisk({ fsync: 'never' });
  const lake = fileSink<{ readonly n: number }>(disk, {
    root: lakePath,
    path: (value) => `n=${value.n}`,
    format: jsonLines(),
    roll: { idleMs: 50, intervalMs: 100 },
    monitor,
  });
  const stop$ = new Subject<void>();
  let seen = 0;
  const options = { topics: ['chat'], groupId: 'g', resumeFrom: lake.offsetStore, monitor };
  await lastValueFrom(
    flow(
      'made',
      kafkaSource(log, options),
      decode((value: Buffer | null) => JSON.parse(String(value)) as { n: number }),
      lake.write(),
    ).pipe(
      drainOn(stop$),
      tap(() => {
        seen += 1;
        if (seen === files) stop$.next();
      }),
    ),
  );
}

async function look(...more: string[]) {
  const printed = { out: '', err: '' };
  const write = (to: 'out' | 'err') => ({
    write: (text: string) => {
      printed[to] += text;
    },
  });
  const asked = {
    root: lakePath,
    mode: 'webhdfs' as const,
    user: undefined,
    stream: undefined,
    isJson: more.includes('--json'),
  };
  const code = await ledger(asked, { out: write('out'), err: write('err'), env: {}, cwd: '/' });
  return { code, ...printed };
}

beforeAll(async () => {
  await land(['{"n":1}', '{"n":2}', '{"n":1}'], 2);
  await land(['{"n":1}', '{"n":2}'], 2);
});

describe('rxflume ledger', () => {
  it('lists and verifies a ledger that real flows made, exit 0', async () => {
    const { code, stdout, stderr } = await rxflume(['ledger', lakePath]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      `The ledger of ${lakePath} on local disk /`,
      '',
      expect.stringMatching(/^STREAM +ENTRIES +FROM\.\.NEXT +VALUES +FILES +BYTES +NEWEST ENTRY +VERDICT$/),
      expect.stringMatching(
        /^kafka:chat\/0 +2 +0\.\.5 +5 +4 +40 B +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ by [a-z0-9]{8}-\d+ +verified$/,
      ),
      '',
      'Verified: 1 stream.',
      'Checked: the retained entries and the files they name. Files of older, folded entries are not checked.',
      '',
    ]);
  });

  it('only reads: syncs nothing, and leaves every file and folder as it was', async () => {
    const tree = () =>
      readdirSync(lakePath, { recursive: true, encoding: 'utf8' })
        .concat('.')
        .sort()
        .map((name) => {
          const { mtimeMs, ctimeMs, size } = statSync(join(lakePath, name));
          return [name, mtimeMs, ctimeMs, size];
        });
    const before = tree();
    const probe = await open(join(folder, 'probe'), 'w');
    const handle = Object.getPrototypeOf(probe) as typeof probe;
    const spied = (['sync', 'datasync', 'write', 'writev', 'truncate'] as const).map((name) =>
      jest.spyOn(handle, name),
    );
    try {
      await probe.sync();
      expect(await look()).toMatchObject({ code: 0, err: '' });
      expect(spied.map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0, 0, 0]);
    } finally {
      for (const spy of spied) spy.mockRestore();
      await probe.close();
    }
    expect(tree()).toEqual(before);
  });

  it('prints one JSON object, of a file URL too, and of the stream that is asked for', async () => {
    const { code, stdout } = await rxflume(['ledger', `file://${lakePath}/`, '--json', '--stream', 'kafka:chat/0']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        root: lakePath,
        fileSystem: 'local disk /',
        verified: true,
        others: [],
        streams: [expect.objectContaining({ stream: 'kafka:chat/0', from: 0, next: 5, problems: [], verified: true })],
      },
    ]);
  });

  it('moves a ledger on past offsets that are lost, says so from then on, and no further twice', async () => {
    const copy = join(folder, 'copy');
    cpSync(lakePath, copy, { recursive: true });
    const skip = ['ledger', copy, '--stream', 'kafka:chat/0', '--skip-to', '40'];
    const skipped = await rxflume(skip);
    expect([skipped.code, skipped.stderr]).toEqual([0, '']);
    expect(skipped.stdout).toMatch(/^kafka:chat\/0 +3 +0\.\.40 .* by skip-\S+ +verified$/m);
    const note = /^kafka:chat\/0: offsets 5 to 39 were skipped with --skip-to at \d{4}-\S+Z\. They are in no file\.$/m;
    expect(skipped.stdout).toMatch(note);
    expect((await rxflume(['ledger', copy])).stdout).toMatch(note);
    const { streams } = JSON.parse((await rxflume(['ledger', copy, '--json'])).stdout);
    expect(streams[0].skipped).toEqual([{ from: 5, next: 40, time: expect.stringMatching(/Z$/) }]);
    expect(await rxflume(skip)).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining('ends at 40, got 40') });
  });

  it('makes the entry that moves a ledger on durable', async () => {
    const copy = join(folder, 'durable');
    cpSync(lakePath, copy, { recursive: true });
    const probe = await open(join(folder, 'probe'), 'w');
    const sync = jest.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'sync');
    const datasync = jest.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync');
    const nowhere = { write: () => undefined };
    const asked = {
      root: copy,
      mode: 'webhdfs',
      user: undefined,
      stream: 'kafka:chat/0',
      isJson: false,
      skipTo: 40,
    } as const;
    try {
      expect(await ledger(asked, { out: nowhere, err: nowhere, env: {}, cwd: '/' })).toBe(0);
      // The entry itself, and the folder that has its name.
      expect(sync.mock.calls.length + datasync.mock.calls.length).toBeGreaterThan(1);
    } finally {
      sync.mockRestore();
      datasync.mockRestore();
      await probe.close();
    }
  });

  it.each([
    [['ledger', join(folder, 'nowhere')], 'Nothing exists at '],
    [['ledger', join(folder, 'log')], 'the flow has not committed yet, or runs at least once'],
    [['ledger', lakePath, '--stream', 'kafka:chat/9'], 'There is no ledger of kafka:chat/9 under'],
    [['ledger', lakePath, '--user', 'me'], '`--user` is for webhdfs://'],
    [['ledger', lakePath, '--mode', 'httpfs'], '`--mode` is for webhdfs://'],
    [['ledger', 'hdfs://nn1/lake'], 'give the NameNode'],
  ])('says what is wrong with %j, exit 2', async (args, message) => {
    expect(await rxflume(args)).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('says of a file that is gone and of one that was cut what it means and what to do, exit 1', async () => {
    const [one = ''] = filesIn(bucket('n=1'));
    const [two = ''] = filesIn(bucket('n=2'));
    renameSync(one, join(folder, 'moved'));
    appendFileSync(two, 'x');
    const { code, out } = await look();
    expect(code).toBe(1);
    expect(out).toMatch(/2 problems\n/);
    expect(out).toContain(`of 2: kafka:chat/0, missing\n  where  ${one}\n  what   The file is gone: `);
    expect(out).toContain(`of 2: kafka:chat/0, length\n  where  ${two}\n  what   The file has 9 bytes, not 8: `);
    expect(out).toContain('Not verified: 2 problems in 1 of 1 stream.');
    const reported = JSON.parse((await look('--json')).out) as {
      verified: boolean;
      streams: { problems: unknown[] }[];
    };
    expect([reported.verified, reported.streams[0]?.problems.length]).toEqual([false, 2]);
    renameSync(join(folder, 'moved'), one);
    writeFileSync(two, '{"n":2}\n');
    expect((await look()).code).toBe(0);
  });

  it('says what is damaged, ignored, orphaned and in progress, and passes over what is no stream', async () => {
    const tmp = join(lakePath, '_rxflume/tmp/kafka+chat~0');
    for (const [from, name] of [
      [0, 'old-0'],
      [5, 'now-0'],
    ] as const) {
      mkdirSync(join(tmp, String(from).padStart(16, '0')), { recursive: true });
      writeFileSync(join(tmp, String(from).padStart(16, '0'), name), 'abc');
    }
    const overtaken = { version: 1, writer: 'late-0', stream: 'kafka:chat/0', from: 1, next: 2, files: [] };
    writeFileSync(join(entries, '0000000000000001'), JSON.stringify(overtaken));
    mkdirSync(join(lakePath, '_rxflume/ledger/of=zz'));
    const fine = await look();
    expect([fine.code, fine.err]).toEqual([0, '']);
    expect(fine.out).toContain('kafka:chat/0: 1 file (3 B) in progress, or may still be committed.\n');
    expect(fine.out).toContain(
      'kafka:chat/0: 1 file (3 B) orphaned under _rxflume/tmp: removed at the next assignment.\n',
    );
    expect(fine.out).toMatch(/0000000000000001 \(1\.\.2\) is stale: other writers had overtaken its writer late-0/);
    expect(fine.out).toContain("of=zz is not a stream's folder and was ignored.\n");
    writeFileSync(join(entries, '0000000000000003'), '{');
    const { code, out } = await look();
    expect([code, out]).toEqual([1, expect.stringContaining('Problem 1 of 1: kafka:chat/0, damaged')]);
    expect(out).toContain('no flow reads the stream until the entry can be read');
  });

  it('asks WebHDFS as the user of the environment or by its token, and never shows the token', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(String(request.url));
      const remote = { exception: 'FileNotFoundException', javaClassName: 'x', message: 'no delegation=s3cret' };
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ RemoteException: remote }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const root = `webhdfs://127.0.0.1:${port}/lake/a%20b`;
    let printed = '';
    const out = { write: (text: string) => (printed += text) };
    const code = (env: Record<string, string>, user?: string) =>
      ledger({ root, mode: 'webhdfs', user, stream: undefined, isJson: false }, { out, err: out, env, cwd: '/' });
    try {
      expect(await code({ HADOOP_USER_NAME: 'flume' })).toBe(2);
      expect(await code({ HADOOP_USER_NAME: 'flume' }, 'me')).toBe(2);
      expect(await code({ HADOOP_USER_NAME: '', RXFLUME_DELEGATION_TOKEN: 's3cret' })).toBe(2);
    } finally {
      server.close();
    }
    expect(asked.map((url) => url.replace('/webhdfs/v1/lake/a%2520b?', '').split('&').sort())).toEqual([
      ['op=GETFILESTATUS', 'user.name=flume'],
      ['op=GETFILESTATUS', 'user.name=me'],
      ['delegation=s3cret', 'op=GETFILESTATUS'],
    ]);
    expect(printed).toContain(`Nothing exists at /lake/a%20b on webhdfs http://127.0.0.1:${port}.`);
    expect(printed).not.toContain('s3cret');
  });
});
