import { type CpuPart, type Estimate, isNotMeasured, type Plan, type PlanEstimates } from '../../planner/index.js';
import { byteText } from '../progress.js';

/** What was planned of a flow, to be printed. */
export interface PlanReport {
  readonly flow: string;
  readonly sample: { readonly from: string; readonly records: number; readonly bytes: number } | null;
  readonly cpu: readonly CpuPart[];
  readonly plan: Plan;
  readonly warnings: readonly string[];
}

/** The report as one JSON object on one line. An infinite bound is null. */
export function planJson({ flow, sample, cpu, plan, warnings }: PlanReport): string {
  const { estimates, scaling } = plan;
  return `${JSON.stringify({ flow, sample, cpu, estimates, scaling, warnings: [...warnings, ...plan.warnings] })}\n`;
}

type Show = (value: number) => string;
const short: Show = (value) => {
  if (!Number.isFinite(value)) return '∞';
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 12 });
};
const micros: Show = (seconds) => `${short(seconds * 1e6)} µs`;
const rate: Show = (value) => `${short(value)}/s`;
const bytes: Show = (value) => byteText(Math.round(value));
const time: Show = (seconds) => {
  if (!Number.isFinite(seconds)) return 'never';
  const [unit, of] = seconds >= 7_200 ? ['h', 3_600] : seconds >= 120 ? ['min', 60] : ['s', 1];
  return `${short(seconds / of)} ${unit}`;
};

const ROWS: readonly (readonly [keyof PlanEstimates, string, Show])[] = [
  ['recordsPerSecondOfAProcess', 'one process at full load', rate],
  ['processes', 'processes', short],
  ['recordsPerSecondOfAll', 'all of them at full load', rate],
  ['writesInFlight', 'writes under way (Little)', short],
  ['windowCount', 'window.count, at least', short],
  ['windowBytes', 'window.bytes, at least', bytes],
  ['maxUnacked', 'maxUnacked, at least', short],
  ['rollSeconds', 'a file is open for', time],
  ['fileBytes', 'a file has', bytes],
  ['filesPerDay', 'files a day', short],
  ['nameNodeCallsPerSecond', 'calls for files (NameNode)', rate],
  ['memoryBytes', 'memory of a process, at most', bytes],
  ['catchUpSeconds', 'the backlog is read in', time],
];
const WIDTH = 32;

/** The report as a person reads it. */
export function planText({ flow, sample, cpu, plan, warnings }: PlanReport): string {
  const from =
    sample === null
      ? 'nothing was measured'
      : `${short(sample.records)} records from ${sample.from}, ${short(sample.bytes / Math.max(1, sample.records))} bytes each`;
  const parts = cpu.map(({ name, secondsPerRecord }) => line(name, secondsPerRecord, micros));
  const { estimates, scaling } = plan;
  const law =
    scaling?.kind === 'fitted'
      ? [
          `  ${'scaling (fitted)'.padEnd(WIDTH)} α ${short(scaling.alpha)}, β ${short(scaling.beta)}, most with n = ${short(scaling.bestN)}\n`,
        ]
      : scaling === null
        ? []
        : [`  ${'scaling'.padEnd(WIDTH)} bounds only: ${scaling.why}\n`];
  return [
    `Plan of ${flow}: ${from}\n`,
    '\nCPU a record\n',
    ...parts,
    line('in all', estimates.cpuSecondsPerRecord, micros),
    '\nCapacity\n',
    ...ROWS.map(([key, name, show]) => line(name, estimates[key], show)),
    ...law,
    '\nIn brackets: the interval of 95 % of what was measured, carried through each formula.\n',
    ...[...warnings, ...plan.warnings].map((warning) => `warning: ${warning}\n`),
  ].join('');
}

function line(name: string, estimate: Estimate, show: Show): string {
  return `  ${name.padEnd(WIDTH)} ${valueText(estimate, show)}\n`;
}

function valueText(estimate: Estimate, show: Show): string {
  if (isNotMeasured(estimate)) return `not measured: ${estimate.notMeasured}`;
  const { value, low, high } = estimate;
  return low === high ? show(value) : `${show(value)}  [${show(low)} … ${show(high)}]`;
}
