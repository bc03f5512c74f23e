import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { EMPTY } from 'rxjs';
import { balance, deadLetter, decode, failover, routeBy, tee } from '../../operators/index.js';
import { examineFlow } from '../../src/cli/doctor/doctor.js';
import type { Group } from '../../src/cli/doctor/finding.js';
import { avroRpcClient, avroRpcServer } from '../../src/drivers/avro-rpc/index.js';
import { localDisk, localFiles } from '../../src/drivers/local-disk/index.js';
import { nodeHttpServer, tcpServer, udpServer, unixServer } from '../../src/drivers/node/index.js';
import { undici } from '../../src/drivers/undici/index.js';
import {
  consoleSink,
  type DeadLetter,
  fileSink,
  flow,
  flumeSink,
  flumeSource,
  httpSink,
  jsonLines,
  kafkaSink,
  nullSink,
  type Receipt,
  type Source,
} from '../../src/index.js';
import {
  fileSource,
  fromCallback,
  httpSource,
  lineRecords,
  netSource,
  spoolSource,
  syslogSource,
  tailSource,
} from '../../src/inputs/index.js';
import { avroSchema, registry } from '../../src/registry/index.js';
import { MemoryKafka } from '../../src/testing/index.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-doctor-parts-'));
const inTheWay = join(folder, 'plain');
writeFileSync(inTheWay, 'no folder\n');
const servers: Server[] = [];
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const server of servers) server.close();
});

const asked = { isDeep: false, record: undefined, withinMs: 5_000 };
const from = fromCallback<Uint8Array>(() => () => undefined, { name: 'n' });
const sinkAt = (at: string) => fileSink<unknown>(localDisk(), { root: join(folder, at), format: jsonLines() }).write();
const letters = fileSink<DeadLetter>(localDisk(), { root: join(inTheWay, 'letters'), format: jsonLines() }).write();
const dropped = nullSink().write();

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  return (server.address() as { port: number }).port;
}

/** The groups with what is wrong in each, in short; each such finding has its fix. */
function brief(groups: readonly Group[]): Record<string, string[]> {
  const bad = groups.map(({ name, findings }) => {
    const found = findings.filter(({ level }) => level !== 'ok');
    for (const { fix } of found) expect(fix).toMatch(/^\S.{10}/);
    return [name, found.map(({ level, text }) => `${level} ${text}`)] as const;
  });
  return Object.fromEntries(bad.filter(([name]) => name !== 'Flow'));
}

describe('doctor looks into operators', () => {
  it('at the sinks of branches, also of branches in branches, and at each once', async () => {
    const inner = routeBy<unknown, Receipt, string>(
      () => 'a',
      { a: sinkAt('plain/a'), own: () => EMPTY },
      { otherwise: dropped },
    );
    const all = balance<unknown, Receipt>([failover<unknown, Receipt>([sinkAt('well'), inner]), dropped]);
    const groups = await examineFlow(flow('branches', from, tee({ lake: all, again: dropped })), asked);
    expect(brief(groups)).toEqual({
      'tee › lake › sink 1 › sink 1': [],
      'tee › lake › sink 1 › sink 2 › a': [expect.stringMatching(/^problem Cannot look at folders: .*is a file/)],
      'tee › lake › sink 1 › sink 2 › own': ['warning Cannot tell about this part: it has no probe'],
    });
  });

  it('at the sinks of dead letters', async () => {
    const problem = [expect.stringMatching(/^problem Cannot look at folders: /)];
    const decoding = flow('decoding', from, decode(String, { deadLetter: letters }), dropped);
    expect(brief(await examineFlow(decoding, asked))).toEqual({ 'decode › deadLetter': problem });
    const setting = flow('setting', from, deadLetter(letters), dropped);
    expect(brief(await examineFlow(setting, asked))).toEqual({ 'deadLetter › sink': problem });
  });

  it('says how many of many branches it left out', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`b${at}`, nullSink().write()]));
    const groups = await examineFlow(
      flow(
        'many',
        from,
        routeBy(() => 'b1', many),
      ),
      asked,
    );
    expect(brief(groups)).toEqual({
      Branches: ['warning 8 more sinks in branches were not looked at (32 are)'],
    });
  });
});

