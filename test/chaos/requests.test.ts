import { describe, expect, it } from '@jest/globals';
import { dataNodeProtocol, kafkaProtocol, nameNodeProtocol, type Part } from '../../chaos/requests.js';

const rename = (to: string) =>
  `PUT /webhdfs/v1/a/_rxflume/tmp/x?op=RENAME&destination=${encodeURIComponent(to)}&user.name=flume HTTP/1.1\r\nHost: a\r\n\r\n`;
const said = (parts: readonly Part[]) => parts.map(({ bytes, moment }) => [bytes.toString(), moment]);

describe('what a proxy knows of requests', () => {
  it('tells a commit from another rename, and both from the rest, also in pieces', () => {
    const requests = nameNodeProtocol.requests();
    const commit = rename('/a/_rxflume/ledger/s/0000000000000000');
    const list = 'GET /webhdfs/v1/a/_rxflume/ledger/s?op=LISTSTATUS HTTP/1.1\r\n\r\n';
    expect(requests(Buffer.from(commit.slice(0, 40)))).toEqual([]);
    expect(said(requests(Buffer.from(commit.slice(40) + list + rename('/a/mod=1/x'))))).toEqual([
      [commit, 'commit'],
      [list, undefined],
      [rename('/a/mod=1/x'), 'rename'],
    ]);
  });

  it('takes the answer of a rename for one, and not the 100 Continue of a DataNode', () => {
    const [part] = nameNodeProtocol.requests()(Buffer.from(rename('/a/b')));
    expect(part?.isAnswer?.(Buffer.from('HTTP/1.1 200 OK\r\n'))).toBe(true);
    expect(part?.isAnswer?.(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'))).toBe(false);
    expect(part?.isAnswer?.(Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n'))).toBe(true);
  });

  it('finds the first of the body of an upload, and only that', () => {
    const head = 'PUT /webhdfs/v1/a?op=CREATE&overwrite=false HTTP/1.1\r\nHost: a\r\n\r\n';
    const requests = dataNodeProtocol.requests();
    expect(said(requests(Buffer.from(`${head}5\r\nhe`)))).toEqual([
      [head, undefined],
      ['5\r\nhe', 'data'],
    ]);
    expect(said(requests(Buffer.from('llo\r\n')))).toEqual([['llo\r\n', undefined]]);
    const reading = dataNodeProtocol.requests()(Buffer.from('GET /webhdfs/v1/a?op=OPEN HTTP/1.1\r\n\r\nx'));
    expect(reading.map(({ moment }) => moment)).toEqual([undefined, undefined]);
  });

  const frame = (...parts: (number | string)[]) => {
    const body = Buffer.concat(
      parts.map((part) => {
        if (typeof part === 'string') return Buffer.from(part);
        const bytes = Buffer.alloc(4);
        bytes.writeInt32BE(part);
        return bytes;
      }),
    );
    const size = Buffer.alloc(4);
    size.writeInt32BE(body.length);
    return Buffer.concat([size, body]);
  };
  const kafka = kafkaProtocol({ host: '127.0.0.1', port: 19092 }, 40000);

  it('finds a commit of offsets and its own answer among others', () => {
    const heartbeat = frame((12 << 16) | 3, 41);
    const commit = frame((8 << 16) | 5, 42);
    const parts = kafka.requests()(Buffer.concat([heartbeat, commit]));
    expect(parts.map(({ moment }) => moment)).toEqual([undefined, 'offsets']);
    expect(parts[1]?.isAnswer?.(frame(41, 0))).toBe(false);
    expect(parts[1]?.isAnswer?.(frame(42, 0))).toBe(true);
  });

  it('puts its own port where the cluster says where a broker is, also in pieces', () => {
    const said = frame(1, '\0\t127.0.0.1', 19092, 1, '\0\t127.0.0.1', 19092);
    const answers = kafka.answers();
    expect(answers(said.subarray(0, 14))).toEqual([]);
    const [part] = answers(said.subarray(14));
    expect(part?.bytes).toEqual(frame(1, '\0\t127.0.0.1', 40000, 1, '\0\t127.0.0.1', 40000));
  });
});
