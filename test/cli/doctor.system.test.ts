import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { decode } from '../../operators/index.js';
import { examineFlow } from '../../src/cli/doctor/doctor.js';
import { exitCodeOf, type Group } from '../../src/cli/doctor/finding.js';
import { reach } from '../../src/cli/doctor/reach.js';
import { embeddedLog } from '../../src/drivers/embedded-log/index.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { fileSink, flow, json, jsonLines, kafkaSource } from '../../src/index.js';
import { certificate } from '../drivers/avro-rpc/certificate.js';
import { root, rxflume } from './child.js';
import { fitting } from './json-schema.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-doctor-'));
const file = join(root, 'test/cli', `.flow-${process.pid}-doctor.ts`);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(file, { force: true });
});

const log = embeddedLog({ folder: join(folder, 'log'), topics: ['chat'] });
const flowInto = (lake: string) =>
  flow(
    'chat',
    kafkaSource(log, { topics: ['chat'], groupId: 'g' }),
    decode(json()),
    fileSink<unknown>(localDisk(), { root: lake, format: jsonLines() }).write(),
  );
const asked = { isDeep: false, record: undefined, withinMs: 10_000 };
const bads = (groups: readonly Group[]) =>
  groups.flatMap(({ findings }) => findings.filter(({ level }) => level !== 'ok').map(({ text, fix }) => [text, fix]));

describe('doctor over an embedded log and a disk', () => {
  it('is well, runs one record end to end, and leaves nothing behind, not even where the root is not there yet', async () => {
    await log.append('chat', ['{"n":1}']);
    for (const lake of ['lake', 'not/there/yet']) {
      if (lake === 'lake') mkdirSync(join(folder, 'lake/_rxflume'), { recursive: true });
      const groups = await examineFlow(flowInto(join(folder, lake)), { ...asked, isDeep: true });
      expect([bads(groups), exitCodeOf(groups)]).toEqual([[], 0]);
      expect(groups.at(-1)?.findings.map(({ text }) => text)).toEqual([
        'May read a record: kafkaSource',
        expect.stringMatching(/^May write a record through the operators, read it back: kafkaSource to /),
        expect.stringMatching(/^May remove the scratch files: /),
      ]);
    }
    expect(readdirSync(join(folder, 'lake/_rxflume'))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['lake', 'log']);
  });

  it('names a record that the flow does not take', async () => {
    const record = join(folder, 'log/record');
    writeFileSync(record, 'no json\n');
    const groups = await examineFlow(flowInto(join(folder, 'lake')), { ...asked, isDeep: true, record });
    expect(bads(groups)).toEqual([
      [
        expect.stringMatching(/^Cannot write a record through the operators: .*nacked/),
        expect.stringContaining('--record'),
      ],
    ]);
    expect(readdirSync(join(folder, 'lake/_rxflume'))).toEqual([]);
  });

  it('says what is lacking where a file is in the way of the root', async () => {
    writeFileSync(join(folder, 'log/plain'), '');
    const groups = await examineFlow(flowInto(join(folder, 'log/plain/lake')), asked);
    expect([bads(groups).length > 0, exitCodeOf(groups)]).toEqual([true, 1]);
    expect(bads(groups)[0]?.[0]).toMatch(/^Cannot (look at folders|make a folder): /);
  });

  it('as a command: JSON by its schema, exit 0; a file that cannot be loaded, exit 1; no such file, exit 2', async () => {
    writeFileSync(
      file,
      `import { consoleSink, flow, kafkaSource } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { stdio } from 'rxflume/drivers/stdio';
const log = embeddedLog({ folder: ${JSON.stringify(join(folder, 'other'))}, topics: ['a'] });
export default flow('doctored', kafkaSource(log, { topics: ['a'], groupId: 'g' }), consoleSink<any>(stdio()).write());
`,
    );
    const well = await rxflume(['doctor', file, '--json']);
    fitting('doctor', well.stdout);
    expect(well.code).toBe(0);
    expect(existsSync(join(folder, 'other'))).toBe(false);
    writeFileSync(file, "throw new Error('no config');");
    const broken = await rxflume(['doctor', file]);
    expect([broken.code, broken.stdout]).toEqual([1, expect.stringContaining('threw while it was loaded: no config')]);
    expect((await rxflume(['doctor', 'no-such-file.ts'])).code).toBe(2);
  });
});

describe('reach', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  const listening = (server: Server): Promise<number> => {
    servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
  };
  const tried = (port: number, more: object = {}) =>
    reach({ role: 'server', host: '127.0.0.1', port, fix: 'x', ...more }, 2_000).then(({ outcome }) => outcome);

  it('tells a server from a closed port and a name that is not known', async () => {
    const port = await listening(createServer((socket) => socket.destroy()));
    expect(await tried(port)).toMatchObject({ isReached: true });
    expect(await tried(1)).toMatchObject({
      isReached: false,
      stage: 'connection',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await tried(port, { host: 'no-such-host.invalid' })).toMatchObject({ isReached: false, stage: 'name' });
  });

  it('tells until when a certificate is valid, and where TLS fails', async () => {
    const { key, cert } = certificate;
    const port = await listening(createTlsServer({ key, cert }, (socket) => socket.end()));
    expect(await tried(port, { host: 'localhost', tls: { servername: 'localhost', ca: cert } })).toMatchObject({
      isReached: true,
      certificate: { subject: 'agent.test', validToMs: expect.any(Number) },
    });
    expect(await tried(port, { host: 'localhost', tls: { servername: 'localhost' } })).toMatchObject({
      isReached: false,
      stage: 'tls',
    });
    const plain = await listening(createServer((socket) => socket.end('no TLS here')));
    expect(await tried(plain, { tls: {} })).toMatchObject({ isReached: false, stage: 'tls' });
    const silent = await listening(createServer(() => undefined));
    expect(await tried(silent, { tls: {} })).toMatchObject({ isReached: false, reason: 'no answer within 2000 ms' });
  });
});

it('doctor shows no secret of a flow whose servers are away', async () => {
  const own = join(root, 'test/cli', `.flow-${process.pid}-secrets.ts`);
  writeFileSync(
    own,
    `import { fileSink, flow, jsonLines, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
const kafka = kafkajs({ brokers: ['127.0.0.1:1'], sasl: { mechanism: 'plain', username: 'u', password: 's3cret-of-kafka' } });
const hdfs = webhdfs({ nameNodes: ['http://127.0.0.1:1'], delegationToken: 's3cret-of-hdfs', retry: { maxAttempts: 1 } });
export default flow('away', kafkaSource(kafka, { topics: ['a'], groupId: 'g' }), fileSink<any>(hdfs, { root: '/a', format: jsonLines() }).write());
`,
  );
  try {
    const { code, stdout, stderr } = await rxflume(['doctor', own, '--deep', '--within', '6s']);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/✗ Kafka broker 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*\n {4}→ /);
    expect(stdout).toMatch(/✗ NameNode 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*\n {4}→ /);
    expect(stdout).not.toContain('s3cret');
  } finally {
    rmSync(own);
  }
});