describe('doctor asks a schema registry', () => {
  let status = 200;
  const server = createServer((_, answer) => {
    answer.statusCode = status;
    answer.end(status === 200 ? '["AVRO"]' : '{"error_code":40401,"message":"nothing here"}');
  });
  const flowWith = (port: number) => {
    const schemas = registry({ url: `http://127.0.0.1:${port}` });
    const sink = kafkaSink(new MemoryKafka(), { topic: 't', encode: schemas.encoder(avroSchema('string')) });
    return flow('registered', from, decode(schemas.decoder(avroSchema())), sink.write() as never);
  };

  it('whether it is reached, and answers this user', async () => {
    const port = await listening(server);
    const both = (found: unknown[]) => ({ 'decode › decoder': found, [Object.keys(groups).at(-1) as string]: found });
    let groups = brief(await examineFlow(flowWith(port), asked));
    expect(Object.keys(groups).slice(-2)).toEqual(['decode › decoder', expect.stringMatching(/ › encode$/)]);
    expect(groups).toMatchObject(both([]));
    status = 401;
    groups = brief(await examineFlow(flowWith(port), asked));
    expect(groups).toMatchObject(both([expect.stringMatching(/^problem Cannot ask for schemas: .*answered 401/)]));
    status = 404;
    groups = brief(await examineFlow(flowWith(port), asked));
    expect(groups).toMatchObject(both(['problem Cannot ask for schemas: nothing here']));
    groups = brief(await examineFlow(flowWith(1), asked));
    expect(groups['decode › decoder']).toEqual([
      expect.stringMatching(/^problem Schema registry 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/),
      expect.stringMatching(/^problem Cannot ask for schemas: /),
    ]);
  });
});

describe('doctor at inputs', () => {
  const brokenAt = async (source: Source<never>) => {
    const groups = await examineFlow(
      flow('input', source, consoleSink({ name: 'x', write: () => EMPTY }).write()),
      asked,
    );
    return Object.values(brief(groups)).flat();
  };
  const read = { records: lineRecords() };

  it.each([
    ['flume', (port: number, host = '127.0.0.1') => flumeSource(avroRpcServer({ host, port }), { name: 'n' })],
    ['http', (port: number, host = '127.0.0.1') => httpSource(nodeHttpServer({ host, port }), { name: 'n' })],
    ['tcp', (port: number, host = '127.0.0.1') => netSource(tcpServer({ host, port }), { name: 'n' })],
    ['syslog', (port: number, host = '127.0.0.1') => syslogSource(tcpServer({ host, port }), { name: 'n' })],
  ])('listens for %s: at an address that is free, that is in use, and that is not of this machine', async (_, of) => {
    const used = await listening(createTcpServer((socket) => socket.destroy()));
    expect(await brokenAt(of(0) as never)).toEqual([]);
    expect(await brokenAt(of(used) as never)).toEqual([
      expect.stringMatching(/^warning Cannot tell about the right to listen at .*EADDRINUSE/),
    ]);
    expect(await brokenAt(of(0, '192.0.2.1') as never)).toEqual([
      expect.stringMatching(/^problem Cannot listen: .*EADDRNOTAVAIL/),
    ]);
  });

  it('listens for datagrams and at a path', async () => {
    expect(await brokenAt(netSource(udpServer({ port: 0 }), { name: 'n' }) as never)).toEqual([]);
    const nowhere = unixServer({ path: join(folder, 'no/socket') });
    expect(await brokenAt(netSource(nowhere, { name: 'n' }) as never)).toEqual([
      expect.stringMatching(/^problem Cannot listen: /),
    ]);
  });

  it('reads files, spools and logs: those that are there, and those that are not', async () => {
    mkdirSync(join(folder, 'spool'));
    const files = (name: string) => fileSource(localDisk(), { name: 'n', files: [join(folder, name)], ...read });
    expect(await brokenAt(files('plain') as never)).toEqual([]);
    expect(await brokenAt(files('none-*') as never)).toEqual(['problem Cannot find files: no file fits']);
    const spool = (name: string) => spoolSource(localDisk(), { name: 'n', folder: join(folder, name), ...read });
    expect(await brokenAt(spool('spool') as never)).toEqual([]);
    expect(await brokenAt(spool('no-spool') as never)).toEqual(['problem Cannot find files: there is no such folder']);
    const tail = (name: string, positions: string) =>
      tailSource(localFiles(), { paths: [join(folder, name)], positionFile: join(folder, positions) });
    expect(await brokenAt(tail('plain', 'positions') as never)).toEqual([]);
    expect(await brokenAt(tail('nothing', 'no/positions') as never)).toEqual([
      expect.stringMatching(/^problem Cannot read the position file: .*ENOENT/),
      expect.stringMatching(/^warning Cannot tell about .*nothing of .*: no file matches yet$/),
    ]);
  });
});

it('doctor tries the servers of an HTTP sink and the agents of a Flume sink', async () => {
  const http = httpSink(undici(), { url: 'http://127.0.0.1:1/in' }).write();
  const flume = flumeSink(avroRpcClient({ agents: ['127.0.0.1:1'] }), {}).write();
  const groups = brief(await examineFlow(flow('out', from, tee({ http, flume } as never)), asked));
  expect(groups).toEqual({
    'tee › http': [expect.stringMatching(/^problem HTTP server 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/)],
    'tee › flume': [
      expect.stringMatching(/^problem Flume agent 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/),
      expect.stringMatching(/^problem Cannot /),
    ],
  });
});
