import type { FlowControl } from '../flow/flow-control.js';
import type { RunningFlow } from '../flow/running-flows.js';
import { Denied } from './answers.js';
import type { CommandDone, FlowCommand, ResetPreview } from './contract.js';
import { field, isOffset, isText } from './json-body.js';

/** The control of a flow, of its newest subscription. */
export function controlOf(flows: readonly RunningFlow[], name: string): FlowControl {
  const found = flows.findLast(({ control }) => control.name === name);
  if (found !== undefined) return found.control;
  const names = [...new Set(flows.map(({ control }) => control.name))];
  const those = names.length === 0 ? 'No flow runs here' : `These run here: ${names.join(', ')}`;
  throw new Denied(404, 'RXF_CONSOLE_REQUEST', `No flow \`${name}\` runs in this process. ${those}.`);
}

const DONE: Readonly<Record<Exclude<FlowCommand, 'reset'>, string>> = {
  pause: 'is paused: its source reads nothing more, and what is in flight goes on.',
  resume: 'reads on.',
  drain: 'drains: it stops reading, makes what is in flight durable, commits, and ends.',
  roll: 'finishes its open files now.',
};

/** Has a flow do something, once the user has confirmed it. */
export function steer(control: FlowControl, command: string, body: Readonly<Record<string, unknown>>): CommandDone {
  const { name } = control;
  if (!Object.hasOwn(DONE, command)) {
    throw new Denied(
      404,
      'RXF_CONSOLE_REQUEST',
      `There is no command \`${command}\`. Use ${Object.keys(DONE).join(', ')}.`,
    );
  }
  if (body.confirm !== true) {
    throw new Denied(400, 'RXF_CONSOLE_REQUEST', `Send \`{"confirm":true}\` to ${command} flow \`${name}\`.`);
  }
  const known = command as keyof typeof DONE;
  if (known === 'drain')
    control.drain().subscribe({ error: () => undefined }); // The run of the flow reports how it ends.
  else control[known]();
  return { message: `Flow \`${name}\` ${DONE[known]}` };
}

/** What would be redelivered if the flow read again from an offset. Changes nothing. */
export function resetPreview(control: FlowControl, body: Readonly<Record<string, unknown>>): ResetPreview {
  const to = body.to as { readonly offset?: unknown } | undefined;
  const offset = field({ offset: to?.offset }, 'offset', isOffset, 'an offset from 0, as `{"to":{"offset":42}}`');
  const isList = (value: unknown): value is readonly string[] | undefined =>
    value === undefined || (Array.isArray(value) && value.every(isText));
  const streams = field(body, 'streams', isList, 'a list of streams');
  const perStream = [...control.positions()]
    .filter(({ stream }) => streams === undefined || streams.includes(stream))
    .map(({ stream, committed, acked, read, logEnd = Number.MAX_SAFE_INTEGER }) => {
      const from = committed ?? acked ?? read ?? 0;
      const target = Math.min(logEnd, offset);
      return { stream, from, to: target, redelivered: from - target };
    });
  const again = perStream.reduce((sum, { redelivered }) => sum + Math.max(0, redelivered), 0);
  const skipped = perStream.reduce((sum, { redelivered }) => sum + Math.max(0, -redelivered), 0);
  const message =
    `${again} offsets of ${perStream.length} streams would be redelivered, and ${skipped} skipped; gaps in the log are counted too. ` +
    'Nothing was changed.';
  return { perStream, message };
}

/** No source of a flow can be moved while it runs: acks of two readings would be mixed. */
export function resetDenied(name: string): Denied {
  return new Denied(
    409,
    'RXF_FLOW_COMMAND',
    `Flow \`${name}\` cannot be moved while it runs. Drain it, then set its offsets with your broker's tool, or skip with ` +
      '`rxflume ledger <root> --stream <name> --skip-to <offset>`, and start it again.',
  );
}
