import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** Where something was measured, without what names the machine. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly java: string;
  readonly go: string;
  readonly kcat: string;
}

export function machine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release().split('-')[0]}`,
    node: process.versions.node,
    java: versionOf('java', ['-version'], /version "([^"]+)"/),
    go: versionOf('go', ['version'], /go(\d[\d.]*)/),
    kcat: versionOf('kcat', ['-V'], /Version (\S+)/),
  };
}

/** How many programs wanted a core in the last minute: what disturbs a measurement. */
export function load(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}

function versionOf(command: string, args: readonly string[], pattern: RegExp): string {
  try {
    const output = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], { encoding: 'utf8', stdio: 'pipe' });
    return pattern.exec(output)?.[1] ?? 'unknown';
  } catch {
    return 'missing';
  }
}
