import type http from 'node:http';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { deadServer, FakeCluster, remote } from '../webhdfs/fake-cluster.js';
import { failure, once, put, until } from '../webhdfs/setting.js';
import { driver } from './setting.js';

type Callback = (error: unknown) => void;
type Verb = (...args: unknown[]) => unknown;

/** What the package itself makes of it, with its own callbacks. */
function reported(cluster: FakeCluster, verb: string, ...args: unknown[]): Promise<unknown> {
  const { hostname, port } = new URL(cluster.nameNodes[0] as string);
  const webhdfs = createRequire(import.meta.url)('webhdfs');
  const client: Record<string, Verb> = webhdfs.createClient({ host: hostname, port });
  return new Promise((resolve) => client[verb]?.(...args, ((error) => resolve(error ?? 'done')) satisfies Callback));
}

const rejecting = (status: number) => (request: http.IncomingMessage, response: http.ServerResponse) => {
  request.resume().on('end', () => response.writeHead(status, { connection: 'close' }).end('no'));
};

describe('webhdfs-package believes nothing', () => {
  it.each([503, 409])(
    'an upload that a DataNode rejected with HTTP %i, which the package reports as done',
    async (status) => {
      const cluster = await FakeCluster.start();
      cluster.upload = rejecting(status);
      expect(await reported(cluster, 'writeFile', '/lake/a', 'abc')).toBe('done');
      const error = await failure(put(driver(cluster), '/lake/b', 'abc'));
      expect(error.message).toContain(`HTTP ${status}`);
      expect(cluster.files.size).toBe(0);
    },
  );

  it('an upload of which half came', async () => {
    const cluster = await FakeCluster.start();
    cluster.upload = (request, response, { path }) => {
      request.resume().on('end', () => {
        cluster.files.set(path, Buffer.from('ab'));
        response.writeHead(201).end();
      });
    };
    expect(await failure(put(driver(cluster), '/lake/a', 'abc'))).toMatchObject({
      code: 'RXF_FILES_LENGTH',
      message: expect.stringContaining('3 bytes were sent, and'),
      details: { sent: 3, held: 2 },
    });
    cluster.upload = rejecting(201);
    expect(await failure(put(driver(cluster), '/lake/b', 'abc'))).toMatchObject({
      code: 'RXF_FILES_LENGTH',
      message: expect.stringContaining('holds no file'),
    });
  });

  it('a success that comes before the end of the file', async () => {
    const cluster = await FakeCluster.start();
    cluster.upload = (request, response) => {
      request.once('data', () => response.writeHead(201).end());
      request.resume();
    };
    const writer = driver(cluster).create('/lake/a');
    await once(writer.write(Buffer.from('abc')));
    await until(() => cluster.count('dn') > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await failure(once(writer.write(Buffer.from('def'))))).toMatchObject({
      code: 'RXF_FILES_PROTOCOL',
      message: expect.stringContaining('HTTP 201'),
    });
  });

  it('a rename, a removal and a folder that did nothing, which the package reports as done', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'a');
    const nothing = { status: 200, body: '{"boolean":false}' };
    cluster.next('RENAME', nothing, nothing, nothing);
    expect(await reported(cluster, 'rename', '/lake/a', '/lake/b')).toBe('done');
    expect(await failure(once(fs.rename('/lake/a', '/lake/b')))).toMatchObject({
      code: 'RXF_FILES_REMOTE',
      message: expect.stringContaining('it moved nothing'),
    });
    cluster.next('DELETE', nothing, nothing);
    expect(await reported(cluster, 'unlink', '/lake/a')).toBe('done');
    expect(await failure(once(fs.remove('/lake/a')))).toMatchObject({
      code: 'RXF_FILES_REMOTE',
      message: expect.stringContaining('it still exists'),
    });
    cluster.next('MKDIRS', nothing, nothing);
    expect(await reported(cluster, 'mkdir', '/lake/new')).toBe('done');
    expect(await failure(put(fs, '/lake/new/a', 'a'))).toMatchObject({
      code: 'RXF_FILES_REMOTE',
      message: expect.stringContaining('did not make the folder /lake/new'),
    });
    expect([...cluster.files.keys()]).toEqual(['/lake/a']);
  });

  it('a rename that is said to be done and was not: it is asked once more', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'a');
    cluster.next('RENAME', { status: 200, body: '{"boolean":true}' });
    expect(await once(fs.rename('/lake/a', '/lake/b'))).toBe('renamed');
    expect([...cluster.files.keys()]).toEqual(['/lake/b']);
  });

  it('a rename into a folder that was made at the target meanwhile', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'a');
    cluster.calls.push = (call) => {
      if (call.includes(' RENAME ')) cluster.folders.add('/lake/b');
      return 0;
    };
    expect(await failure(once(fs.rename('/lake/a', '/lake/b')))).toMatchObject({
      code: 'RXF_FILES_REMOTE',
      retryable: false,
      message: expect.stringContaining('what is at /lake/b is another file'),
    });
  });

  it('a read of which half came', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'abc');
    cluster.next('OPEN', { status: 200, body: 'ab' });
    expect(await failure(once(fs.read('/lake/a', 9)))).toMatchObject({
      code: 'RXF_FILES_LENGTH',
      details: { held: 3, read: 2 },
    });
    cluster.next('OPEN', { status: 200, body: 'abcdefghijkl' });
    expect(await failure(once(fs.read('/lake/a', 9)))).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
  });
});

