import { testAlerts } from '../alerts/index.js';
import { describeError } from '../core/errors.js';
import { shownText } from '../core/text.js';
import { type AlertsFile, loadAlerts } from './alerts-file.js';
import { isOwn } from './load-flow.js';
import { replayedValues } from './replay.js';

/** What `rxflume alerts` is asked to do. */
export type AlertsAsked =
  | { readonly action: 'test'; readonly file: string; readonly isJson: boolean }
  | { readonly action: 'backtest'; readonly file: string; readonly from: string; readonly isJson: boolean };

interface Setting {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Tests the rules of a file, or replays stored values through its surges.
 *
 * Fails: never; exit code 0 well, 1 a test failed or the values cannot be read, 2 wrong use.
 */
export async function alertsCommand(asked: AlertsAsked, setting: Setting): Promise<0 | 1 | 2> {
  const { err } = setting;
  let file: AlertsFile;
  try {
    file = await loadAlerts(asked.file);
  } catch (error) {
    return say(err, error, 2);
  }
  try {
    return asked.action === 'test' ? test(asked, file, setting) : await backtest(asked, file, setting);
  } catch (error) {
    return say(err, error, isOwn(error) && error.name === 'OptionError' ? 2 : 1);
  }
}

function say(err: Setting['err'], error: unknown, code: 1 | 2): 1 | 2 {
  err.write(`rxflume: ${isOwn(error) ? `${error.code}: ` : ''}${describeError(error)}\n`);
  return code;
}

function test({ file, isJson }: AlertsAsked, { rules, cases }: AlertsFile, { out, err }: Setting): 0 | 1 | 2 {
  if (cases.length === 0) {
    err.write(`rxflume: ${file} exports no \`cases\`, so there is nothing to test.\n`);
    return 2;
  }
  const results = testAlerts(rules, cases);
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  if (isJson) out.write(`${JSON.stringify({ failed, results })}\n`);
  else {
    for (const { name, differences } of results) {
      out.write(`${differences.length === 0 ? 'ok    ' : 'FAILED'} ${shownText(name)}\n`);
      for (const { alert, expected, actual } of differences) {
        out.write(`  ${shownText(alert)}\n    expected ${expected}\n    actual   ${actual}\n`);
      }
    }
    out.write(`${results.length} tests, ${failed} failed.\n`);
  }
  return failed === 0 ? 0 : 1;
}

async function backtest(asked: AlertsAsked, { surges }: AlertsFile, setting: Setting): Promise<0 | 1 | 2> {
  const { out, err } = setting;
  if (asked.action !== 'backtest') return 2;
  if (surges.length === 0) {
    err.write(`rxflume: ${asked.file} has no \`surge\` among its \`rules\`; only surges can be replayed.\n`);
    return 2;
  }
  const { values, unreadable } = await replayedValues(asked.from, setting);
  const replays = surges.map((surge) => surge.replay(values));
  const events = replays.flatMap((replay) => replay.events).sort((a, b) => a.at - b.at);
  const first = new Date(Math.min(...replays.map(({ firstAt }) => firstAt))).toISOString();
  const last = new Date(Math.max(...replays.map(({ lastAt }) => lastAt))).toISOString();
  if (asked.isJson) out.write(`${JSON.stringify({ values: values.length, unreadable, first, last, events })}\n`);
  else {
    for (const { at, state, labels, annotations } of events) {
      const text = state === 'firing' ? annotations.summary : `${labels.key} is as usual again.`;
      out.write(`${new Date(at).toISOString()} ${state} ${shownText(`${labels.alertname} ${text}`)}\n`);
    }
    const fired = events.filter(({ state }) => state === 'firing').length;
    const skipped = unreadable === 0 ? '' : ` ${unreadable} lines are no JSON and were left out.`;
    out.write(`${values.length} values from ${first} to ${last}: ${fired} alerts.${skipped}\n`);
  }
  return 0;
}
