import { describe, expect, it } from '@jest/globals';
import type { WebHdfsPackageOptions } from '../../../src/drivers/webhdfs-package/index.js';
import { redirectParams } from '../../../src/drivers/webhdfs-package/redirects.js';
import { FakeCluster, listen } from '../webhdfs/fake-cluster.js';
import { failure, once, put } from '../webhdfs/setting.js';
import { driver } from './setting.js';

const metadata = 'http://169.254.169.254';

/** A cluster that sends everybody who creates or opens a file to `location`. */
async function redirecting(location: string, status = 307): Promise<FakeCluster> {
  const cluster = await FakeCluster.start();
  cluster.folders.add('/lake');
  cluster.files.set('/lake/a', Buffer.from('abc'));
  cluster.next('CREATE', { status, headers: { location } });
  cluster.next('OPEN', { status, headers: { location } });
  return cluster;
}

const works: readonly [string, (cluster: FakeCluster, options?: Partial<WebHdfsPackageOptions>) => Promise<unknown>][] =
  [
    ['an upload', (cluster, options) => put(driver(cluster, options), '/lake/b', 'abc')],
    ['a read', (cluster, options) => once(driver(cluster, options).read('/lake/a', 9))],
  ];

describe.each(works)('%s through webhdfs-package', (_, work) => {
  it('goes where the NameNode sends it, if a DataNode may be there', async () => {
    const found: string[] = [];
    const dataNode = await listen((request, response) => {
      found.push(`${request.method}`);
      request.resume().on('end', () => response.writeHead(request.method === 'PUT' ? 201 : 200).end('abc'));
    });
    const cluster = await redirecting(`${dataNode}/webhdfs/v1/lake/a`);
    await work(cluster).catch(() => undefined);
    expect(found).toHaveLength(1);
    const listed = await redirecting(`${dataNode}/webhdfs/v1/lake/a`);
    await work(listed, { dataNodes: ['127.0.0.1'] }).catch(() => undefined);
    expect(found).toHaveLength(2);
  });

  it.each([
    ['cloud metadata', `${metadata}/latest`, {}, 'link-local', metadata],
    ['user information', 'http://me:secret@127.0.0.1:1/x', {}, 'user information', 'http://127.0.0.1:1'],
    [
      'a host that is not listed',
      'http://127.0.0.1:1/x',
      { dataNodes: ['*.lake'] },
      'none of `dataNodes`',
      'http://127.0.0.1:1',
    ],
  ])('does not go to %s', async (_case, location, options, why, named) => {
    const error = await failure(work(await redirecting(location), options));
    expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: false, details: { named } });
    expect(error.message).toContain(`it named the DataNode ${named}, to which nothing is sent`);
    expect(error.message).toContain(why);
    expect(error.message).toMatch(/If it is right, list its host in `dataNodes`\.$/);
    expect(JSON.stringify([error, error.message])).not.toContain('secret');
  });

  it('sends nothing to a server that is not listed, and asks the NameNode once', async () => {
    let asked = 0;
    const elsewhere = await listen((_request, response) => {
      asked += 1;
      response.end();
    });
    for (const status of [301, 307]) {
      const cluster = await redirecting(`${elsewhere}/x`, status);
      expect(await failure(work(cluster, { dataNodes: ['dn7'] }))).toMatchObject({ code: 'RXF_FILES_DENIED' });
      expect(cluster.count('CREATE') + cluster.count('OPEN')).toBe(1);
    }
    expect(asked).toBe(0);
  });

  it.each([
    ['ftp://dn7/x', 'it named a DataNode by ftp:'],
    ['http://', 'it redirected to what is no URL'],
  ])('does not go to %s', async (location, why) => {
    const error = await failure(work(await redirecting(location), { dataNodes: ['dn7'] }));
    expect(error).toMatchObject({ retryable: false });
    expect(error.message).toContain(why);
  });
});

describe('a DataNode that redirects an upload', () => {
  it.each([
    [301, 'at once', true],
    [307, 'at once', true],
    [301, 'after the file', false],
    [307, 'after the file', false],
  ])('is an error at once (%i, %s), and nothing goes there', async (status, _when, isEarly) => {
    let asked = 0;
    const elsewhere = await listen((_request, response) => {
      asked += 1;
      response.end();
    });
    const dataNode = await listen((request, response) => {
      const redirect = () => response.writeHead(status, { location: `${elsewhere}/login?delegation=secret` }).end();
      if (isEarly) redirect();
      else request.resume().on('end', redirect);
    });
    const cluster = await redirecting(`${dataNode}/webhdfs/v1/lake/b`);
    const startedAt = performance.now();
    const fs = driver(cluster, { requestTimeoutMs: 20_000, idleTimeoutMs: 20_000 });
    const error = await failure(put(fs, '/lake/b', 'abc', 'def'));
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(error).toMatchObject({ code: 'RXF_FILES_PROTOCOL', retryable: false, details: { path: '/lake/b', status } });
    expect(error.message).toContain(`the DataNode redirected the upload (status ${status}) to ${elsewhere}. `);
    expect(JSON.stringify([error, error.message])).not.toContain('secret');
    expect([asked, cluster.count('CREATE')]).toEqual([0, 1]);
  });
});

describe('webhdfs-package: which redirects are followed', () => {
  it('holds for the questions that are no upload or read too', async () => {
    const cluster = await FakeCluster.start();
    cluster.next('LISTSTATUS', { status: 307, headers: { location: `${metadata}/latest` } });
    expect(await failure(once(driver(cluster).list('/')))).toMatchObject({ code: 'RXF_FILES_DENIED' });
  });

  it.each(['followRedirect', 'followAllRedirects'])('is not for `requestParams.%s` to say', async (name) => {
    const cluster = await FakeCluster.start();
    for (const value of [true, false, () => true]) {
      expect(() => driver(cluster, { requestParams: { [name]: value } })).toThrow(
        /`requestParams\.follow.*`dataNodes`/,
      );
    }
  });

  it.each([[[]], ['dn7'], [['http://dn7']]])('is a list of hosts: not %j', async (dataNodes) => {
    const cluster = await FakeCluster.start();
    expect(() => driver(cluster, { dataNodes: dataNodes as never })).toThrow(/`dataNodes`/);
  });

  it('rejects names that lead to a link-local address, but not for the NameNode, nor where hosts are listed', async () => {
    const params = { client: { host: '169.254.169.254' }, requestParams: {}, dataNodes: undefined };
    const look = ({ lookup }: Readonly<Record<string, unknown>>) =>
      new Promise((resolve) => (lookup as (...args: unknown[]) => void)('169.254.169.254', {}, resolve));
    expect(await look(redirectParams({ ...params, client: { host: 'nn1' } }))).toMatchObject({
      message: expect.stringContaining('link-local'),
    });
    expect(await look(redirectParams(params))).toBeNull();
    expect(redirectParams({ ...params, dataNodes: ['dn7'] })).not.toHaveProperty('lookup');
  });
});