describe('webhdfs-package resolves a lost answer by looking', () => {
  it('to a rename', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    await put(fs, '/lake/a', 'a');
    cluster.next('RENAME', 'lose');
    expect(await once(fs.rename('/lake/a', '/lake/b'))).toBe('renamed');
    cluster.next('RENAME', 'drop');
    expect(await once(fs.rename('/lake/b', '/lake/c'))).toBe('renamed');
    cluster.next('RENAME', 'drop', 'drop', 'drop', 'drop', 'drop', 'drop');
    expect(await failure(once(fs.rename('/lake/c', '/lake/d')))).toMatchObject({ code: 'RXF_FILES_UNREACHABLE' });
    expect([...cluster.files.keys()]).toEqual(['/lake/c']);
  });

  it.each([0, 1, 2, 3, 4])('to a rename that is carried out after %i looks', async (doneAfterLooks) => {
    for (const maxAttempts of [1, 3]) {
      const cluster = await FakeCluster.start();
      cluster.folders.add('/lake');
      cluster.files.set('/lake/a', Buffer.from('abc'));
      cluster.next('RENAME', { doneAfterLooks });
      const fs = driver(cluster, { retry: { maxAttempts, firstDelayMs: 1 } });
      expect(await once(fs.rename('/lake/a', '/lake/b'))).toBe('renamed');
      expect([...cluster.files.keys()]).toEqual(['/lake/b']);
    }
  });

  it('to an upload, to a removal and to a folder', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    cluster.next('dn CREATE', 'lose');
    cluster.next('MKDIRS', 'lose');
    expect(await put(fs, '/lake/a', 'abc')).toBe(3);
    cluster.next('dn CREATE', { status: 503 });
    expect(await failure(put(fs, '/lake/b', 'abc'))).toMatchObject({ code: 'RXF_FILES_REMOTE' });
    cluster.next('DELETE', 'lose');
    expect(await once(fs.remove('/lake/a'))).toBe(true);
  });
});

