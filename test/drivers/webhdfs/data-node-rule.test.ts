import { describe, expect, it } from '@jest/globals';
import { lookupDataNode, problemOfDataNode } from '../../../src/drivers/webhdfs/data-node-rule.js';
import { FakeCluster, listen, SECRET } from './fake-cluster.js';
import { driver, failure, once, put } from './setting.js';

const problem = (location: string, nameNode = 'http://nn1:9870', allowed?: readonly string[]) =>
  problemOfDataNode(new URL(location), new URL(nameNode), allowed);

describe('where a NameNode may send us', () => {
  it('is any host with a DataNode', () => {
    for (const location of ['http://dn7:9864/x', 'http://10.0.0.7:9864/x', 'http://[2001:db8::7]:9864/x']) {
      expect(problem(location)).toBeNull();
    }
    expect(problem('https://dn7:9865/x', 'https://nn1:9871')).toBeNull();
    expect(problem('https://dn7:9865/x')).toBeNull();
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      expect(problem(`http://${host}:9864/x`, 'http://localhost:9870')).toBeNull();
    }
  });

  it.each([
    ['http://u:p@dn7/x', 'user information'],
    ['http://u@dn7/x', 'user information'],
    ['http://169.254.169.254/latest/meta-data', 'link-local'],
    // The same address, as other programs write it.
    ['http://2852039166/latest', 'link-local'],
    ['http://0xa9fea9fe/latest', 'link-local'],
    ['http://[::ffff:169.254.169.254]/x', 'link-local'],
    ['http://[fe80::1]/x', 'link-local'],
    ['http://[fd00:ec2::254]/x', 'link-local'],
    ['http://localhost:2375/x', 'this machine'],
    ['http://LOCALHOST.:2375/x', 'this machine'],
    ['http://127.8.8.8/x', 'this machine'],
    ['http://[::1]/x', 'this machine'],
    ['http://0.0.0.0/x', 'this machine'],
  ])('is not %s', (location, why) => expect(problem(location)).toContain(why));

  it('is never without TLS where the NameNode has it', () => {
    expect(problem('http://dn7:9864/x', 'https://nn1:9871')).toContain('without TLS');
    expect(problem('http://dn7:9864/x', 'https://nn1:9871', ['dn7'])).toContain('without TLS');
  });

  it('is what `dataNodes` lists, where it does', () => {
    const allowed = ['dn7', '*.lake.example', '10.0.0.7', 'localhost'];
    for (const host of ['dn7', 'DN7', 'a.lake.example', '10.0.0.7', 'localhost']) {
      expect(problem(`http://${host}:9864/x`, undefined, allowed)).toBeNull();
    }
    for (const host of ['dn8', 'lake.example', 'xlake.example', '10.0.0.8', 'dn7.evil.example']) {
      expect(problem(`http://${host}:9864/x`, undefined, allowed)).toContain('`dataNodes`');
    }
  });

  it('is not a name that leads to such an address', async () => {
    for (const all of [true, false]) {
      const error = await new Promise((resolve) => lookupDataNode('169.254.169.254', { all }, resolve));
      expect(String(error)).toContain('link-local');
      const found = await new Promise((resolve) => lookupDataNode('127.0.0.1', { all }, resolve));
      expect(found).toBeNull();
    }
  });

  it('is where nothing is sent to, with the reason and what to do', async () => {
    const got: string[] = [];
    const other = await listen((request, response) => {
      got.push(request.url ?? '');
      response.end('internal secret');
    });
    const cluster = await FakeCluster.start();
    cluster.files.set('/lake/a', Buffer.from('x'));
    cluster.location = other.replace('http://', 'http://me:pass@');
    const fs = driver(cluster, { delegationToken: SECRET });
    for (const work of [once(fs.read('/lake/a', 1_000)), put(fs, '/lake/b', 'text')]) {
      const error = await failure(work);
      expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: false });
      expect(error.message).toMatch(/named the DataNode http:\/\/127.*user information.*`dataNodes`/);
      expect(error.message).not.toContain('pass');
    }
    expect(got).toEqual([]);
    cluster.location = other;
    const listed = driver(cluster, { dataNodes: ['dn7'] });
    expect(await failure(once(listed.read('/lake/a', 1_000)))).toMatchObject({ code: 'RXF_FILES_DENIED' });
    expect(got).toEqual([]);
    for (const wrong of [[], ['http://dn7'], ['dn7:9864'], 'dn7']) {
      expect(() => driver(cluster, { dataNodes: wrong as never })).toThrow(/dataNodes/);
    }
  });

  it('is not asked to keep our token to itself: what it says back of it is not shown', async () => {
    const token = 'S3CR3T+pw/0rd==';
    const cluster = await FakeCluster.start();
    const body = JSON.stringify({
      RemoteException: { exception: 'InvalidToken', message: `token (${token}) is gone` },
    });
    cluster.next('LISTSTATUS', { status: 403, body });
    const error = await failure(once(driver(cluster, { delegationToken: token }).list('/')));
    expect(error.message).toContain('token (***) is gone');
  });
});
