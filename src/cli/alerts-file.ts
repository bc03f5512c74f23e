import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AlertCase, AlertRule, FlowSnapshot, NotifyOptions, Surge } from '../alerts/index.js';
import { describeError, describeValue, OptionError } from '../core/errors.js';
import { isOwn } from './load-flow.js';
import { importFile } from './loaders.js';

/** What a file of alerts exports. */
export interface AlertsFile {
  /** Over snapshots of flows; of a surge, what it watches in the flow. */
  readonly rules: readonly AlertRule<FlowSnapshot>[];
  readonly surges: readonly Surge<unknown>[];
  readonly receivers: NotifyOptions['receivers'];
  /** Of `notify`, and `intervalMs` of `flowSnapshots`. */
  readonly options: Partial<NotifyOptions> & { readonly intervalMs?: number };
  readonly cases: readonly AlertCase<FlowSnapshot>[];
}

const EXPORTS = ['rules', 'receivers', 'options', 'cases'];

/**
 * The rules, receivers, options of `notify` and tests that a file exports.
 *
 * Fails: `RXF_FLOW_FILE` where there is no such file, it throws, or exports something else by these names; an rxflume error that
 * the file throws (a wrong option) as it is.
 */
export async function loadAlerts(file: string): Promise<AlertsFile> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new OptionError('RXF_FLOW_FILE', `There is no file ${file}. Pass a .ts or .js file that exports \`rules\`.`);
  let exported: Record<string, unknown>;
  try {
    exported = await importFile(path);
  } catch (cause) {
    if (isOwn(cause)) throw cause;
    throw new OptionError('RXF_FLOW_FILE', `${file} threw while it was loaded: ${describeError(cause)}.`, { cause });
  }
  // As a compiler makes it for CommonJS.
  const inner = (exported.default ?? {}) as Record<string, unknown>;
  const all = exported.rules === undefined ? inner : exported;
  const [rules, receivers, options, cases] = EXPORTS.map((name) => all[name]);
  const areRules = Array.isArray(rules) && rules.flat().every((rule) => typeof rule === 'function');
  expectExport(file, 'rules', rules, areRules, 'a list of rules, such as `builtInAlerts()`');
  expectExport(
    file,
    'receivers',
    receivers,
    receivers === undefined || Array.isArray(receivers),
    'a list of receivers',
  );
  expectExport(file, 'options', options, options === undefined || typeof options === 'object', 'options of `notify`');
  expectExport(file, 'cases', cases, cases === undefined || Array.isArray(cases), 'a list of tests');
  const list = (rules as (AlertRule<FlowSnapshot> | AlertRule<FlowSnapshot>[])[]).flat();
  return {
    rules: list.map((rule) => (isSurge(rule) ? rule.watched : rule)),
    surges: list.filter(isSurge),
    receivers: (receivers ?? []) as AlertsFile['receivers'],
    options: options ?? {},
    cases: (cases ?? []) as AlertsFile['cases'],
  };
}

/** By what it has, since the file may load another copy of this package. */
function isSurge(rule: unknown): rule is Surge<unknown> {
  return 'watched' in (rule as object) && 'replay' in (rule as object);
}

function expectExport(file: string, name: string, value: unknown, isFit: boolean, wanted: string): void {
  if (isFit) return;
  throw new OptionError(
    'RXF_FLOW_FILE',
    `Expected \`${name}\` of ${file} to be ${wanted}, got ${describeValue(value)}.`,
  );
}
