import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { firstValueFrom, from, type ObservableInput } from 'rxjs';
import type { RxflumeError } from '../../src/core/errors.js';
import { defaultMonitor } from '../../src/core/monitor.js';
import { type WebHdfsOptions, webhdfs } from '../../src/drivers/webhdfs/index.js';
import { secret } from '../../src/security/index.js';
import { describeOwnKafka, hasOwnKafka } from './own-kafka.js';
import { fresh, root, services, sleep } from './support.js';

jest.setTimeout(60_000);

// Skipped only where the services run in Docker: the KDC and its HDFS are always processes.
const base = process.env.RXFLUME_SERVICES_DIR ?? join(root, '.services');
const file = (name: string) => join(base, 'data/kerberos', name);
const FLUME = 'flume@RXFLUME.TEST';
const before = { ...process.env };
const logged: unknown[] = [];
const watching = defaultMonitor.logEvents$.subscribe((event) => logged.push(event));
let nameNode = '';

if (hasOwnKafka) {
  beforeAll(async () => {
    const ports = await services('kerberos', 'start');
    nameNode = `https://localhost:${/NAMENODE_HTTPS=(\d+)/.exec(ports)?.[1]}`;
    process.env.KRB5_CONFIG = file('krb5.conf');
    process.env.NODE_PATH = join(base, 'lib/kerberos/node_modules');
  }, 120_000);
  afterAll(async () => {
    watching.unsubscribe();
    for (const name of ['KRB5_CONFIG', 'NODE_PATH']) process.env[name] = before[name];
    await services('kerberos', 'stop');
  }, 60_000);
}

const once = <T>(answer: ObservableInput<T>): Promise<T> => firstValueFrom(from(answer));

function hdfs(keytab: string, given: Partial<WebHdfsOptions> = {}, principal = FLUME) {
  const kerberos = { principal, keytab: file(`${keytab}.keytab`), timeoutMs: 6_000 };
  const tls = { ca: { file: file('tls/ca.pem') } };
  return webhdfs({ nameNodes: [nameNode], tls, kerberos, retry: { maxAttempts: 2 }, ...given } as WebHdfsOptions);
}

async function put(fs: ReturnType<typeof hdfs>, path: string, text: string, openMs = 0): Promise<void> {
  const writer = fs.create(`${path}.part`);
  await once(writer.write(Buffer.from(text.slice(0, 1))));
  await sleep(openMs);
  await once(writer.write(Buffer.from(text.slice(1))));
  await once(writer.close());
  expect(await once(fs.publish(`${path}.part`, path))).toBe('renamed');
}

async function failure(work: Promise<unknown>): Promise<RxflumeError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (cause: unknown) => cause,
  );
  logged.push(error);
  return error as RxflumeError;
}

describeOwnKafka('HDFS whose users log in by Kerberos', () => {
  it('has all files, each once, through renewals of the token and its replacement, with a KDC that is away for a while', async () => {
    const folder = `/lake/${fresh('renewed')}`;
    const fs = hdfs('flume');
    const writing: Promise<void>[] = [];
    // A token is renewed after 4 s, and lasts for 14.
    for (let n = 0; n < 20; n++) {
      writing.push(put(fs, `${folder}/${n}`, `file ${n}`, 4_000));
      await sleep(1_000);
    }
    await Promise.all(writing);
    await services('kerberos', 'pause', 'kdc');
    let held: RxflumeError | undefined;
    try {
      const end = performance.now() + 25_000;
      // As long as the token lasts, nobody needs a KDC.
      await put(fs, `${folder}/20`, 'file 20');
      while (held === undefined && performance.now() < end) {
        held = await once(fs.list(folder)).then(
          () => undefined,
          (error: RxflumeError) => error,
        );
        await sleep(250);
      }
    } finally {
      await services('kerberos', 'resume', 'kdc');
    }
    expect(held).toMatchObject({ code: 'RXF_FILES_KERBEROS', retryable: true });
    expect(held?.message).toMatch(
      /no KDC answered within 6000 ms|annot contact any KDC.*Check that a KDC of the realm runs/,
    );
    await put(fs, `${folder}/21`, 'file 21');
    const files = await once(fs.list(folder));
    expect(files.map(({ path }) => path).sort()).toEqual(Array.from({ length: 22 }, (_, n) => `${folder}/${n}`).sort());
    for (const { path } of files) {
      expect(String(await once(fs.read(path, 100)))).toBe(`file ${path.split('/').at(-1)}`);
    }
  });

  it.each([
    [
      'stale',
      FLUME,
      /Preauthentication failed\. The key in `kerberos.keytab` is not, or no longer, that of the principal/,
    ],
    ['other', FLUME, /Check that `kerberos.keytab` can be read and has a key of `kerberos.principal`/],
    ['flume', 'flume@ELSEWHERE.TEST', /has a key of `kerberos.principal`/],
  ])('says what to do where the login is wrong: %s for %s', async (keytab, principal, says) => {
    const error = await failure(once(hdfs(keytab, {}, principal).list('/lake')));
    expect(error).toMatchObject({ code: 'RXF_FILES_KERBEROS', retryable: false });
    expect(error.message).toMatch(says);
  });

  it('says so where the host has no principal, the user no rights, or nobody logs in', async () => {
    const nameNodes = [nameNode.replace('localhost', '127.0.0.1')];
    const unknown = await failure(once(hdfs('flume', { nameNodes }).list('/lake')));
    expect(unknown.message).toMatch(
      /HTTP\/127\.0\.0\.1@RXFLUME\.TEST not found .*use the host name that its principal has/,
    );
    const denied = await failure(put(hdfs('other', {}, 'other@RXFLUME.TEST'), `/lake/${fresh('other')}`, 'text'));
    expect(denied).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: false });
    const tls = { ca: { file: file('tls/ca.pem') } };
    const nobody = await failure(once(webhdfs({ nameNodes: [nameNode], tls, user: 'flume' }).list('/lake')));
    expect(nobody.message).toContain('HTTP 401');
    expect(nobody.message).toContain('set `user`, `kerberos`, `delegationToken` or `authorization`');
  });

  it('takes a token that is given, until it has expired, and shows it nowhere', async () => {
    const url = `${nameNode}/webhdfs/v1/?op=GETDELEGATIONTOKEN&renewer=flume`;
    const args = ['-sS', '--noproxy', '*', '--negotiate', '-u', ':', '--cacert', file('tls/ca.pem'), url];
    const env = { ...process.env, KRB5_CLIENT_KTNAME: file('flume.keytab'), KRB5CCNAME: 'MEMORY:' };
    const { stdout } = await promisify(execFile)('curl', args, { env });
    const token = String(JSON.parse(stdout).Token.urlString);
    const fs = hdfs('flume', { kerberos: undefined as never, delegationToken: secret.from(() => token) });
    await once(fs.list('/lake'));
    await sleep(5_500);
    const error = await failure(once(fs.list('/lake')));
    expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: true });
    expect(error.message).toMatch(/Renew or replace the delegation token/);
    expect(inspect(logged, { depth: 9, maxStringLength: null, maxArrayLength: null })).not.toContain(token);
  });
});
