import { concatMap, map, type Observable, of } from 'rxjs';
import type { FlowControl } from '../flow/flow-control.js';
import type { ResetTarget } from '../flow/reset-preview.js';
import type { RunningFlow } from '../flow/running-flows.js';
import { Denied } from './answers.js';
import type { CommandDone, FlowCommand, ResetPreview } from './contract.js';
import { field, isFields, isOffset, isOptional, isTexts } from './json-body.js';

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

/** What would be redelivered if the flow read on from another offset or time; with `confirm` it does. */
export function reset(control: FlowControl, body: Readonly<Record<string, unknown>>): Observable<ResetPreview> {
  const to = isFields(body.to) ? body.to : {};
  const streams = field(body, 'streams', isOptional(isTexts), 'a list of streams');
  const wanted = 'an offset from 0 or a time, as `{"to":{"offset":42}}`, `{"to":{"time":1764230400000}}`';
  const target$: Observable<ResetTarget> =
    to.time === undefined
      ? of({ offset: field({ 'to.offset': to.offset }, 'to.offset', isOffset, wanted) })
      : control
          .offsetsAt(field({ 'to.time': to.time }, 'to.time', isOffset, wanted))
          .pipe(map((offsets) => ({ offsets })));
  return target$.pipe(
    concatMap((target) =>
      body.confirm === true ? control.reset(target, streams) : of(control.resetPreview(target, streams)),
    ),
    map(({ perStream, message }) => ({
      perStream: perStream.map(({ stream, from = 0, to: offset, redelivered, skipped }) => ({
        ...{ stream, from, to: offset },
        redelivered: redelivered - skipped,
      })),
      message,
    })),
  );
}
