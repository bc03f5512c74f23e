/** Prints what a contestant used since it was started, as the last line, in the form that main.ts reads. */
export function startMeasure(): (records: number) => void {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  return (records) => {
    const cpu = process.cpuUsage(cpuBefore);
    const result = {
      records,
      seconds: (performance.now() - startedAt) / 1_000,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      maxRssMiB: process.resourceUsage().maxRSS / 1_024,
    };
    console.log(JSON.stringify(result));
  };
}
