import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import type { Monitor, Sample } from 'rxflume';
import type { AvroRpcClientOptions, AvroRpcServerOptions } from 'rxflume/drivers/avro-rpc';
import { codeBlocks } from '../docs/markdown.js';
import { services, sleep } from './support.js';

/** Skipped where `npm test` could not download Flume, which it says loudly. */
export const describeFlume = process.env.RXFLUME_FLUME === 'missing' ? describe.skip : describe;

const PASSWORD = 'for-tests';
const work = mkdtempSync(join(tmpdir(), 'rxflume-flume-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

export function folder(name: string): string {
  return mkdtempSync(join(work, `${name}-`));
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts an agent on properties without their `a1.`; waits until it runs. */
export async function startAgent(name: string, properties: Readonly<Record<string, string | number>>): Promise<void> {
  await startWith(
    name,
    Object.entries(properties)
      .map(([key, value]) => `${name}.${key} = ${value}\n`)
      .join(''),
  );
}

/** Starts an agent on the text of a configuration. */
export async function startWith(name: string, configuration: string): Promise<void> {
  const file = join(work, `${name}.properties`);
  writeFileSync(file, escaped(configuration));
  await services('flume', 'start', name, file);
}

/** Flume reads its properties as ISO-8859-1. */
function escaped(text: string): string {
  return text.replaceAll(/[^\0-~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A configuration of docs/guides/flume.md, with folders, hosts and ports of a test. */
export function documented(name: string, places: Readonly<Record<string, string>>): string {
  const block = codeBlocks('docs/guides/flume.md').find(({ code }) => code.startsWith(`# ${name}.properties`));
  if (block === undefined) throw new Error(`docs/guides/flume.md has no ${name}.properties`);
  return Object.entries(places).reduce((text, [documentedPlace, place]) => {
    expect(text).toContain(documentedPlace);
    return text.replaceAll(documentedPlace, place);
  }, block.code);
}

export async function restartAgent(name: string): Promise<void> {
  await services('flume', 'start', name, join(work, `${name}.properties`));
}

/** The agent's counters by component, such as `SOURCE.r1`; all are texts. */
export async function counters(): Promise<Record<string, Record<string, string>>> {
  return JSON.parse(await services('flume', 'metrics')) as Record<string, Record<string, string>>;
}

/** How an agent's Avro source or sink is set up for a wire, and our end likewise. */
export interface Wire {
  readonly name: string;
  readonly source: Readonly<Record<string, string>>;
  readonly sink: Readonly<Record<string, string>>;
  readonly client: Omit<AvroRpcClientOptions, 'agents'>;
  readonly server: Omit<AvroRpcServerOptions, 'port'>;
}

/** The four wires of Flume 1.11. Makes a key store of its own, by the JDK's keytool. */
export function wires(): Wire[] {
  const store = join(work, 'agent.p12');
  const trust = join(work, 'trust.p12');
  const pem = join(work, 'agent.pem');
  if (!existsSync(store)) {
    const pass = ['-storepass', PASSWORD];
    const names = 'SAN=DNS:localhost,IP:127.0.0.1';
    const key = [
      '-genkeypair',
      '-alias',
      'agent',
      '-keyalg',
      'EC',
      '-groupname',
      'secp256r1',
      '-dname',
      'CN=localhost',
    ];
    keytool(...key, '-ext', names, '-validity', '3650', '-storetype', 'PKCS12', '-keystore', store, ...pass);
    keytool('-exportcert', '-rfc', '-alias', 'agent', '-keystore', store, '-file', pem, ...pass);
    keytool(
      '-importcert',
      '-noprompt',
      '-alias',
      'agent',
      '-file',
      pem,
      '-storetype',
      'PKCS12',
      '-keystore',
      trust,
      ...pass,
    );
  }
  const tls = {
    source: { ssl: 'true', keystore: store, 'keystore-password': PASSWORD, 'keystore-type': 'PKCS12' },
    sink: { ssl: 'true', truststore: trust, 'truststore-password': PASSWORD, 'truststore-type': 'PKCS12' },
    client: { tls: { ca: readFileSync(pem) } },
    server: { tls: { pfx: readFileSync(store), passphrase: PASSWORD } },
  };
  const deflate = { 'compression-type': 'deflate' };
  const ours = { compression: 'deflate' } as const;
  return [
    { name: 'plain', source: {}, sink: {}, client: {}, server: {} },
    { name: 'deflate', source: deflate, sink: deflate, client: ours, server: ours },
    { name: 'TLS', ...tls },
    {
      name: 'TLS and deflate',
      source: { ...tls.source, ...deflate },
      sink: { ...tls.sink, ...deflate },
      client: { ...tls.client, ...ours },
      server: { ...tls.server, ...ours },
    },
  ];
}

function keytool(...args: string[]): void {
  const home = process.env.JAVA_HOME;
  execFileSync(home === undefined ? 'keytool' : join(home, 'bin/keytool'), args, {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Properties below a name: `under('sources.r1', { type: 'avro' })`. */
export function under(
  name: string,
  properties: Readonly<Record<string, string | number>>,
): Record<string, string | number> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [`${name}.${key}`, value]));
}

/** How often each number is in the files of a folder of this machine: JSON lines with `n`, or the number itself. */
export function numbersIn(where: string): Map<number, number> {
  const seen = new Map<number, number>();
  for (const name of readdirSync(where)) {
    for (const line of readFileSync(join(where, name), 'utf8').split('\n')) {
      if (line === '') continue;
      const n = line.startsWith('{') ? (JSON.parse(line) as { n: number }).n : Number(line);
      seen.set(n, (seen.get(n) ?? 0) + 1);
    }
  }
  return seen;
}

/** Waits until a condition holds; says what was waited for, and what `now` tells, where it does not. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 120_000,
  now?: () => unknown,
) {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}: ${JSON.stringify(now?.())}`);
    await sleep(100);
  }
}

/** One figure of a monitor, over all labels. */
export function metric(monitor: Monitor, name: string): number {
  return monitor.samples().reduce((sum, sample: Sample) => sum + (sample.name === name ? sample.value : 0), 0);
}
