import { describe, expect, it } from '@jest/globals';
import { NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { AckGroup } from '../../../../src/delivery/ack-group.js';
import type { FileWriter } from '../../../../src/ports/file-system.js';
import { type Chunk, ChunkWriter } from '../../../../src/sinks/files/writer/chunk-writer.js';

const chunkOf = (bytes: Chunk['bytes']): Chunk => ({ bytes, parts: new AckGroup() });
const bytesOf = (text: string) => Buffer.from(text);

/** A writer whose writes answer as told, and what became of them. */
function writing(write: (text: string) => ReturnType<FileWriter['write']>) {
  const seen: string[] = [];
  const storage: FileWriter = {
    write: (chunk) => {
      const text = String(chunk);
      seen.push(`write ${text}`);
      return write(text);
    },
    close: () => NEVER,
    abort: () => undefined,
  };
  const writer = new ChunkWriter(storage, {
    stored: (_, bytes) => seen.push(`stored ${bytes}`),
    ended: () => seen.push('ended'),
    failed: (error) => seen.push(`failed ${String(error)}`),
  });
  return { writer, seen };
}

describe('ChunkWriter', () => {
  it('writes one after the other, and ends after the last', () => {
    const answers = new Map<string, Subject<never>>();
    const { writer, seen } = writing((text) => {
      const answer$ = new Subject<never>();
      answers.set(text, answer$);
      return answer$;
    });
    for (const text of ['a', 'bb']) writer.push(chunkOf(bytesOf(text)));
    writer.end();
    expect(seen).toEqual(['write a']);
    answers.get('a')?.complete();
    expect(seen).toEqual(['write a', 'stored 1', 'write bb']);
    answers.get('bb')?.complete();
    expect(seen).toEqual(['write a', 'stored 1', 'write bb', 'stored 2', 'ended']);
  });

  it('asks for the next only when the writer has put the last behind it', () => {
    let underWay = 0;
    const { writer, seen } = writing(
      () =>
        new Observable((subscriber) => {
          underWay += 1;
          expect(underWay).toBe(1);
          subscriber.add(() => {
            underWay -= 1;
          });
          subscriber.complete();
        }),
    );
    for (const text of ['a', 'b', 'c']) writer.push(chunkOf(bytesOf(text)));
    expect(seen.filter((one) => one.startsWith('stored'))).toHaveLength(3);
  });

  it('goes round, not deeper, where the storage answers at once and its answers bring more', () => {
    let left = 50_000;
    const seen: number[] = [];
    const storage: FileWriter = { write: () => of(undefined), close: () => NEVER, abort: () => undefined };
    const writer = new ChunkWriter(storage, {
      stored: (_, bytes) => {
        seen.push(bytes);
        left -= 1;
        if (left > 0) writer.push(chunkOf(bytesOf('x')));
      },
      ended: () => undefined,
      failed: (error) => {
        throw error;
      },
    });
    writer.push(chunkOf(bytesOf('x')));
    expect(seen).toHaveLength(50_000);
  });

  it('waits for what is compressed, in order', () => {
    const compressed = [new Subject<Uint8Array>(), new Subject<Uint8Array>()];
    const { writer, seen } = writing(() => of(undefined));
    for (const bytes$ of compressed) writer.push(chunkOf(bytes$));
    writer.end();
    compressed[1]?.next(bytesOf('late'));
    compressed[0]?.next(bytesOf('a'));
    compressed[0]?.complete();
    expect(seen).toEqual(['write a', 'stored 1']);
    compressed[1]?.next(bytesOf('bb'));
    compressed[1]?.complete();
    expect(seen).toEqual(['write a', 'stored 1', 'write bb', 'stored 2', 'ended']);
  });

  it.each([
    ['a write', () => throwError(() => 'full'), bytesOf('a')],
    ['compressing', () => of(undefined), throwError(() => 'full')],
  ] as const)('tells once that %s failed, and writes no more', (_, write, bytes) => {
    const { writer, seen } = writing(write);
    writer.push(chunkOf(bytes));
    writer.push(chunkOf(bytesOf('b')));
    writer.end();
    expect(seen.filter((one) => !one.startsWith('write a'))).toEqual(['failed full']);
  });

  it('tells nothing more once it is given up, and stops the write under way', () => {
    let isStopped = false;
    const { writer, seen } = writing(
      () =>
        new Observable(() => () => {
          isStopped = true;
        }),
    );
    writer.push(chunkOf(bytesOf('a')));
    writer.push(chunkOf(bytesOf('b')));
    writer.abort();
    writer.end();
    expect([seen, isStopped]).toEqual([['write a'], true]);
  });
});
