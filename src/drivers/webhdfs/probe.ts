import type { Observable } from 'rxjs';
import { describeError } from '../../core/errors.js';
import { type Fact, type FactOf, type ProbeSetting, probing } from '../../delivery/probe.js';
import { locate } from './data-nodes.js';
import { NameNodes } from './name-nodes.js';
import type { Settings } from './options.js';
import { parseJson, remoteExceptionOf } from './remote-exception.js';
import { exchange } from './request.js';
import { requestUrl, serverName } from './url.js';

/** A probe waits for people, not for a cluster that restarts. */
const ANSWER_WITHIN_MS = 5_000;
const MAX_ANSWER_BYTES = 65_536;

type Tell = (fact: Fact) => void;

/**
 * Looks at each NameNode, the DataNode that one would send a new file to, the clocks, and the quotas of a folder and of
 * those above it. Changes nothing.
 *
 * Bounds: one answer at a time; a few seconds each. A NameNode counts the files below a folder to tell its use, as for
 * `hdfs dfs -count -q`.
 * Source: Hadoop 3, WebHDFS REST API: GETQUOTAUSAGE, CREATE with `noredirect`.
 */
export function hdfsProbe(given: Settings, folder: string, setting: ProbeSetting): Observable<Fact> {
  const retry = { ...given.retry, maxAttempts: 1 };
  const requestTimeoutMs = Math.min(given.requestTimeoutMs, ANSWER_WITHIN_MS);
  const settings = { ...given, retry, requestTimeoutMs, safeModeTimeoutMs: 0 };
  return probing(async (tell, signal) => {
    const reached = await Promise.all(
      settings.nameNodes.map((url) => lookAtNameNode(settings, url, setting, tell, signal)),
    );
    if (!reached.some((isActive) => isActive)) return;
    const nameNodes = new NameNodes(settings);
    await Promise.all([
      lookAtDataNode(nameNodes, settings, folder, setting, tell, signal),
      lookAtQuotas(nameNodes, folder, tell, signal),
    ]);
  });
}

/** Whether it is the active one. */
async function lookAtNameNode(
  settings: Settings,
  url: URL,
  setting: ProbeSetting,
  tell: Tell,
  signal: AbortSignal,
): Promise<boolean> {
  const role = settings.mode === 'httpfs' ? 'HttpFS server' : 'NameNode';
  const fact = await setting.reach({
    ...endpointOf(settings, url, role),
    fix: `Check that the ${role} runs, and its host and port in \`nameNodes\`.`,
  });
  tell(fact);
  if (!fact.outcome.isReached) return false;
  const { connectTimeoutMs, requestTimeoutMs, tls } = settings;
  const at = serverName(url);
  const since = performance.now();
  const asked = requestUrl(url, '/', { op: 'GETFILESTATUS', ...(settings.user && { 'user.name': settings.user }) });
  try {
    const limits = { connectTimeoutMs, requestTimeoutMs, maxBytes: MAX_ANSWER_BYTES, signal };
    const answer = await exchange(asked, { method: 'GET', agent: false, tls, ...limits });
    tellClock(at, answer.headers.date, performance.now() - since, setting, tell);
    const remote = remoteExceptionOf(answer);
    if (remote?.name === 'StandbyException') return false;
    if (remote === null || !/SafeMode|Retriable/.test(remote.name)) return true;
    const fix = 'Wait until it has left safe mode, or see `hdfs dfsadmin -safemode get`.';
    tell({ kind: 'right', action: 'change files', on: at, error: remote.message, fix });
    return false;
  } catch (error) {
    const fix = 'Check that what answers there is WebHDFS: host, port, base path and `mode`.';
    tell({ kind: 'unknown', what: `the state of ${at}`, error: describeError(error), fix });
    return false;
  }
}

function endpointOf({ tls }: Settings, url: URL, role: string) {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return { role, host, port, ...(isTls && { tls: tls.connection(host) }) };
}

/** The header has whole seconds, cut off: on average it is half a second behind. */
function tellClock(of: string, date: string | undefined, roundTripMs: number, setting: ProbeSetting, tell: Tell): void {
  // A NameNode sends the header twice, which Node joins.
  const said = Date.parse(/^[^,]*,[^,]*/.exec(date ?? '')?.[0] ?? '');
  if (Number.isNaN(said)) return;
  const aheadMs = Math.round(said + 500 - (setting.nowMs() - roundTripMs / 2));
  tell({ kind: 'clock', of, aheadMs, roundTripMs: Math.round(roundTripMs + 1_000) });
}

/** Asks where a new file would go; nothing is made before its bytes are sent there. */
async function lookAtDataNode(
  nameNodes: NameNodes,
  settings: Settings,
  folder: string,
  setting: ProbeSetting,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  if (settings.mode === 'httpfs') return;
  const path = `${folder === '/' ? '' : folder}/${setting.scratch}`;
  const call = { method: 'PUT', op: 'CREATE', path, doing: 'ask where a new file goes' } as const;
  try {
    const { url } = await locate(nameNodes, settings, call, [], signal);
    const namedBy = `NameNode ${serverName(nameNodes.active)}`;
    const fix = `Check that the DataNode runs and that this machine reaches it by this name, or say in \`hostMap\` where it is reached: { '${url.hostname}': '…' }.`;
    tell(await setting.reach({ ...endpointOf(settings, url, 'DataNode'), namedBy, fix }));
  } catch (error) {
    const fix = 'Check that a DataNode is alive and has room: hdfs dfsadmin -report.';
    tell({ kind: 'right', action: 'get a DataNode', on: folder, error, fix });
  }
}

async function lookAtQuotas(nameNodes: NameNodes, folder: string, tell: Tell, signal: AbortSignal): Promise<void> {
  const names = folder.split('/').filter((name) => name !== '');
  for (let depth = names.length; depth > 0; depth -= 1) {
    const path = `/${names.slice(0, depth).join('/')}`;
    const call = { method: 'GET', op: 'GETQUOTAUSAGE', path, doing: `look at the quota of ${path}` } as const;
    try {
      const { answer, remote } = await nameNodes.ask(call, signal);
      // It is not there yet, or this Hadoop does not tell.
      if (remote === null) tellQuotas(path, parseJson(answer.body)?.QuotaUsage, tell);
    } catch (error) {
      tell({ kind: 'unknown', what: `the quota of ${path}`, error, fix: `See hdfs dfs -count -q ${path}.` });
      return;
    }
  }
}

function tellQuotas(path: string, usage: unknown, tell: Tell): void {
  const { quota, fileAndDirectoryCount, spaceQuota, spaceConsumed } = (usage ?? {}) as Record<string, unknown>;
  const space = (unit: FactOf<'space'>['unit'], total: unknown, used: unknown, option: string) => {
    if (typeof total !== 'number' || typeof used !== 'number' || total < 0 || total >= 2 ** 62) return;
    const fix = `Remove files, or raise it: hdfs dfsadmin -set${option} <n> ${path}.`;
    tell({ kind: 'space', of: `the quota of ${path}`, unit, free: Math.max(0, total - used), total, fix });
  };
  space('names', quota, fileAndDirectoryCount, 'Quota');
  space('bytes', spaceQuota, spaceConsumed, 'SpaceQuota');
}
