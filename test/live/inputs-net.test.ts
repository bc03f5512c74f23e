import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { tcpServer, udpServer, unixServer } from 'rxflume/drivers/node';
import { netSource, syslogSource } from 'rxflume/inputs';
import type { Subscription } from 'rxjs';
import { certificate, renewed } from '../drivers/avro-rpc/certificate.js';
import { root, sleep } from './support.js';

jest.setTimeout(90_000);

const RSYSLOG = '/usr/sbin/rsyslogd';
// Skipped only on a machine of a developer without rsyslog: CI installs it, and fails without it.
const describeRsyslog = existsSync(RSYSLOG) || process.env.CI === 'true' ? describe : describe.skip;
const work = mkdtempSync(join(tmpdir(), 'rxflume-inputs-'));
const children = new Set<ChildProcess>();
const lives: Subscription[] = [];

afterEach(async () => {
  for (const life of lives.splice(0)) life.unsubscribe();
  await Promise.all([...children].map((child) => stop(child, 'SIGKILL')));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function start(command: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function until(holds: () => boolean, what: string, withinMs = 60_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited ${withinMs} ms for ${what}`);
    await sleep(50);
  }
}

const linesIn = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
const missing = (file: string, prefix: string, count: number) => {
  const found = new Set(linesIn(file));
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`).filter((text) => !found.has(text)).length;
};

const files = {
  cert: join(work, 'cert.pem'),
  key: join(work, 'key.pem'),
  /** Both certificates: what the collector has, and what it is renewed to. */
  authorities: join(work, 'authorities.pem'),
  renewed: join(work, 'renewed.pem'),
};
function useCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
}
useCertificate(certificate);
writeFileSync(files.authorities, `${certificate.cert}\n${renewed.cert}\n`);
writeFileSync(files.renewed, `${renewed.cert}\n`);

const relpTo = (port: number, tls = '') =>
  `action(type="omrelp" target="127.0.0.1" port="${port}" template="numbered" action.resumeRetryCount="-1" action.resumeInterval="1" ${tls})`;
const overTls = (authorities: string) =>
  `tls="on" tls.caCert="${authorities}" tls.authMode="name" tls.permittedPeer=["agent.test"]`;

/** rsyslog, which reads lines from a file and forwards each by this action. */
function rsyslog(input: string, action: string): ChildProcess {
  const folder = mkdtempSync(join(work, 'rsyslog-'));
  const config = join(folder, 'rsyslog.conf');
  writeFileSync(
    config,
    `global(workDirectory="${folder}" defaultNetstreamDriverCAFile="${files.authorities}")
module(load="imfile" mode="polling" pollingInterval="1")
module(load="omrelp" tls.tlslib="openssl")
template(name="numbered" type="string" string="<13>%timegenerated% host app: %msg%")
input(type="imfile" file="${input}" tag="app:")
${action}
`,
  );
  return start(RSYSLOG, ['-n', '-f', config, '-i', join(folder, 'pid')]);
}

describeRsyslog('rsyslog', () => {
  it('by RELP, in the clear and by TLS, and HTTP clients that send again, lose nothing though the collector is killed five times', async () => {
    const [relpPort, tlsPort, httpPort] = [await freePort(), await freePort(), await freePort()];
    const file = join(work, 'stored');
    const env = {
      TEST_FILE: file,
      TEST_RELP_PORT: String(relpPort),
      TEST_RELP_TLS_PORT: String(tlsPort),
      TEST_CERT: files.cert,
      TEST_KEY: files.key,
      TEST_HTTP_PORT: String(httpPort),
    };
    const collect = () =>
      start(process.execPath, ['--import', 'tsx', join(root, 'test/live/flows/inputs-net.ts')], env);
    const COUNT = 1_500;
    const inputOf = (prefix: string) => {
      const input = join(work, `${prefix}.log`);
      writeFileSync(input, Array.from({ length: COUNT }, (_, n) => `${prefix}${n}\n`).join(''));
      return input;
    };
    const areStored = () => missing(file, 'r', COUNT) === 0 && missing(file, 's', COUNT) === 0;
    let collector = collect();
    rsyslog(inputOf('r'), relpTo(relpPort));
    rsyslog(inputOf('s'), relpTo(tlsPort, overTls(files.authorities)));
    let isPosted = false;
    const posting = (async () => {
      for (let n = 0; n < 600; n += 1) {
        const body = JSON.stringify([`h${n}`]);
        const send = () =>
          fetch(`http://127.0.0.1:${httpPort}/`, {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json' },
          }).then(
            ({ status }) => status === 200,
            () => false,
          );
        while (!(await send())) await sleep(100);
      }
      isPosted = true;
    })();
    for (let kill = 1; kill <= 5; kill += 1) {
      const before = linesIn(file).length;
      await until(() => linesIn(file).length > before + 50 || (isPosted && areStored()), 'some lines');
      await stop(collector, 'SIGKILL');
      collector = collect();
    }
    await posting;
    await until(areStored, 'all lines');
    expect(['r', 's', 'h'].map((prefix) => missing(file, prefix, prefix === 'h' ? 600 : COUNT))).toEqual([0, 0, 0]);
  });

  it('by RELP trusts a renewed certificate, without a restart of the collector', async () => {
    const port = await freePort();
    const texts: string[] = [];
    const tls = () => ({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
    const server = tcpServer({ port, tls, reloadIntervalMs: 50 });
    lives.push(
      syslogSource(server, { name: 'relp', framing: 'relp' }).subscribe((delivery) => {
        texts.push(delivery.value.message.trim());
        delivery.ack();
      }),
    );
    const inputs = [join(work, 'first.log'), join(work, 'second.log')] as const;
    writeFileSync(inputs[0], 'one\n');
    rsyslog(inputs[0], relpTo(port, overTls(files.authorities)));
    await until(() => texts.length === 1, 'a message', 20_000);
    useCertificate(renewed);
    await sleep(200);
    // The other trusts only the new one; the first stays connected.
    writeFileSync(inputs[1], 'two\n');
    rsyslog(inputs[1], relpTo(port, overTls(files.renewed)));
    await until(() => texts.length === 2, 'a message', 20_000);
    appendFileSync(inputs[0], 'three\n');
    await until(() => texts.length === 3, 'a message', 20_000);
    useCertificate(certificate);
    expect(texts).toEqual(['one', 'two', 'three']);
  });

  it.each([
    ['TCP, by octet counting', 'TCP_Framing="octet-counted"', {}],
    ['TCP, by line feeds', '', {}],
    [
      'TLS',
      'streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="agent.test"',
      { tls: certificate },
    ],
  ])('is read over %s', async (_, framing, tls) => {
    const port = await freePort();
    const texts: string[] = [];
    lives.push(
      syslogSource(tcpServer({ port, ...tls }), { name: 'tcp' }).subscribe((delivery) => {
        texts.push(
          `${delivery.value.format} ${delivery.value.host} ${delivery.value.app} ${delivery.value.message.trim()}`,
        );
        delivery.ack();
      }),
    );
    const input = join(mkdtempSync(join(work, 'in-')), 'input.log');
    writeFileSync(input, 'one\ntwo\n');
    rsyslog(
      input,
      `action(type="omfwd" protocol="tcp" target="127.0.0.1" port="${port}" template="numbered" ${framing})`,
    );
    await until(() => texts.length === 2, 'two messages', 20_000);
    expect(texts.sort()).toEqual(['rfc3164 host app one', 'rfc3164 host app two']);
  });
});

describe('clients of Debian', () => {
  it('logger is read over UDP, TCP and a unix socket, in both forms', async () => {
    const [udp, tcp, path] = [await freePort(), await freePort(), join(work, 'log.sock')];
    const seen: string[] = [];
    const servers = [udpServer({ port: udp }), tcpServer({ port: tcp }), unixServer({ path })];
    for (const [n, server] of servers.entries()) {
      lives.push(
        syslogSource(server, { name: `s${n}` }).subscribe(({ value }) => {
          seen.push(`${server.transport} ${value.format} ${value.severity} ${value.app} ${value.message}`);
        }),
      );
    }
    // A server at an address listens a moment later than it is subscribed to.
    await sleep(500);
    const logger = (...args: string[]) =>
      once(start('logger', ['-t', 'me', '-p', 'user.err', ...args, 'hi there']), 'exit');
    await logger('-n', '127.0.0.1', '-P', String(udp), '-d', '--rfc5424');
    await logger('-n', '127.0.0.1', '-P', String(udp), '-d', '--rfc3164');
    await logger('-n', '127.0.0.1', '-P', String(tcp), '-T', '--rfc5424');
    await logger('-n', '127.0.0.1', '-P', String(tcp), '-T', '--octet-count', '--rfc5424');
    await logger('-u', path, '--socket-errors=on', '--tcp');
    await until(() => seen.length === 5, `five messages, not ${seen.join('; ')}`, 15_000);
    expect(seen.sort()).toEqual([
      'tcp rfc5424 3 me hi there',
      'tcp rfc5424 3 me hi there',
      'udp rfc3164 3 me hi there',
      'udp rfc5424 3 me hi there',
      'unix rfc3164 3 me hi there',
    ]);
  });

  it('nc sends lines', async () => {
    const port = await freePort();
    const lines: string[] = [];
    lives.push(netSource(tcpServer({ port }), { name: 'nc' }).subscribe(({ value }) => lines.push(String(value))));
    await sleep(200);
    const nc = start('sh', ['-c', `printf 'one\\ntwo' | nc -N 127.0.0.1 ${port}`]);
    await once(nc, 'exit');
    await until(() => lines.length === 2, 'two lines', 10_000);
    expect(lines).toEqual(['one', 'two']);
  });
});
