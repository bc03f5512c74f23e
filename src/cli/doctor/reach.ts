import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { shownHostPort } from '../../core/address.js';
import { describeError } from '../../core/errors.js';
import { isTlsFault, tlsAdvice } from '../../core/tls-fault.js';
import type { Certificate, Endpoint, EndpointOutcome, FactOf } from '../../delivery/probe.js';

/** Tries an address: its name, a connection, TLS; sends nothing. Bounds: `limitMs` for all of it. Fails: never. */
export async function reach(endpoint: Endpoint, limitMs: number): Promise<FactOf<'endpoint'>> {
  const { role, host, port, namedBy, fix } = endpoint;
  const outcome = await outcomeOf(endpoint, limitMs);
  return { kind: 'endpoint', role, address: shownHostPort(host, port), namedBy, outcome, fix };
}

async function outcomeOf({ host, port, tls }: Endpoint, limitMs: number): Promise<EndpointOutcome> {
  const since = performance.now();
  try {
    if (isIP(host) === 0) await within(limitMs, lookup(host));
  } catch (error) {
    return { isReached: false, stage: 'name', reason: describeError(error) };
  }
  const leftMs = Math.max(1, limitMs - (performance.now() - since));
  return new Promise((resolve) => {
    const socket: Socket =
      tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...named(host, tls) });
    let isConnected = false;
    const end = (outcome: EndpointOutcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const failed = (error: unknown) => {
      const stage = tls !== undefined && (isConnected || isTlsFault(error)) ? 'tls' : 'connection';
      const advice = isTlsFault(error) ? `. ${tlsAdvice(error, 'tls.ca', 'leave out TLS')}` : '';
      end({ isReached: false, stage, reason: `${describeError(error)}${advice}` });
    };
    const timer = setTimeout(() => failed(new Error(`no answer within ${Math.round(limitMs)} ms`)), leftMs);
    const reached = (certificate?: Certificate) => end({ isReached: true, ms: performance.now() - since, certificate });
    socket.on('error', failed);
    socket.once('connect', () => {
      isConnected = true;
      if (tls === undefined) reached();
    });
    socket.once('secureConnect', () => reached(certificateOf(socket as TLSSocket)));
  });
}

/** TLS sends no name for an address. */
function named(host: string, tls: object): ConnectionOptions {
  const { servername, ...others } = tls as ConnectionOptions;
  return servername === undefined || isIP(servername) !== 0 ? { ...others, host } : { ...others, servername };
}

function certificateOf(socket: TLSSocket): Certificate | undefined {
  const { subject, valid_from, valid_to } = socket.getPeerCertificate();
  if (valid_to === undefined) return undefined;
  const name = Array.isArray(subject?.CN) ? subject.CN[0] : subject?.CN;
  return { subject: name ?? 'no name', validFromMs: Date.parse(valid_from), validToMs: Date.parse(valid_to) };
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${Math.round(ms)} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
