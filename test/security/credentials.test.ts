import { readdirSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { alertmanagerReceiver, webhookReceiver } from '../../src/alerts/index.js';
import { consoleApp } from '../../src/console/index.js';
import { describeError } from '../../src/core/errors.js';
import { amqplib } from '../../src/drivers/amqplib/index.js';
import { avroRpcClient, avroRpcServer } from '../../src/drivers/avro-rpc/index.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { nodeHttpServer, tcpServer } from '../../src/drivers/node/index.js';
import { undici } from '../../src/drivers/undici/index.js';
import { webhdfs } from '../../src/drivers/webhdfs/index.js';
import { registry } from '../../src/registry/index.js';
import { secret } from '../../src/security/index.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import { certificate } from '../drivers/avro-rpc/certificate.js';

const kafka = (sasl: object) => kafkajs({ brokers: ['k1'], sasl: sasl as never });
const pem = { cert: certificate.cert, key: certificate.key };
const client = undici();

/** Each option that takes a secret, by the file of its type: what is made with it, and the same with something else wrong. */
const OPTIONS: Readonly<Record<string, readonly ((secret: never, wrong: object) => unknown)[]>> = {
  'src/drivers/kafkajs/options.ts': [
    (password, wrong) => kafka({ mechanism: 'plain', username: 'u', password, ...wrong }),
    (password) => kafka({ mechanism: 'scram-sha-512', username: 'u', password }),
    (token) => kafka({ mechanism: 'oauthbearer', token }),
    (secretAccessKey) => kafka({ mechanism: 'aws', authorizationIdentity: 'i', accessKeyId: 'k', secretAccessKey }),
    (sessionToken) => kafka({ mechanism: 'aws', accessKeyId: 'k', secretAccessKey: 'x', sessionToken }),
  ],
  'src/drivers/amqplib/address.ts': [],
  'src/drivers/amqplib/options.ts': [(password, wrong) => amqplib({ urls: ['amqp://mq'], password, ...wrong })],
  'src/drivers/webhdfs/options.ts': [
    (delegationToken, wrong) => webhdfs({ nameNodes: ['http://nn'], delegationToken, ...wrong }),
  ],
  'src/drivers/node/http-options.ts': [
    (token, wrong) => nodeHttpServer({ port: 0, auth: { bearer: [token] }, ...wrong }),
    (hmac, wrong) => nodeHttpServer({ port: 0, auth: { hmac }, ...wrong }),
  ],
  'src/registry/options.ts': [
    (password, wrong) => registry({ url: 'http://r', auth: { username: 'u', password }, ...wrong }),
    (token, wrong) => registry({ url: 'http://r', auth: { token }, ...wrong }),
  ],
  'src/sinks/http/options.ts': [
    (header, wrong) => httpSink(client, { url: 'http://s', headers: { authorization: header }, ...wrong }),
  ],
  'src/alerts/webhook-receiver.ts': [
    (secret, wrong) => webhookReceiver({ url: 'http://w', secret, ...wrong }),
    (header, wrong) => webhookReceiver({ url: 'http://w', headers: { authorization: header }, ...wrong }),
  ],
  'src/alerts/alertmanager-receiver.ts': [
    (header, wrong) => alertmanagerReceiver({ urls: ['http://a'], headers: { authorization: header }, ...wrong }),
  ],
  'src/alerts/post-json.ts': [],
  'src/console/options.ts': [
    (password, wrong) => {
      const app = consoleApp({ password, ...wrong });
      app.end();
      return app;
    },
  ],
  'src/security/tls-options.ts': [
    (passphrase, wrong) => kafkajs({ brokers: ['k1'], tls: { ...pem, passphrase, ...wrong } }),
    (passphrase, wrong) => amqplib({ urls: ['amqps://mq'], tls: { ...pem, passphrase, ...wrong } }),
    (passphrase, wrong) => webhdfs({ nameNodes: ['https://nn'], tls: { ...pem, passphrase, ...wrong } }),
    (passphrase, wrong) => undici({ tls: { ...pem, passphrase, ...wrong } }),
    (passphrase, wrong) => avroRpcClient({ agents: ['a'], tls: { ...pem, passphrase, ...wrong } }),
    (passphrase, wrong) => avroRpcServer({ port: 0, tls: { ...pem, passphrase, ...wrong } }),
    (passphrase, wrong) => tcpServer({ port: 0, tls: { ...pem, passphrase, ...wrong } }),
  ],
};

const MAKERS = Object.entries(OPTIONS).flatMap(([file, makers]) => makers.map((make, at) => ({ file, at, make })));
const PLANTED = 'planted-Tr0ub4dor&3-secret';

function shownBy(act: () => unknown): string {
  let given: unknown;
  try {
    given = act();
  } catch (error) {
    given = error;
  }
  const all = inspect(given, { showHidden: true, depth: 12, maxStringLength: null });
  return [all, String(given), JSON.stringify(given), describeError(given)].join('\n');
}

describe('the options that take secrets', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: `src/${name}`, text: readFileSync(`src/${name}`, 'utf8') }));

  it('are all in the table above', () => {
    const field = /readonly \w+\??: [^;]*\b(SecretText|SecretHeaders|HttpHeaders)\b/;
    const found = files.filter(({ text }) => field.test(text)).map(({ file }) => file);
    expect(found.sort()).toEqual(Object.keys(OPTIONS).sort());
  });

  it('have no mere string beside them that is called like a secret', () => {
    const field =
      /readonly (password|passphrase|secret|token|hmac|bearer|\w+(?:Password|Secret|Token|SecretAccessKey))\??: ([^;]+);/g;
    const mere = files.flatMap(({ file, text }) =>
      [...text.matchAll(field)]
        .filter(([, , type]) => !/Secret|ReadPart|unknown/.test(String(type)))
        .map(([, name, type]) => `${file}: ${name}: ${type}`),
    );
    // The token that a console has made itself; a command's file; a call.
    expect(mere.filter((one) => !/^src\/(cli|console)\//.test(one))).toEqual([]);
  });

  it.each(MAKERS)('show none: $file, $at', ({ make }) => {
    for (const given of [PLANTED, secret.from(() => PLANTED), [PLANTED], { [PLANTED]: PLANTED, PLANTED }]) {
      expect(shownBy(() => make(given as never, {}))).not.toContain('Tr0ub4dor');
      expect(shownBy(() => make(given as never, { [PLANTED.slice(0, 7)]: 1 }))).not.toContain('Tr0ub4dor');
    }
  });

  it.each(MAKERS)('take one that is read later: $file, $at', ({ make }) => {
    const made = shownBy(() => make(secret.from(() => PLANTED) as never, {}));
    expect(made).not.toContain('RXF_OPTION_INVALID');
  });
});
