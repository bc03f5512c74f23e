import type { ScalingPoint } from '../../planner/index.js';
import { secondsOf, withinMsOf } from '../duration.js';

/** What `rxflume plan` is asked for. */
export interface PlanAsked {
  readonly file: string;
  /** Where the sample comes from; undefined where nothing is to be measured. */
  readonly sample:
    | { readonly from: 'topic'; readonly offset?: number }
    | { readonly from: 'file'; readonly file: string }
    | undefined;
  readonly ratePerSecond: number | undefined;
  readonly recordBytes: number | undefined;
  readonly partitions: number | undefined;
  readonly backlogRecords: number | undefined;
  readonly headroomSeconds: number | undefined;
  readonly points: readonly ScalingPoint[];
  readonly records: number;
  readonly withinMs: number;
  readonly isMeasuringWrites: boolean;
  readonly scratch: string | undefined;
  readonly isJson: boolean;
}

/** The options of the command, for `parseArgs`. */
export const PLAN_OPTIONS = {
  sample: { type: 'string' },
  rate: { type: 'string' },
  bytes: { type: 'string' },
  partitions: { type: 'string' },
  backlog: { type: 'string' },
  headroom: { type: 'string' },
  points: { type: 'string' },
  records: { type: 'string' },
  within: { type: 'string' },
  'measure-writes': { type: 'boolean' },
  scratch: { type: 'string' },
} as const;

type Values = { readonly [K in keyof typeof PLAN_OPTIONS]?: string | boolean | undefined } & {
  readonly json?: boolean | undefined;
};

const MAX_RECORDS = 1_000_000;

/** Reads the options of `rxflume plan`. Throws an `Error` that says what is wrong with one. */
export function readPlanArguments(file: string, values: Values): PlanAsked {
  const text = (option: keyof typeof PLAN_OPTIONS) => values[option] as string | undefined;
  const number = (option: keyof typeof PLAN_OPTIONS, least: number, unit = '') => {
    const given = text(option);
    if (given === undefined) return undefined;
    const digits = given.endsWith(unit) ? given.slice(0, given.length - unit.length) : given;
    const value = Number(digits);
    if (/^\d+(\.\d+)?$/.test(digits) && value >= least && value <= 1e15) return value;
    throw new Error(`expected \`--${option}\` to be a number from ${least} to 1e15, got \`${given}\``);
  };
  const whole = (option: keyof typeof PLAN_OPTIONS, most = Number.MAX_SAFE_INTEGER) => {
    const value = number(option, 1);
    if (value === undefined || (Number.isInteger(value) && value <= most)) return value;
    throw new Error(`expected \`--${option}\` to be a whole number from 1 to ${most}, got \`${text(option)}\``);
  };
  const seconds = (option: keyof typeof PLAN_OPTIONS) => {
    const given = text(option);
    return given === undefined ? undefined : secondsOf(option, given);
  };
  const withinMs = withinMsOf(text('within'), '60s');
  const scratch = text('scratch');
  if (scratch !== undefined && (!/^\/[^\0]+$/.test(scratch) || scratch.split('/').includes('..'))) {
    throw new Error(`expected \`--scratch\` to be an absolute path without \`..\`, got \`${scratch}\``);
  }
  const sample = sampleOf(text('sample'));
  const isMeasuringWrites = values['measure-writes'] === true;
  if (isMeasuringWrites && sample === undefined) throw new Error('`--measure-writes` needs `--sample`');
  return {
    file,
    sample,
    ratePerSecond: number('rate', 0, '/s'),
    recordBytes: number('bytes', 0),
    partitions: whole('partitions'),
    backlogRecords: number('backlog', 0),
    headroomSeconds: seconds('headroom'),
    points: pointsOf(text('points')),
    records: whole('records', MAX_RECORDS) ?? 10_000,
    withinMs,
    isMeasuringWrites,
    scratch: scratch?.replace(/\/+$/, ''),
    isJson: values.json === true,
  };
}

function sampleOf(text: string | undefined): PlanAsked['sample'] {
  if (text === undefined) return undefined;
  if (text === '')
    throw new Error('expected `--sample` to be `topic`, `topic@<offset>` or a file, got an empty string');
  const [, offset] = /^topic(?:@(\d+))?$/.exec(text) ?? ['', null];
  if (offset === null) return { from: 'file', file: text };
  if (offset === undefined) return { from: 'topic' };
  if (Number.isSafeInteger(Number(offset))) return { from: 'topic', offset: Number(offset) };
  throw new Error(`expected the offset of \`--sample\` to be a safe integer, got \`${text}\``);
}

function pointsOf(text: string | undefined): ScalingPoint[] {
  if (text === undefined) return [];
  return text.split(',').map((point) => {
    const [, n, perSecond] = /^(\d{1,6}):(\d+(?:\.\d+)?)$/.exec(point) ?? [];
    if (n === undefined || Number(n) < 1 || !(Number(perSecond) > 0)) {
      throw new Error(`expected \`--points\` to be such as 1:50000,2:96000,4:170000,8:260000, got \`${text}\``);
    }
    return { n: Number(n), perSecond: Number(perSecond) };
  });
}
