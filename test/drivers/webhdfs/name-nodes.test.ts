import { describe, expect, it } from '@jest/globals';
import { deadServer, FakeCluster, listen, remote, SECRET } from './fake-cluster.js';
import { driver, failure, once, put, until } from './setting.js';

describe('webhdfs, several NameNodes', () => {
  it('goes past a standby to the active one, and stays there', async () => {
    const cluster = await FakeCluster.start({ nameNodes: 2 });
    const fs = driver(cluster);
    expect(await put(fs, '/lake/a', 'x')).toBe(1);
    expect(await once(fs.status('/lake/a'))).toMatchObject({ bytes: 1 });
    expect(cluster.calls.filter((call) => call.startsWith('0 ')).length).toBeLessThanOrEqual(2);
  });

  it('goes past a dead one, and follows a failover', async () => {
    const cluster = await FakeCluster.start({ nameNodes: 2 });
    const fs = driver({ nameNodes: [await deadServer(), ...cluster.nameNodes] });
    expect(await once(fs.list('/'))).toEqual([]);
    cluster.states.splice(0, 2, 'active', 'standby');
    expect(await once(fs.list('/'))).toEqual([]);
    expect(cluster.calls.at(-1)).toBe('0 LISTSTATUS /');
  });

  it('goes past one that does not answer in time', async () => {
    const cluster = await FakeCluster.start({ nameNodes: 2 });
    cluster.next('LISTSTATUS', 'hang');
    expect(await once(driver(cluster, { requestTimeoutMs: 30 }).list('/'))).toEqual([]);
  });

  it('goes past a proxy that answers 503 without WebHDFS', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('LISTSTATUS', { status: 503, body: '<html>' }, { status: 502 });
    expect(await once(driver(cluster).list('/'))).toEqual([]);
    expect(cluster.count('LISTSTATUS')).toBe(3);
  });

  it('names all it tried, the reasons and what to do, after the attempts allowed', async () => {
    const cluster = await FakeCluster.start({ nameNodes: 2 });
    const dead = await deadServer();
    cluster.states.fill('standby');
    const error = await failure(once(driver({ nameNodes: [dead, ...cluster.nameNodes] }).list('/x')));
    expect(error.code).toBe('RXF_FILES_UNREACHABLE');
    expect(error.retryable).toBe(true);
    for (const server of [dead, ...cluster.nameNodes]) expect(error.message).toContain(server);
    expect(error.message).toMatch(
      /list \/x after 3 attempts: .*ECONNREFUSED.*StandbyException.*Check that a NameNode runs/,
    );
    expect(cluster.count('LISTSTATUS')).toBe(6);
  });

  it('says that all are standby', async () => {
    const cluster = await FakeCluster.start();
    cluster.states.fill('standby');
    expect(await failure(once(driver(cluster).list('/')))).toMatchObject({ code: 'RXF_FILES_STANDBY' });
  });

  it('waits for the end of safe mode, beyond the attempts allowed', async () => {
    const cluster = await FakeCluster.start({ nameNodes: 2 });
    const fs = driver(cluster);
    await put(fs, '/lake/before', 'x');
    cluster.calls.length = 0;
    cluster.states.splice(1, 1, 'safe-mode');
    const written = put(fs, '/lake/a', 'x');
    await until(() => cluster.calls.filter((call) => call.startsWith('1 MKDIRS')).length > 6);
    expect(cluster.count('CREATE')).toBe(0);
    cluster.states.splice(1, 1, 'active');
    expect(await written).toBe(1);
  });

  it('waits for safe mode no longer than `safeModeTimeoutMs`', async () => {
    const cluster = await FakeCluster.start();
    cluster.states.fill('safe-mode');
    const error = await failure(once(driver(cluster, { safeModeTimeoutMs: 20 }).remove('/a')));
    expect(error).toMatchObject({ code: 'RXF_FILES_SAFE_MODE', retryable: true });
    expect(error.message).toMatch(/Name node is in safe mode\. Wait until .*`safeModeTimeoutMs`/);
  });

  it('waits for one that is starting up', async () => {
    const cluster = await FakeCluster.start();
    const { status, body } = remote('RetriableException', 'Namenode is in startup mode');
    cluster.next('LISTSTATUS', ...Array.from({ length: 5 }, () => ({ status, body: String(body) })));
    expect(await once(driver(cluster).list('/'))).toEqual([]);
  });

  it('does not take a page that is not WebHDFS for a missing file', async () => {
    const nameNodes = [
      await listen((_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>')),
    ];
    for (const work of [once(driver({ nameNodes }).status('/a')), once(driver({ nameNodes }).list('/a'))]) {
      const error = await failure(work);
      expect(error).toMatchObject({ code: 'RXF_FILES_PROTOCOL', retryable: false });
      expect(error.message).toMatch(/HTTP 404 \(text\/html\).*`nameNodes`/);
    }
  });

  it.each(['{"FileStatus":', '[]', '{}', '{"FileStatus":{"length":-0.5}}', 'null'])(
    'rejects the answer %s',
    async (body) => {
      const cluster = await FakeCluster.start();
      cluster.next('GETFILESTATUS', { status: 200, body });
      expect(await failure(once(driver(cluster).status('/a')))).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
    },
  );

  it.each(['{"boolean":"true"}', '{}', ''])('does not take the answer %p for a yes', async (body) => {
    const cluster = await FakeCluster.start();
    cluster.next('DELETE', { status: 200, body });
    expect(await failure(once(driver(cluster).remove('/a')))).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
    cluster.next('MKDIRS', { status: 200, body });
    expect(await failure(put(driver(cluster), '/lake/a', 'x'))).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
  });

  it('rejects an answer over the limit: from its announced length, and from what came', async () => {
    let sent = 0;
    const nameNodes = [
      await listen((_, response) => {
        if (sent++ === 0) response.setHeader('content-length', 5_000_000_000);
        response.write(' '.repeat(3_000));
      }),
    ];
    for (const what of ['5000000000 bytes', 'more than 2048 bytes']) {
      const error = await failure(once(driver({ nameNodes }, { maxResponseBytes: 2_048 }).list('/')));
      expect(error).toMatchObject({ code: 'RXF_FILES_PROTOCOL' });
      expect(error.message).toContain(`${what}, over \`maxResponseBytes\` (2048)`);
    }
  });

  it('keeps one connection to the NameNode, and survives that the server closed it meanwhile', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster, { retry: { maxAttempts: 1 } });
    for (let n = 0; n < 5; n++) await once(fs.list('/'));
    expect(cluster.sockets).toBe(1);
    cluster.next('LISTSTATUS', 'drop');
    expect(await once(fs.list('/'))).toEqual([]);
  });

  it('asks no more once unsubscribed', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('LISTSTATUS', 'hang');
    const subscription = (
      driver(cluster).list('/') as ReturnType<typeof driver>['list'] & import('rxjs').Observable<unknown>
    ).subscribe();
    await until(() => cluster.count('LISTSTATUS') === 1);
    subscription.unsubscribe();
    await until(() => cluster.live === 0);
    expect(cluster.count('LISTSTATUS')).toBe(1);
  });

  it('says who may not do what, and what to do', async () => {
    const cluster = await FakeCluster.start();
    const { status, body } = remote(
      'AccessControlException',
      'Permission denied: user=flume, access=WRITE, inode="/x":keeper:keeper:drwx------\n\tat org.apache.hadoop.FSPermissionChecker.check(X.java:661)',
    );
    cluster.next('MKDIRS', { status, body: String(body) });
    const error = await failure(put(driver(cluster), '/x/a', 'x'));
    expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: false, details: { path: '/x', user: 'flume' } });
    expect(error.message).toMatch(/inode="\/x":keeper:keeper:drwx------\. Grant flume access to \/x, or set `user`/);
    expect(error.message).not.toMatch(/FSPermissionChecker|org\.apache/);
  });

  it('a 401 asks for credentials', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('LISTSTATUS', { status: 401, body: '<html>Authentication required' });
    expect(await failure(once(driver(cluster).list('/')))).toMatchObject({
      code: 'RXF_FILES_DENIED',
      retryable: false,
    });
  });

  it('sends the user or the token, never both, under the base path', async () => {
    const cluster = await FakeCluster.start();
    await once(driver({ nameNodes: [`${cluster.nameNodes[0]}/gateway/default/`] }).list('/a b'));
    let turn = 0;
    await once(driver(cluster, { delegationToken: async () => `${SECRET}${++turn}` }).list('/a b'));
    expect(cluster.queries.map((query) => [query.get('user.name'), query.get('delegation')])).toEqual([
      ['flume', null],
      [null, `${SECRET}1`],
    ]);
  });

  it('a path with a dot segment never leaves this process', async () => {
    const cluster = await FakeCluster.start();
    for (const path of ['/lake/../etc', '/lake/./x', '/..']) {
      expect(await failure(once(driver(cluster).remove(path)))).toMatchObject({ code: 'RXF_FILES_DENIED' });
    }
    expect(cluster.calls).toEqual([]);
  });
});
