import { describe, expect, it } from '@jest/globals';
import { Monitor } from '../../../src/core/monitor.js';
import { netSource } from '../../../src/sources/net/net-source.js';
import type { NetSourceOptions } from '../../../src/sources/net/options.js';
import type { SyslogSourceOptions } from '../../../src/sources/syslog/options.js';
import { syslogSource } from '../../../src/sources/syslog/syslog-source.js';
import { MemorySockets } from '../../../src/testing/memory/memory-sockets.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type At = (ms: number, action: () => void) => void;

function relp(options: Partial<SyslogSourceOptions>, body: (run: ReturnType<typeof startRelp>, at: At) => void) {
  inVirtualTime((at) => {
    const run = startRelp(options);
    at(2, () => body(run, at));
    at(100_000, () => run.leave());
  });
}

function startRelp(options: Partial<SyslogSourceOptions>) {
  const sockets = new MemorySockets();
  const monitor = new Monitor();
  const run = new SourceRun(syslogSource(sockets, { name: 't', framing: 'relp', monitor, ...options }));
  const texts = () => run.seen.map(({ value }) => value.message);
  return Object.assign(run, { sockets, monitor, texts });
}

const OPEN = '1 open 14 relp_version=0\n';
const OPENED = '1 rsp 60 200 OK\nrelp_version=0\nrelp_software=rxflume\ncommands=syslog\n';
const message = (n: number, text = `m${n}`) => `${n} syslog ${text.length} ${text}\n`;

describe('RELP', () => {
  it('answers each message when it is durable, in order', () =>
    relp({}, (run, at) => {
      const client = run.sockets.connect();
      client.send(OPEN);
      at(5, () => client.send(message(2) + message(3)));
      at(6, () => client.send(message(4)));
      at(10, () => {
        expect([client.received.replace(/\d+ 200/, '60 200'), run.texts()]).toEqual([OPENED, ['m2', 'm3', 'm4']]);
        run.seen[2]?.ack();
        run.seen[0]?.ack();
      });
      at(11, () => {
        expect(client.received).not.toContain('rsp 6');
        run.seen[1]?.ack();
        expect(client.received.endsWith('2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n')).toBe(true);
      });
    }));

  it('has a length in its answer to `open` that is right', () =>
    relp({}, (run, at) => {
      const client = run.sockets.connect();
      client.send(OPEN);
      at(5, () => {
        const [, length = '', data = ''] = /^1 rsp (\d+) ([\s\S]*)\n$/.exec(client.received) ?? [];
        expect(data).toHaveLength(Number(length));
      });
    }));

  it('answers 500 at a nack and closes, so that the client sends all again that was not answered', () =>
    relp({}, (run, at) => {
      const client = run.sockets.connect();
      client.send(OPEN + message(2));
      at(5, () => client.send(message(3)));
      at(10, () => {
        run.seen[1]?.ack();
        run.seen[0]?.nack(new Error('away'));
        expect(client.received).toContain('2 rsp 26 500 not stored, send again\n');
        expect(client.received).not.toContain('3 rsp');
        expect([client.isClosed, run.ended]).toEqual([true, '']);
      });
    }));

  it('closes when it is asked to, once all is answered', () =>
    relp({}, (run, at) => {
      const client = run.sockets.connect();
      client.send(`${OPEN}${message(2)}3 close 0\n`);
      at(5, () => {
        expect(client.isClosed).toBe(false);
        run.seen[0]?.ack();
        expect(client.received.endsWith('2 rsp 6 200 OK\n3 rsp 0\n0 serverclose 0\n')).toBe(true);
        expect(client.isClosed).toBe(true);
      });
    }));

  it.each(['GET / HTTP/1.1\r\n', message(2), `${OPEN}2 starttls 0\n`])(
    'closes the connection of one that sends %j',
    (text) =>
      relp({}, (run, at) => {
        const client = run.sockets.connect();
        client.send(text);
        at(5, () => expect([client.isClosed, run.seen.length, run.ended]).toEqual([true, 0, '']));
      }),
  );

  it('says that it closes at the end of a drain', () =>
    relp({}, (run, at) => {
      const client = run.sockets.connect();
      client.send(OPEN + message(2));
      at(5, () => run.drain());
      at(10, () => run.seen[0]?.ack());
      at(20, () => {
        expect(client.received.endsWith('2 rsp 6 200 OK\n0 serverclose 0\n')).toBe(true);
        expect(run.ended).toBe('complete');
      });
    }));

  it('with `invalid: drop`, leaves out messages without a priority, counts them, and answers them', () =>
    relp({ invalid: 'drop' }, (run, at) => {
      const client = run.sockets.connect();
      client.send(OPEN + message(2) + message(3, '<13>a: b') + message(4));
      at(5, () => run.seen[0]?.ack());
      at(10, () => {
        expect([run.seen.length, run.monitor.total('rxflume_source_lost_total')]).toEqual([1, 2]);
        expect(client.received).toContain('4 rsp 6 200 OK');
        client.send(message(5));
      });
      at(20, () => expect(client.received).toContain('5 rsp 6 200 OK'));
    }));
});

