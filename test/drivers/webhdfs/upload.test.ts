import type http from 'node:http';
import { describe, expect, it } from '@jest/globals';
import type { Observable } from 'rxjs';
import { deadServer, FakeCluster, listen, remote } from './fake-cluster.js';
import { driver, failure, once, put, until } from './setting.js';

const MIB = Buffer.alloc(1024 * 1024, 7);
const text = (file: Buffer | undefined) => file?.toString();

describe('webhdfs, writing', () => {
  it('asks nothing before the first write; then sends, ends and checks', async () => {
    const cluster = await FakeCluster.start();
    const writer = driver(cluster, { replication: 2, blockSizeBytes: 1024, permission: '640' }).create('/lake/a');
    expect(cluster.calls).toEqual([]);
    await once(writer.write(Buffer.from('ab')));
    await once(writer.write(Buffer.from('cd')));
    expect(cluster.files.size).toBe(0);
    expect(await once(writer.close())).toEqual({ bytes: 4 });
    expect(text(cluster.files.get('/lake/a'))).toBe('abcd');
    const creation = cluster.queries[cluster.calls.indexOf('0 CREATE /lake/a')];
    expect(Object.fromEntries(creation!)).toEqual({
      op: 'CREATE',
      overwrite: 'false',
      replication: '2',
      blocksize: '1024',
      permission: '640',
      noredirect: 'true',
      'user.name': 'flume',
    });
    expect(cluster.calls.at(-1)).toBe('0 GETFILESTATUS /lake/a');
  });

  it('takes a redirect as well', async () => {
    const cluster = await FakeCluster.start();
    cluster.redirect = '307';
    expect(await put(driver(cluster), '/lake/a', 'abc')).toBe(3);
  });

  it('in httpfs mode sends everything through the one server', async () => {
    const cluster = await FakeCluster.start();
    expect(
      await put(
        driver({ nameNodes: [await deadServer(), ...cluster.nameNodes] }, { mode: 'httpfs' }),
        '/lake/a',
        'abc',
      ),
    ).toBe(3);
    const at = cluster.calls.indexOf('0 CREATE /lake/a');
    expect(cluster.queries[at]?.get('data')).toBe('true');
    expect(cluster.headers[at]).toMatchObject({
      'content-type': 'application/octet-stream',
      'transfer-encoding': 'chunked',
    });
    expect(cluster.calls.filter((call) => call.startsWith('dn'))).toEqual([]);
  });

  it('reaches a DataNode by the host map, by host and port or host alone', async () => {
    const cluster = await FakeCluster.start();
    const { host, port } = new URL(cluster.dataNode);
    cluster.location = 'http://DN1.internal:9864';
    expect(await put(driver(cluster, { hostMap: { 'dn1.internal:9864': host } }), '/lake/a', 'x')).toBe(1);
    cluster.location = `http://dn1.internal:${port}`;
    expect(await put(driver(cluster, { hostMap: { 'dn1.internal': '127.0.0.1' } }), '/lake/b', 'x')).toBe(1);
  });

  it.each(['ftp://h/x', 'file:///etc/passwd', '/relative', ''])('rejects the Location %p', async (Location) => {
    const cluster = await FakeCluster.start();
    cluster.next('CREATE', { status: 200, body: JSON.stringify({ Location }) });
    expect(await failure(put(driver(cluster), '/lake/a', 'x'))).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
  });

  it('leaves a DataNode out that cannot be connected to', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('CREATE', { status: 200, body: JSON.stringify({ Location: await deadServer() }) });
    expect(await put(driver(cluster), '/lake/a', 'x')).toBe(1);
    expect(
      cluster.queries.filter((query) => query.get('op') === 'CREATE').map((query) => query.get('excludedatanodes')),
    ).toEqual([null, '127.0.0.1', null]);
  });

  it('says which DataNode cannot be reached, where no other is left', async () => {
    const cluster = await FakeCluster.start();
    const dead = await deadServer();
    const none = remote(
      'IOException',
      'Failed to find datanode, suggest to check cluster health. excludeDatanodes=127.0.0.1',
    );
    cluster.next(
      'CREATE',
      { status: 200, body: JSON.stringify({ Location: `${dead}/x?delegation=s` }) },
      { ...none, body: String(none.body) },
    );
    const error = await failure(put(driver(cluster), '/lake/a', 'x'));
    expect(error).toMatchObject({ code: 'RXF_FILES_UNREACHABLE', retryable: true });
    expect(error.message).toMatch(`on ${dead}: `);
    expect(error.message).toMatch(/ECONNREFUSED.*`hostMap`/);
  });

  it('a file that exists is rejected before a byte is sent', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'first');
    expect(await failure(put(fs, '/lake/a', 'x'))).toMatchObject({ code: 'RXF_FILES_EXISTS' });
    expect(cluster.count('dn')).toBe(1);
  });

  it('a file that was made meanwhile is rejected by the DataNode', async () => {
    const cluster = await FakeCluster.start();
    cluster.upload = (request, response, asked) => {
      cluster.files.set('/lake/a', Buffer.from('other'));
      cluster.take(request, response, asked);
    };
    expect(await failure(put(driver(cluster), '/lake/a', 'x'))).toMatchObject({ code: 'RXF_FILES_EXISTS' });
    expect(text(cluster.files.get('/lake/a'))).toBe('other');
  });

  it('an error before the body ends stops the writing, and stays', async () => {
    const cluster = await FakeCluster.start();
    const full = remote(
      'IOException',
      'File /lake/a could only be written to 0 of the 1 minReplication nodes. There are 1 datanode(s) running',
    );
    cluster.upload = (request, response) => {
      request.once('data', () => response.writeHead(full.status, { connection: 'close' }).end(full.body));
    };
    const writer = driver(cluster).create('/lake/a');
    const error = await failure(
      (async () => {
        for (;;) await once(writer.write(MIB));
      })(),
    );
    expect(error).toMatchObject({ code: 'RXF_FILES_FULL', retryable: true });
    expect(await failure(once(writer.close()))).toBe(error);
    expect(await failure(once(writer.write(MIB)))).toBe(error);
  });

  it.each([
    [503, undefined, 'RXF_FILES_REMOTE'],
    [409, undefined, 'RXF_FILES_PROTOCOL'],
    [403, remote('DSQuotaExceededException', 'The DiskSpace quota of /lake is exceeded').body, 'RXF_FILES_FULL'],
    [403, remote('NSQuotaExceededException', 'The NameSpace quota is exceeded').body, 'RXF_FILES_FULL'],
    [500, remote('IOException', 'No space left on device').body, 'RXF_FILES_FULL'],
    [403, remote('IOException', 'Broken').body, 'RXF_FILES_REMOTE'],
  ])('an HTTP %i after the body is no success', async (status, body, code) => {
    const cluster = await FakeCluster.start();
    cluster.next('dn CREATE', { status, ...(body !== undefined && { body: String(body) }) });
    expect(await failure(put(driver(cluster), '/lake/a', 'x'))).toMatchObject({ code });
  });

  it('a 201 before the body ends is no success', async () => {
    const cluster = await FakeCluster.start();
    const answered = new Promise((resolve) => {
      cluster.upload = (request, response) => void request.once('data', () => response.writeHead(201).end(resolve));
    });
    const writer = driver(cluster).create('/lake/a');
    await once(writer.write(Buffer.from('ab')));
    await answered;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await failure(once(writer.close()))).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
  });

  it('a length that differs is no success', async () => {
    const cluster = await FakeCluster.start();
    cluster.upload = (request, response) => {
      request.resume().on('end', () => {
        cluster.files.set('/lake/a', Buffer.from('abc'));
        response.writeHead(201).end();
      });
    };
    const error = await failure(put(driver(cluster), '/lake/a', 'abcd'));
    expect(error).toMatchObject({ code: 'RXF_FILES_LENGTH', retryable: true, details: { sent: 4, held: 3 } });
    cluster.files.clear();
    cluster.upload = (request, response) => void request.resume().on('end', () => response.writeHead(201).end());
    expect(await failure(put(driver(cluster), '/lake/a', 'abcd'))).toMatchObject({ details: { sent: 4, held: null } });
  });

  it('a connection cut midway is an error, though the file is there, closed and short', async () => {
    const cluster = await FakeCluster.start();
    cluster.upload = (request) => {
      request.once('data', (chunk: Buffer) => {
        cluster.files.set('/lake/a', chunk);
        request.socket.destroy();
      });
    };
    const writer = driver(cluster).create('/lake/a');
    await once(writer.write(Buffer.from('ab')));
    await until(() => cluster.files.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const error = await failure(once(writer.write(Buffer.from('cd'))));
    expect(error).toMatchObject({ code: 'RXF_FILES_UNREACHABLE', retryable: true });
    expect(await failure(once(writer.close()))).toBe(error);
  });

  it('a lost answer to the close is resolved by looking', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('dn CREATE', 'lose');
    expect(await put(driver(cluster), '/lake/a', 'abc')).toBe(3);
  });

  it('a lost answer is no success while the file is open, short or not there', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    const open = JSON.stringify({ LocatedBlocks: { isUnderConstruction: true } });
    cluster.next('dn CREATE', 'lose');
    cluster.next('GET_BLOCK_LOCATIONS', ...Array.from({ length: 5 }, () => ({ status: 200, body: open })));
    expect(await failure(put(fs, '/lake/open', 'abc'))).toMatchObject({ code: 'RXF_FILES_UNREACHABLE' });
    cluster.next('dn CREATE', 'drop');
    expect(await failure(put(fs, '/lake/none', 'abc'))).toMatchObject({ code: 'RXF_FILES_UNREACHABLE' });
    cluster.upload = (request) => {
      request.resume().on('end', () => {
        cluster.files.set('/lake/short', Buffer.from('ab'));
        request.socket.destroy();
      });
    };
    expect(await failure(put(fs, '/lake/short', 'abc'))).toMatchObject({ code: 'RXF_FILES_UNREACHABLE' });
  });

  it('a lost answer waits a little for the file to be closed', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('dn CREATE', 'lose');
    cluster.next('GET_BLOCK_LOCATIONS', { status: 200, body: '{"LocatedBlocks":{"isUnderConstruction":true}}' });
    expect(await put(driver(cluster), '/lake/a', 'abc')).toBe(3);
  });

  it('a DataNode that takes nothing more, or never answers the end, is given up in time', async () => {
    const cluster = await FakeCluster.start();
    const stuck: http.IncomingMessage[] = [];
    cluster.upload = (request) => void stuck.push(request.pause());
    const writer = driver(cluster, { idleTimeoutMs: 40 }).create('/lake/a');
    const stalled = await failure(
      (async () => {
        for (;;) await once(writer.write(MIB));
      })(),
    );
    expect(stalled).toMatchObject({ code: 'RXF_FILES_TIMEOUT' });
    expect(stalled.message).toContain('nothing was taken for 40 ms');
    cluster.upload = (request) => void request.resume();
    const silent = await failure(put(driver(cluster, { requestTimeoutMs: 60 }), '/lake/b', 'x'));
    expect(silent).toMatchObject({ code: 'RXF_FILES_TIMEOUT' });
    expect(silent.message).toContain('no answer within 60 ms after the last byte');
  });

  it('a file may idle between writes for longer than the limit', async () => {
    const cluster = await FakeCluster.start();
    const writer = driver(cluster, { idleTimeoutMs: 10 }).create('/lake/a');
    await once(writer.write(Buffer.from('ab')));
    await new Promise((resolve) => setTimeout(resolve, 40));
    await once(writer.write(Buffer.from('cd')));
    expect(await once(writer.close())).toEqual({ bytes: 4 });
  });

  it('a write answers only when the socket has taken it', async () => {
    const cluster = await FakeCluster.start();
    let paused: http.IncomingMessage | undefined;
    cluster.upload = (request, response, asked) => {
      paused = request.pause();
      setTimeout(() => {
        cluster.take(request, response, asked);
        request.resume();
      }, 40);
    };
    const writer = driver(cluster).create('/lake/a');
    let answered = 0;
    const large = Buffer.alloc(16 * 1024 * 1024);
    const writing = once(writer.write(large)).then(() => answered++);
    await until(() => paused !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect(answered).toBe(0);
    await writing;
    expect(await once(writer.close())).toEqual({ bytes: large.length });
  });

  it('abort and unsubscribing cut the connection; nothing counts as closed after', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    const writer = fs.create('/lake/a');
    await once(writer.write(Buffer.from('ab')));
    writer.abort();
    expect(await failure(once(writer.close()))).toMatchObject({ code: 'RXF_FILES_ABORTED' });
    await until(() => cluster.files.has('/lake/a'));

    let cut = false;
    cluster.upload = (request) => void request.resume().on('error', () => (cut = true));
    const other = fs.create('/lake/b');
    const subscription = (other.write(Buffer.alloc(64 * 1024 * 1024)) as Observable<unknown>).subscribe();
    await until(() => cluster.count('dn') === 2);
    subscription.unsubscribe();
    await until(() => cut);
    expect(await failure(once(other.close()))).toMatchObject({ code: 'RXF_FILES_ABORTED' });
  });

  it('an abort during the opening sends no byte', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('CREATE', 'hang');
    const writer = driver(cluster).create('/lake/a');
    const written = failure(once(writer.write(Buffer.from('ab'))));
    await until(() => cluster.count('CREATE') === 1);
    writer.abort();
    expect(await written).toMatchObject({ code: 'RXF_FILES_ABORTED' });
    expect(cluster.count('dn')).toBe(0);
  });

  it('a second write before the first has answered is a bug of the caller', async () => {
    const writer = driver(await FakeCluster.start()).create('/lake/a');
    const first = once(writer.write(Buffer.from('ab')));
    expect((await failure(once(writer.write(Buffer.from('cd'))))).message).toContain('the last write has not answered');
    await first;
    expect(await once(writer.close())).toEqual({ bytes: 2 });
    expect((await failure(once(writer.close()))).message).toContain('it is closed');
  });
});

describe('webhdfs, reading', () => {
  it('tries another time where the DataNode is lost', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'abc');
    cluster.next('dn OPEN', 'drop');
    expect(Buffer.from(await once(fs.read('/lake/a', 10))).toString()).toBe('abc');
  });

  it('a body cut short is not the file', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'abc');
    cluster.location = await listen((_, response) => {
      response.writeHead(200, { 'content-length': 3 }).write('ab');
      setTimeout(() => response.destroy(), 5);
    });
    expect(await failure(once(fs.read('/lake/a', 10)))).toMatchObject({ code: 'RXF_FILES_UNREACHABLE' });
  });

  it('gives up a body that makes no progress', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster, { idleTimeoutMs: 20, retry: { maxAttempts: 1 } });
    await put(fs, '/lake/a', 'abc');
    cluster.location = await listen((_, response) => void response.writeHead(200).write('ab'));
    expect(await failure(once(fs.read('/lake/a', 10)))).toMatchObject({ code: 'RXF_FILES_TIMEOUT' });
  });
});