describe('webhdfs-package waits for nobody without limit', () => {
  const limits = { requestTimeoutMs: 250, idleTimeoutMs: 250, retry: { maxAttempts: 1 } };

  it.each(['GETFILESTATUS', 'MKDIRS', 'CREATE', 'dn CREATE'])('an upload where %s is not answered', async (op) => {
    const cluster = await FakeCluster.start();
    cluster.next(op, 'hang');
    expect(await failure(put(driver(cluster, limits), '/lake/a', 'abc'))).toMatchObject({ code: 'RXF_FILES_TIMEOUT' });
  });

  it('a write whose bytes nobody takes, and leaves no connection behind', async () => {
    const cluster = await FakeCluster.start();
    let uploading: http.IncomingMessage | undefined;
    cluster.upload = (request) => {
      uploading = request.pause();
    };
    const writer = driver(cluster, limits).create('/lake/a');
    const filling = async () => {
      for (let n = 0; n < 100; n++) await once(writer.write(Buffer.alloc(1024 * 1024)));
    };
    const error = await failure(filling());
    expect(error).toMatchObject({ code: 'RXF_FILES_TIMEOUT' });
    expect(await failure(once(writer.close()))).toBe(error);
    uploading?.resume();
    await until(() => uploading?.destroyed === true && !uploading.complete);
  });

  it('a file that is given up: its connections end', async () => {
    const cluster = await FakeCluster.start();
    const writer = driver(cluster).create('/lake/a');
    await once(writer.write(Buffer.from('abc')));
    await until(() => cluster.count('dn') > 0);
    const before = cluster.live;
    writer.abort();
    await until(() => cluster.live < before);
  });

  it.each([
    ['RENAME', 'rename'],
    ['DELETE', 'remove'],
    ['LISTSTATUS', 'list'],
    ['OPEN', 'read'],
  ] as const)('%s', async (op, verb) => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster, limits);
    await put(driver(cluster), '/lake/a', 'abc');
    cluster.next(op, 'hang', 'hang');
    const work = {
      rename: () => once(fs.rename('/lake/a', '/lake/b')),
      remove: () => once(fs.remove('/lake/a')),
      list: () => once(fs.list('/lake')),
      read: () => once(fs.read('/lake/a', 9)),
    }[verb];
    expect(await failure(work() as Promise<unknown>)).toMatchObject({
      code: 'RXF_FILES_TIMEOUT',
      message: expect.stringContaining('250 ms'),
    });
  });

  it('an answer that has no end', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('LISTSTATUS', { status: 200, body: ' '.repeat(5_000) });
    const fs = driver(cluster, { maxResponseBytes: 4_096 });
    expect(await failure(once(fs.list('/lake')))).toMatchObject({
      code: 'RXF_FILES_PROTOCOL',
      message: expect.stringContaining('`maxResponseBytes` (4096)'),
    });
  });
});

describe('webhdfs-package says why', () => {
  it('in Hadoop’s words, with what to set here', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    const denied = remote('AccessControlException', 'Permission denied: user=flume, access=WRITE');
    cluster.next('CREATE', denied);
    expect(await failure(put(fs, '/lake/a', 'abc'))).toMatchObject({
      code: 'RXF_FILES_DENIED',
      message: expect.stringMatching(/Permission denied: user=flume, access=WRITE.*`client.user`\.$/),
    });
    await put(fs, '/lake/a', 'abc');
    cluster.next('OPEN', remote('AccessControlException', 'Permission denied: user=flume, access=READ'));
    expect(await failure(once(fs.read('/lake/a', 9)))).toMatchObject({
      code: 'RXF_FILES_DENIED',
      message: expect.stringContaining('access=READ'),
    });
    cluster.next('RENAME', denied);
    expect(await failure(once(fs.rename('/lake/a', '/lake/b')))).toMatchObject({ code: 'RXF_FILES_DENIED' });
  });

  it('where the NameNode is on standby, in safe mode, away, or no NameNode', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    const standby = remote('StandbyException', 'Operation category READ is not supported in state standby');
    cluster.next('GETFILESTATUS', standby, standby);
    expect(await once(fs.status('/lake'))).toBeNull();
    cluster.next('GETFILESTATUS', standby, standby, standby);
    expect(await failure(once(fs.status('/lake')))).toMatchObject({
      code: 'RXF_FILES_STANDBY',
      message: expect.stringContaining('`client.host`'),
    });
    cluster.states[0] = 'safe-mode';
    expect(await failure(put(fs, '/lake/a', 'a'))).toMatchObject({ code: 'RXF_FILES_SAFE_MODE' });
    cluster.next('GETFILESTATUS', { status: 404, body: '<html>' });
    expect(await failure(once(fs.status('/lake')))).toMatchObject({
      code: 'RXF_FILES_PROTOCOL',
      message: expect.stringContaining('`client` (host, port, path)'),
    });
    const gone = driver({ nameNodes: [await deadServer()] });
    expect(await failure(once(gone.status('/lake')))).toMatchObject({
      code: 'RXF_FILES_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('where a NameNode answers a creation with neither a rejection nor a DataNode, after which the package waits forever', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('CREATE', { status: 503, body: 'busy' });
    expect(await failure(put(driver(cluster), '/lake/a', 'abc'))).toMatchObject({
      code: 'RXF_FILES_REMOTE',
      message: expect.stringContaining('HTTP 503'),
    });
  });

  it('of a path that would leave its folder', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster);
    for (const work of [
      () => once(fs.status('/lake/../x')),
      () => once(fs.rename('/lake/a', '/lake/../b')),
      () => put(fs, '/lake/./x', 'a'),
    ]) {
      expect(await failure(work() as Promise<unknown>)).toMatchObject({
        code: expect.stringMatching(/^RXF_FILES_(DENIED|NAME)$/),
      });
    }
  });
});
