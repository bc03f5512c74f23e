import { spawnSync } from 'node:child_process';

/** Whether a command can be run here. */
export function isInstalled(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).error === undefined;
}
