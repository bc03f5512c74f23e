/**
 * Milliseconds that this process has worked since `before` (of `process.cpuUsage()`). For limits on work: a loaded machine
 * makes a process wait, not work more.
 */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/**
 * The least milliseconds of work of up to three runs, as many as it takes to be within the limit. What is too much work is
 * so each time; the garbage of other tests is collected in one of them.
 */
export async function leastCpuMs(limitMs: number, run: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 3 && least >= limitMs; turn += 1) {
    const before = process.cpuUsage();
    await run();
    least = Math.min(least, cpuMsSince(before));
  }
  return least;
}
