/** What a contestant used, as `main.ts` reads it. */
export interface Result {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly maxRssMiB: number;
}

/** Prints what was used since this call, as the last line. */
export function startMeasure(): (records: number) => void {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  return (records) => {
    const cpu = process.cpuUsage(cpuBefore);
    const result: Result = {
      records,
      seconds: (performance.now() - startedAt) / 1_000,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      maxRssMiB: process.resourceUsage().maxRSS / 1_024,
    };
    console.log(JSON.stringify(result));
  };
}
