import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Address, Targets } from './proxies.js';

export type Service = 'kafka' | 'namenode' | 'datanode';

export const root = fileURLToPath(new URL('..', import.meta.url));

const script = `${root}scripts/services`;
const run = promisify(execFile);

/** `scripts/services …`, to its end; in a group of its own, so that Ctrl-C does not stop it half way. */
export async function services(...args: string[]): Promise<string> {
  const options = { maxBuffer: 64 * 1024 * 1024, detached: true, timeout: 180_000 };
  const { stdout } = await run(script, args, options as object);
  return stdout;
}

/** SIGKILL to a service, then starts it again. */
export async function restart(service: Service): Promise<void> {
  await services('kill', service);
  await services('start', service);
}

export interface ServiceAddresses extends Targets {
  readonly nameNodeUrl: string;
  readonly brokers: readonly string[];
}

/** Starts what is down, and says where all of it is. */
export async function findServices(): Promise<ServiceAddresses> {
  await services('up');
  const lines = (await services('status', '--env')).trim().split('\n');
  const env = Object.fromEntries(lines.map((line) => line.split('=', 2) as [string, string]));
  const nameNodeUrl = env.RXFLUME_HDFS_URL as string;
  const broker = env.RXFLUME_KAFKA_BROKERS as string;
  // The first half of an upload makes no file: it only tells who would take it.
  const asked = `${nameNodeUrl}/webhdfs/v1/tmp/chaos?op=CREATE&noredirect=true&user.name=flume`;
  const { Location } = (await (await fetch(asked, { method: 'PUT' })).json()) as { Location: string };
  return {
    nameNodeUrl,
    brokers: [broker],
    kafka: addressOf(broker),
    nameNode: addressOf(new URL(nameNodeUrl).host),
    dataNode: addressOf(new URL(Location).host),
  };
}

function addressOf(text: string): Address {
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
}

/** The lines that Hadoop's own shell prints. Fails with what it complains of. */
export async function* hdfsLines(signal: AbortSignal, ...args: string[]): AsyncGenerator<string> {
  const child = spawn(script, ['hdfs', ...args], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString().slice(0, 2_000 - complaint.length);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined);
  yield* createInterface({ input: child.stdout });
  const code = await ended;
  if (code !== 0) throw new Error(`hdfs ${args.join(' ')} ended with ${code}: ${complaint}`);
}