describe('netSource', () => {
  const net = (
    options: Partial<NetSourceOptions>,
    body: (run: ReturnType<typeof startNet>, at: At) => void,
    transport: 'tcp' | 'udp' = 'tcp',
  ) =>
    inVirtualTime((at) => {
      const run = startNet(options, transport);
      at(2, () => body(run, at));
      at(100_000, () => run.leave());
    });

  function startNet(options: Partial<NetSourceOptions>, transport: 'tcp' | 'udp') {
    const sockets = new MemorySockets(transport);
    const monitor = new Monitor();
    const run = new SourceRun(netSource(sockets, { name: 't', monitor, ...options }));
    const texts = () => run.seen.map(({ value }) => Buffer.from(value).toString());
    return Object.assign(run, { sockets, monitor, texts, lost: () => monitor.total('rxflume_source_lost_total') });
  }

  it('delivers lines, the last without an end, with their client; a long one is shortened and marked', () =>
    net({ maxMessageBytes: 5 }, (run, at) => {
      const client = run.sockets.connect();
      client.send('one\r\ntoo long\n\nla');
      at(5, () => client.send('st'));
      at(10, () => client.close());
      at(15, () => {
        expect(run.texts()).toEqual(['one', 'too l', '', 'last']);
        const headers = run.seen.map(({ origin }) => Object.entries(origin.headers ?? {}).map(String));
        expect(headers.slice(0, 2)).toEqual([['client,client-1'], ['client,client-1', 'truncated,true']]);
      });
    }));

  it('makes streams wait while the window is full, and loses nothing of them', () =>
    net({ window: { count: 2 } }, (run, at) => {
      run.sockets.connect().send('1\n2\n3\n');
      at(5, () => run.sockets.connect().send('4\n'));
      at(10, () => {
        expect(run.texts()).toEqual(['1', '2']);
        for (const delivery of run.seen) delivery.ack();
      });
      at(20, () => expect([run.texts(), run.lost()]).toEqual([['1', '2', '3', '4'], 0]));
    }));

  it('counts the datagrams that come while the window is full', () =>
    net(
      { window: { count: 1 } },
      (run, at) => {
        for (const text of ['1\n', '2\n', '3']) run.sockets.datagram(text);
        at(5, () => {
          expect([run.texts(), run.lost()]).toEqual([['1'], 2]);
          run.seen[0]?.ack();
          run.sockets.datagram('4\r\n');
          expect(run.texts()).toEqual(['1', '4']);
        });
      },
      'udp',
    ));

  it('fails at a nack, since no client sends again; with `whenNacked: drop`, counts it', () => {
    net({}, (run, at) => {
      run.sockets.connect().send('1\n');
      at(5, () => run.seen[0]?.nack(new Error('away')));
      at(10, () => expect([run.ended, run.error?.code]).toEqual(['error', 'RXF_SOURCE_NACKED']));
    });
    net({ whenNacked: 'drop' }, (run, at) => {
      run.sockets.connect().send('1\n2\n3\n');
      at(5, () => run.seen[1]?.nack(new Error('away')));
      at(6, () => run.seen[0]?.ack());
      at(7, () => run.seen[2]?.ack());
      at(10, () => {
        expect([run.ended, run.lost(), run.monitor.total('rxflume_source_acked_total')]).toEqual(['', 1, 2]);
        run.drain();
      });
      at(20, () => expect(run.ended).toBe('complete'));
    });
  });

  it('closes a client that begins more than there is room for, and counts it', () =>
    net({ framing: 'length-prefixed', maxBufferedBytes: 10 }, (run, at) => {
      const [one, other] = [run.sockets.connect(), run.sockets.connect()];
      const begun = Buffer.concat([Buffer.of(0, 0, 0, 99), Buffer.alloc(8)]);
      one.send(begun);
      at(5, () => other.send(begun));
      at(10, () => expect([one.isClosed, other.isClosed, run.lost()]).toEqual([false, true, 1]));
    }));

  it('delivers what came before a drain, also what the window held back', () =>
    net({ window: { count: 1 } }, (run, at) => {
      run.sockets.connect().send('1\n2\n');
      at(5, () => run.drain());
      at(6, () => run.seen[0]?.ack());
      at(7, () => run.seen[1]?.ack());
      at(20, () => expect([run.texts(), run.ended, run.lost()]).toEqual([['1', '2'], 'complete', 0]));
    }));
});
