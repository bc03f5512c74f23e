import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { shownHostPort } from '../../core/address.js';
import { SinkError } from '../../core/errors.js';
import { lookupDataNode, problemOfDataNode } from '../webhdfs/data-node-rule.js';
import { wrongDataNode, wrongProtocol } from '../webhdfs/data-nodes.js';
import type { Attempt } from '../webhdfs/remote-exception.js';
import { faultOf } from '../webhdfs/request.js';
import { serverName } from '../webhdfs/url.js';
import type { Settings } from './options.js';
import type { PackageRequest, PackageResponse } from './package.js';

/** The NameNode names a server to which nothing is sent. */
export class WrongRedirect extends Error {
  /** Null where it is no URL at all. */
  readonly named: URL | null;

  constructor(named: URL | null, problem: string) {
    super(problem);
    this.named = named;
  }
}

type Rule = Pick<Settings, 'client' | 'dataNodes'>;

/** The server that the package asks, such as `http://nn1:9870`. */
export function serverOf({ client: { protocol = 'http', host, port } }: Pick<Settings, 'client'>): string {
  return `${protocol}://${shownHostPort(host, port)}`;
}

/** Why an answer's Location is not followed, or null. */
export function wrongRedirectOf({ headers }: PackageResponse, { client, dataNodes }: Rule): WrongRedirect | null {
  const server = new URL(serverOf({ client }));
  const text = String(headers.location);
  if (!URL.canParse(text, server.href)) return new WrongRedirect(null, 'it redirected to what is no URL');
  const named = new URL(text, server);
  const problem = problemOfDataNode(named, server, dataNodes);
  return problem === null && isHttp(named) ? null : new WrongRedirect(named, problem ?? 'it is no http or https');
}

/** `requestParams` with a rule for what `request` follows by itself, which it does for GET, and for how a DataNode's name is looked up. */
export function redirectParams(settings: Rule & Pick<Settings, 'requestParams'>): Readonly<Record<string, unknown>> {
  const { host } = settings.client;
  const guarded: LookupFunction = (name, options, callback) =>
    (name === host ? (lookup as LookupFunction) : lookupDataNode)(name, options, callback);
  return {
    ...(settings.dataNodes === undefined && { lookup: guarded }),
    ...settings.requestParams,
    followRedirect(this: PackageRequest, response: PackageResponse): boolean {
      const wrong = wrongRedirectOf(response, settings);
      if (wrong !== null) {
        this.emit('error', wrong);
        this.abort();
      }
      // After a `false` the package asks once more by itself, out of our sight. What is aborted is not sent.
      return true;
    },
  };
}

/** A redirect that is not followed, as our error. */
export function wrongRedirect({ named, message }: WrongRedirect, attempt: Attempt): SinkError {
  if (named !== null) return isHttp(named) ? wrongDataNode(attempt, named, message) : wrongProtocol(attempt, named);
  const text = `Could not ${attempt.doing} on ${attempt.at}: ${message}. Check ${attempt.advice?.server}.`;
  return new SinkError('RXF_FILES_PROTOCOL', text, { details: { path: attempt.path, at: attempt.at } });
}

/** A DataNode that sends an upload elsewhere; the package takes this answer for the end of a whole file. */
export function redirectedUpload({ statusCode, headers }: PackageResponse, attempt: Attempt): SinkError {
  const to = String(headers.location);
  const where = URL.canParse(to) ? serverName(new URL(to)) : 'what is no URL';
  const text =
    `Could not ${attempt.doing} on ${attempt.at}: the DataNode redirected the upload (status ${statusCode}) to ${where}. A ` +
    'DataNode stores what it gets, so check whether a proxy or a login page is in front of it.';
  return new SinkError('RXF_FILES_PROTOCOL', text, {
    details: { path: attempt.path, at: attempt.at, status: statusCode },
  });
}

/** What a request of the package fails with: our own error of a redirect, else a `WireFault`. */
export function faultOfPackage(error: unknown, sent: boolean): Error {
  return error instanceof WrongRedirect ? error : faultOf(error, sent, { ca: 'requestParams.ca' });
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}
