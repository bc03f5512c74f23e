import { EMPTY, lastValueFrom, type Observable } from 'rxjs';
import { decode } from '../../operators/index.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import { type Flow, flow } from '../../src/flow/flow.js';
import { json } from '../../src/formats/json.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import type { FileSystem } from '../../src/ports/file-system.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import type { MemoryFileSystem } from '../../src/testing/memory/memory-file-system.js';

export const BAD = '/bad';
export const LAKE = '/lake';

/** A source that gives nothing: a replay has its own. */
export const none = new Source<Delivery<Buffer>>(() => EMPTY.subscribe());

/** A letter as the flow `chat` writes it, of a record `{"id":offset}` that its decoder rejected. */
export function letter(offset: number, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    ...{ version: 1, code: 'RXF_DECODE_SHAPE', message: 'bad', causes: [], stream: 'kafka:chat/0', offset, part: null },
    ...{ timestamp: '2026-03-02T10:15:00.000Z', key: null, keyEncoding: 'none', headers: [] },
    ...{ value: `{"id":${offset}}`, encoding: 'utf8', type: 'bytes', attempt: 1 },
    ...{ setAsideAt: '2026-03-02T10:15:01.000Z', flow: 'chat', operator: '1 decode', replayOf: null },
    ...more,
  } as DeadLetter;
}

export async function put(fs: FileSystem, path: string, letters: readonly object[]): Promise<void> {
  const writer = fs.create(path);
  const text = letters.map((one) => `${JSON.stringify(one)}\n`).join('');
  await lastValueFrom(writer.write(Buffer.from(text)) as Observable<unknown>);
  await lastValueFrom(writer.close() as Observable<unknown>);
}

/** The flow `chat`, whose decoder rejects these ids. */
export function chat(fs: FileSystem, rejected: readonly number[] = [], own?: Sink<DeadLetter>): Flow {
  const lake = fileSink<{ id: number }>(fs, { root: LAKE, format: jsonLines() });
  const checked = (bytes: Buffer) => {
    const value = json()(bytes) as { id: number };
    if (rejected.includes(value.id)) throw new Error(`no ${value.id}`);
    return value;
  };
  return flow('chat', none, decode(checked, own === undefined ? {} : { deadLetter: own }), lake.write());
}

/** What is in the visible files below a folder. */
export function stored(fs: MemoryFileSystem, root: string): Record<string, unknown>[] {
  return Object.entries(fs.files())
    .filter(([path]) => path.startsWith(`${root}/`) && !/\/[_.]/.test(path))
    .flatMap(([, bytes]) => Buffer.from(bytes).toString().split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function idsIn(fs: MemoryFileSystem): number[] {
  return stored(fs, LAKE)
    .map(({ id }) => Number(id))
    .sort((a, b) => a - b);
}
