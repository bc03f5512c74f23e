import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, expect, it } from '@jest/globals';
import type { Subscription } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import { avroRpcServer } from '../../../src/drivers/avro-rpc/index.js';
import { nodeHttpServer, type ServerTls, tcpServer } from '../../../src/drivers/node/index.js';
import { httpSource, netSource, syslogSource } from '../../../src/inputs/index.js';
import { flumeSource } from '../../../src/sources/flume/flume-source.js';
import { certificate, renewed } from '../avro-rpc/certificate.js';

const lives: Subscription[] = [];
const sockets: TLSSocket[] = [];

afterEach(() => {
  for (const life of lives.splice(0)) life.unsubscribe();
  for (const socket of sockets.splice(0)) socket.destroy();
});

const SOURCES = {
  http: (tls: ServerTls, monitor: Monitor) =>
    httpSource(nodeHttpServer({ port: 0, tls, reloadIntervalMs: 20 }), { name: 't', monitor }),
  net: (tls: ServerTls, monitor: Monitor) =>
    netSource(tcpServer({ port: 0, tls, reloadIntervalMs: 20 }), { name: 't', monitor }),
  relp: (tls: ServerTls, monitor: Monitor) =>
    syslogSource(tcpServer({ port: 0, tls, reloadIntervalMs: 20 }), { name: 't', monitor, framing: 'relp' }),
  flume: (tls: ServerTls, monitor: Monitor) =>
    flumeSource(avroRpcServer({ port: 0, tls, reloadIntervalMs: 20 }), { name: 't', monitor }),
};

const fingerprintOf = ({ cert }: { readonly cert: string }) => new X509Certificate(cert).fingerprint256;

async function dial(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  sockets.push(socket);
  await once(socket, 'secureConnect');
  return socket;
}

async function isShown(port: number, fingerprint: string): Promise<boolean> {
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    const socket = await dial(port);
    const shown = socket.getPeerCertificate().fingerprint256;
    socket.destroy();
    if (shown === fingerprint) return true;
  }
  return false;
}

it.each(Object.entries(SOURCES))(
  '%s: a renewed certificate is used without a restart, and no bad one',
  async (_, source) => {
    let current: { readonly cert: string; readonly key: string } = certificate;
    const monitor = new Monitor();
    const messages: string[] = [];
    const port = await new Promise<number>((resolve, reject) => {
      monitor.logEvents$.subscribe(({ what, message }) => {
        messages.push(message);
        if (what.endsWith('.listening')) resolve(Number(/:(\d+)\.$/.exec(message)?.[1]));
      });
      lives.push(source(() => current, monitor).subscribe({ error: reject }));
    });
    const old = await dial(port);
    expect(old.getPeerCertificate().fingerprint256).toBe(fingerprintOf(certificate));

    current = { cert: renewed.cert, key: certificate.key };
    while (!messages.some((message) => message.includes('keep the last'))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await isShown(port, fingerprintOf(certificate))).toBe(true);

    current = renewed;
    expect(await isShown(port, fingerprintOf(renewed))).toBe(true);
    // Who was connected before stays so.
    expect(old.destroyed).toBe(false);
  },
);
