import { type DeadLetter, type Delivery, fileSink, flow, json, jsonLines, Source } from 'rxflume';
import { localDisk } from 'rxflume/drivers/local-disk';
import { decode } from 'rxflume/operators';
import { EMPTY } from 'rxjs';

/** The flow `chat`, for commands: its root, and the ids that it rejects, are of the environment. */
const { CHAT_ROOT = '/nowhere', CHAT_REJECTED = '', CHAT_SLOW_MS = '0' } = process.env;
const rejected = CHAT_REJECTED.split(',').filter(Boolean).map(Number);
const disk = localDisk({ fsync: 'never' });
const lake = fileSink<{ id: number }>(disk, { root: `${CHAT_ROOT}/lake`, format: jsonLines(), roll: { count: 50 } });
const bad = fileSink<DeadLetter>(disk, { root: `${CHAT_ROOT}/bad`, format: jsonLines() });

function checked(bytes: Buffer): { id: number } {
  if (Number(CHAT_SLOW_MS) > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(CHAT_SLOW_MS));
  const value = json()(bytes) as { id: number };
  if (rejected.includes(value.id)) throw new Error(`no ${value.id}`);
  return value;
}

export default flow(
  'chat',
  new Source<Delivery<Buffer>>(() => EMPTY.subscribe()),
  decode(checked, { deadLetter: bad.write() }),
  lake.write(),
);
