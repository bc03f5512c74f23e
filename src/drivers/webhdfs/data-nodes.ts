import type { LookupFunction } from 'node:net';
import { SinkError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { backOff } from './answer.js';
import type { Call, Reply } from './call.js';
import { lookupDataNode, problemOfDataNode } from './data-node-rule.js';
import { type NameNodes, rejection } from './name-nodes.js';
import type { Settings } from './options.js';
import { ADVICE, type Attempt, notUnderstood, parseJson } from './remote-exception.js';
import { WireFault } from './request.js';
import { serverName } from './url.js';

/** Where the bytes of a file go to or come from. */
export interface DataNodeTarget {
  readonly url: URL;
  readonly attempt: Attempt;
  /** How its name is looked up; default: Node's own way. */
  readonly lookup: LookupFunction | undefined;
  /** What logs in there. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Does `use` with a DataNode that a NameNode names (in httpfs mode: with the server itself). One that cannot be connected
 * to is left out of the next try; what else goes wrong is `use`'s, unless `repeatable`.
 * Fails: `RXF_FILES_UNREACHABLE` after `retry.maxAttempts`, and what `use` fails with.
 */
export async function withDataNode<T>(
  nameNodes: NameNodes,
  settings: Settings,
  call: Call & { readonly repeatable: boolean },
  signal: AbortSignal,
  use: (target: DataNodeTarget) => Promise<T>,
): Promise<T> {
  const unreachable: string[] = [];
  for (let attempt = 1, fault: SinkError | undefined; ; attempt++) {
    let target: DataNodeTarget & { readonly leaveOut: () => void };
    try {
      target = await locate(nameNodes, settings, call, unreachable, signal);
    } catch (error) {
      // With every DataNode left out the NameNode finds none: the reason is why they were.
      throw fault && error instanceof SinkError && error.code === 'RXF_FILES_REMOTE' ? fault : error;
    }
    try {
      return await use(target);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      fault = lost(error, target.attempt);
      if (error.isTls || (error.sent && !call.repeatable) || attempt >= settings.retry.maxAttempts) throw fault;
      target.leaveOut();
      await backOff(settings.retry, attempt, signal);
    }
  }
}

export async function locate(
  nameNodes: NameNodes,
  settings: Settings,
  call: Call,
  unreachable: string[],
  signal: AbortSignal,
): Promise<DataNodeTarget & { readonly leaveOut: () => void }> {
  if (settings.mode === 'httpfs') {
    const server = nameNodes.active;
    const query = { ...call.query, ...(call.method === 'PUT' && { data: 'true' }) };
    const url = await nameNodes.url({ ...call, query }, server);
    return {
      url,
      attempt: nameNodes.attempt(call, server),
      lookup: undefined,
      headers: await nameNodes.headers(url),
      leaveOut: () => nameNodes.leave(server),
    };
  }
  const excluded: Record<string, string> = unreachable.length ? { excludedatanodes: unreachable.join(',') } : {};
  const reply = await nameNodes.ask({ ...call, query: { ...call.query, noredirect: 'true', ...excluded } }, signal);
  if (reply.remote) throw rejection(reply);
  const named = locationOf(reply);
  const url = mapHost(named, settings.hostMap);
  // Where `hostMap` leads was chosen here.
  const isChosen = url !== named;
  const allowed = isChosen ? [url.hostname.replace(/^\[|\]$/g, '')] : settings.dataNodes;
  const problem = problemOfDataNode(url, new URL(reply.attempt.at), allowed);
  if (problem !== null) throw wrongDataNode(reply.attempt, named, problem);
  const lookup = allowed === undefined ? lookupDataNode : undefined;
  // By host alone: a NameNode takes a port here for the DataNode's transfer port, which a Location does not tell.
  const leaveOut = () => void (unreachable.includes(named.hostname) || unreachable.push(named.hostname));
  const headers = await nameNodes.headers(url);
  return { url, attempt: nameNodes.attempt(call, url), lookup, headers, leaveOut };
}

/** Hadoop 2.8 and later answer JSON to `noredirect`; earlier ones, and some gateways, redirect. */
function locationOf({ answer, attempt }: Reply): URL {
  const text = answer.status === 200 ? parseJson(answer.body)?.Location : answer.headers.location;
  if ((answer.status !== 200 && answer.status !== 307) || typeof text !== 'string' || !URL.canParse(text)) {
    throw notUnderstood(answer, attempt);
  }
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrongProtocol(attempt, url);
  return url;
}

/** A Location that is no address of a web server. */
export function wrongProtocol(attempt: Attempt, { protocol }: URL): SinkError {
  const message = `Could not ${attempt.doing} on ${attempt.at}: it named a DataNode by ${protocol}, not by http or https.`;
  return new SinkError('RXF_FILES_PROTOCOL', message, { details: { path: attempt.path, at: attempt.at } });
}

/** A DataNode to which nothing is sent, for the reason in `problem`. */
export function wrongDataNode(attempt: Attempt, named: URL, problem: string): SinkError {
  const { dataNode } = attempt.advice ?? ADVICE;
  const message = `Could not ${attempt.doing} on ${attempt.at}: it named the DataNode ${serverName(named)}, to which nothing is sent: ${problem}. If it is right, ${dataNode}.`;
  return new SinkError('RXF_FILES_DENIED', message, {
    details: { path: attempt.path, at: attempt.at, named: serverName(named) },
  });
}

/** The Location as it can be reached from here. */
function mapHost(location: URL, hostMap: ReadonlyMap<string, string>): URL {
  const to = hostMap.get(location.host.toLowerCase()) ?? hostMap.get(location.hostname.toLowerCase());
  if (to === undefined) return location;
  const url = new URL(location);
  url.host = to;
  return url;
}

/** A server's silence as our error. */
export function lost(fault: WireFault, attempt: Attempt): SinkError {
  if (fault.isTls) {
    const message = sentence(`Could not ${attempt.doing} on ${attempt.at}: ${fault.message}`);
    return new SinkError('RXF_FILES_TLS', message, { details: { path: attempt.path, at: attempt.at }, cause: fault });
  }
  const next = fault.sent
    ? 'It was asked and did not answer; it can be tried again, and a file written again under another name'
    : `Check that it runs and is reachable from here, ${(attempt.advice ?? ADVICE).reach}`;
  return new SinkError(
    fault.kind === 'timeout' && fault.sent ? 'RXF_FILES_TIMEOUT' : 'RXF_FILES_UNREACHABLE',
    `Could not ${attempt.doing} on ${attempt.at}: ${fault.message}. ${next}.`,
    { details: { path: attempt.path, at: attempt.at }, cause: fault },
  );
}
