import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const servicesScript = fileURLToPath(new URL('../../scripts/services', import.meta.url));

/** Where the services of one run are, as their clients need it. */
export interface Services {
  /** `host:port` of the one broker. */
  readonly broker: string;
  /** WebHDFS. */
  readonly hdfsUrl: string;
  /** The NameNode's own protocol, `hdfs://host:port`. */
  readonly hdfsRpc: string;
  /** Where what they download is kept. */
  readonly folder: string;
  /** Stops them where this run started them. */
  stop(): void;
}

/** Starts Kafka and HDFS where they are not up. */
export function startServices(): Services {
  const wereUp = spawnSync(servicesScript, ['status'], { stdio: 'ignore' }).status === 0;
  execFileSync(servicesScript, ['up'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const lines = execFileSync(servicesScript, ['status', '--env'], { encoding: 'utf8' }).trim().split('\n');
  const named = new Map(lines.map((line) => line.split('=', 2) as [string, string]));
  const of = (name: string) => named.get(name) ?? '';
  return {
    broker: of('RXFLUME_KAFKA_BROKERS'),
    hdfsUrl: of('RXFLUME_HDFS_URL'),
    hdfsRpc: of('RXFLUME_HDFS_RPC'),
    folder: of('RXFLUME_SERVICES_DIR'),
    stop: () => {
      if (!wereUp) execFileSync(servicesScript, ['down'], { stdio: ['ignore', 'ignore', 'inherit'] });
    },
  };
}
