import { createServer as createTls } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isTlsFault, tlsAdvice } from '../../../src/core/tls-fault.js';
import { webhdfsPackage } from '../../../src/drivers/webhdfs-package/index.js';
import { certificate } from '../avro-rpc/certificate.js';
import { listen } from './fake-cluster.js';
import { driver, failure, once } from './setting.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

async function overTls(): Promise<{ readonly port: number; asked: number }> {
  const seen = { port: 0, asked: 0 };
  const server = createTls(certificate, (_, response) => {
    seen.asked += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ FileStatuses: { FileStatus: [] } }));
  });
  server.on('tlsClientError', () => undefined);
  seen.port = await portOf(server);
  return seen;
}

describe('webhdfs over TLS', () => {
  it('takes the authority that it is given', async () => {
    const { port } = await overTls();
    const fs = driver({ nameNodes: [`https://localhost:${port}`] }, { tls: { ca: certificate.cert } });
    expect(await once(fs.list('/'))).toEqual([]);
  });

  it('asks a server once whose certificate it does not trust, and names the option', async () => {
    const server = await overTls();
    let connections = 0;
    servers.at(-1)?.on('connection', () => {
      connections += 1;
    });
    const error = await failure(once(driver({ nameNodes: [`https://localhost:${server.port}`] }).list('/')));
    expect(error).toMatchObject({ code: 'RXF_FILES_TLS', retryable: false });
    expect(error.message).toMatch(/self.signed certificate.*`tls\.ca`/);
    expect([server.asked, connections]).toEqual([0, 1]);
  });

  it('does so through the package webhdfs too', async () => {
    const server = await overTls();
    let connections = 0;
    servers.at(-1)?.on('connection', () => {
      connections += 1;
    });
    const client = { host: 'localhost', port: server.port, protocol: 'https' } as const;
    const error = await failure(once(webhdfsPackage({ client }).list('/')));
    expect(error).toMatchObject({ code: 'RXF_FILES_TLS', retryable: false });
    expect(error.message).toMatch(/self.signed certificate.*`requestParams\.ca`/);
    expect([server.asked, connections]).toEqual([0, 1]);
    const trusting = webhdfsPackage({ client, requestParams: { ca: certificate.cert } });
    expect(await once(trusting.list('/'))).toEqual([]);
  });

  it('goes on to a NameNode whose certificate is right', async () => {
    const plain = await listen((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ FileStatuses: { FileStatus: [] } }));
    });
    const { port } = await overTls();
    expect(await once(driver({ nameNodes: [`https://localhost:${port}`, plain] }).list('/'))).toEqual([]);
  });

  it('says so where no TLS is spoken, and where TLS is wanted', async () => {
    const plain = await listen((_, response) => void response.end());
    const error = await failure(once(driver({ nameNodes: [plain.replace('http:', 'https:')] }).list('/')));
    expect(error).toMatchObject({ code: 'RXF_FILES_TLS', retryable: false });
    expect(error.message).toContain('does not speak TLS: correct the port, or write `http:`');
    // What a TLS server answers to plain HTTP: an alert.
    const alert = createTcp((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.from('15030300020246', 'hex')));
    });
    const reverse = driver({ nameNodes: [`http://127.0.0.1:${await portOf(alert)}`] });
    expect((await failure(once(reverse.list('/')))).message).toContain('if the port wants TLS, write `https:`');
  });

  it('takes no options that are none', () => {
    expect(() => driver({ nameNodes: ['https://nn1'] }, { tls: 'ca' as never })).toThrow(/`tls`/);
  });
});

describe('a fault of TLS', () => {
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', '', '`tls.ca`'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '', '`tls.ca`'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', '', 'another name'],
    ['CERT_HAS_EXPIRED', '', 'Renew'],
    ['EPROTO', 'ssl3_get_record:wrong version number', 'not speak TLS'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', 'pass one in `tls.cert` and `tls.key`'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', '', 'rejects the certificate of this client'],
    ['CERT_NOT_YET_VALID', '', 'correct the clock'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', '', '`tls.minVersion`'],
    ['ERR_SSL_NO_SHARED_CIPHER', '', 'next to `tls.ca`'],
  ])('%s is one, and says what to do', (code, message, advice) => {
    expect(isTlsFault({ code, message })).toBe(true);
    expect(tlsAdvice({ code, message }, 'tls.ca')).toContain(advice);
  });

  it('is no other', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', undefined]) expect(isTlsFault({ code })).toBe(false);
  });
});
