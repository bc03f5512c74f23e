import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { webhdfs } from '../../../src/drivers/webhdfs/index.js';
import { deadServer, FakeCluster, listen, remote, SECRET } from './fake-cluster.js';
import { driver, failure, once, put } from './setting.js';

const delegationToken = SECRET;

function expectNoSecret(error: unknown): void {
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(SECRET);
  for (let link = error; typeof link === 'object' && link !== null; link = (link as Error).cause) {
    for (const name of Object.getOwnPropertyNames(link)) {
      // Node keeps the bytes it could not parse beside the error.
      const value: unknown = Reflect.get(link, name);
      if (ArrayBuffer.isView(value)) expect(Buffer.from(value as Uint8Array).toString('latin1')).not.toContain(SECRET);
    }
  }
}

describe('webhdfs tells no secret', () => {
  it('in its name, or when printed', () => {
    const fs = webhdfs({ nameNodes: ['http://nn1:9870', 'https://nn2:9871/gateway/x'], delegationToken });
    expect(fs.name).toBe('webhdfs http://nn1:9870 https://nn2:9871');
    expectNoSecret(fs);
    expect(JSON.stringify(fs)).not.toContain(SECRET);
  });

  it('in an option error', () => {
    for (const url of [`http://user:${SECRET}@nn`, `http://nn?delegation=${SECRET}`, `://user:${SECRET}@`]) {
      expect(() => webhdfs({ nameNodes: [url] })).toThrow(/Expected `nameNodes\[0\]` to be an http or https URL/);
      try {
        webhdfs({ nameNodes: [url] });
      } catch (error) {
        expectNoSecret(error);
      }
    }
  });

  it('when no NameNode, or no DataNode, answers', async () => {
    expectNoSecret(await failure(once(driver({ nameNodes: [await deadServer()] }, { delegationToken }).list('/'))));
    const cluster = await FakeCluster.start();
    cluster.location = await deadServer();
    for (const work of [
      put(driver(cluster, { delegationToken }), '/lake/a', 'x'),
      once(driver(cluster, { delegationToken }).read('/lake/a', 1)),
    ]) {
      cluster.files.set('/lake/a', Buffer.alloc(1));
      expectNoSecret(await failure(work));
    }
  });

  it('when a server answers what is not HTTP, or a header that cannot be read', async () => {
    for (const answer of [
      `delegation=${SECRET}\r\n\r\n`,
      `HTTP/1.1 307 X\r\nLocation: http://h?delegation=${SECRET}\r\nBad Header: \0\r\n\r\n`,
    ]) {
      const nameNodes = [await listen((request) => void request.socket.end(answer))];
      const error = await failure(once(driver({ nameNodes }, { delegationToken }).list('/')));
      expect(error.message).toMatch(/Parse Error/);
      expectNoSecret(error);
    }
  });

  it('when a server says the URL back', async () => {
    const cluster = await FakeCluster.start();
    const { status, body } = remote('IOException', `Cannot open http://dn?op=OPEN&delegation=${SECRET}&x=1`);
    cluster.next('LISTSTATUS', { status, body: String(body) });
    const error = await failure(once(driver(cluster, { delegationToken }).list('/')));
    expect(error.message).toContain('delegation=***&x=1');
    expectNoSecret(error);
  });

  it('when the Location is rejected', async () => {
    const cluster = await FakeCluster.start();
    for (const Location of [`ftp://h/x?delegation=${SECRET}`, `nothing?delegation=${SECRET}`]) {
      cluster.next('CREATE', { status: 200, body: JSON.stringify({ Location }) });
      expectNoSecret(await failure(put(driver(cluster, { delegationToken }), '/lake/a', 'x')));
    }
  });

  it('when the token cannot be had', async () => {
    const cluster = await FakeCluster.start();
    const failing = async () => {
      throw new Error('vault is sealed');
    };
    const error = await failure(once(driver(cluster, { delegationToken: failing }).list('/')));
    expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: true });
    expect(error.message).toContain('vault is sealed');
  });
});
