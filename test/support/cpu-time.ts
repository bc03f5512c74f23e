/**
 * Milliseconds that this process has worked since `before` (of `process.cpuUsage()`). For limits on work: a loaded machine
 * makes a process wait, not work more.
 */
export function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
