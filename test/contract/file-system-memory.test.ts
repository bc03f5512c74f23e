import { describe, expect, it } from '@jest/globals';
import { concat, concatMap, defer, from, ignoreElements, map, mergeMap, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { SinkError } from '../../src/core/errors.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';

const text = (value: string) => new TextEncoder().encode(value);
const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
const seen = (answer: unknown) => {
  const got: unknown[] = [];
  (answer as Observable<unknown>).subscribe({
    next: (value) => got.push(value),
    error: (error) => got.push(error),
    complete: () => got.push('done'),
  });
  return got;
};

describe('memory file system', () => {
  it('answers at once without latency', () => {
    const fs = memoryFileSystem();
    const writer = fs.create('/d/a');
    seen(concat(from(writer.write(text('one '))), from(writer.write(text('two')))));
    expect(fs.unfinished()).toEqual(['/d/a']);
    expect(seen(writer.close())).toEqual([{ bytes: 7 }, 'done']);
    expect(fs.unfinished()).toEqual([]);
    expect(fs.text('/d/a')).toBe('one two');
    expect(Object.keys(fs.files())).toEqual(['/d/a']);
    expect(seen(fs.rename('/d/a', '/e/b'))).toEqual(['renamed', 'done']);
    expect(fs.calls).toEqual(['write /d/a', 'write /d/a', 'close /d/a', 'rename /d/a /e/b']);
    expect(() => fs.text('/d/a')).toThrow('No file /d/a; there are: /e/b');
  });

  it('answers after its latency in virtual time, which holds writes back', () => {
    marbles().run(({ cold, expectObservable }) => {
      const fs = memoryFileSystem({ latencyMs: (verb) => (verb === 'write' ? 3 : 1) });
      const writer = fs.create('/a');
      const written = cold('ab|').pipe(concatMap((value) => from(writer.write(text(value))).pipe(map(() => value))));
      const closed = defer(() => from(writer.close())).pipe(map(({ bytes }) => bytes));
      expectObservable(concat(written, closed)).toBe('---a--b(c|)', { a: 'a', b: 'b', c: 2 });
    });
  });

  it('lets the next write start inside the answer to the last', () => {
    const fs = memoryFileSystem();
    const writer = fs.create('/a');
    const chain = from(writer.write(text('a'))).pipe(
      mergeMap(() => from(writer.write(text('b')))),
      mergeMap(() => from(writer.close())),
    );
    expect(seen(chain)).toEqual([{ bytes: 2 }, 'done']);
  });

  it('fails the next call of a verb, once, and does nothing', () => {
    const fs = memoryFileSystem();
    const error = new SinkError('RXF_FILES_FULL', 'full');
    fs.failNext('write', error);
    const writer = fs.create('/a');
    expect(seen(writer.write(text('a')))).toEqual([error]);
    expect(seen(writer.write(text('a')))).toEqual([error]);
    expect(seen(writer.close())).toEqual([error]);
    expect(fs.files()).toEqual({});
    expect(seen(fs.create('/b').close())).toEqual([{ bytes: 0 }, 'done']);
  });

  it('loses an answer: done, and failed', () => {
    const fs = memoryFileSystem();
    seen(fs.create('/a').close());
    fs.loseNext('rename');
    expect(seen(fs.rename('/a', '/b'))).toEqual([
      expect.objectContaining({ code: 'RXF_FILES_UNREACHABLE', retryable: true }),
    ]);
    expect(Object.keys(fs.files())).toEqual(['/b']);
    fs.loseNext('close');
    expect(seen(fs.create('/c').close())).toHaveLength(1);
    expect(fs.unfinished()).toEqual([]);
  });

  it('never answers where ordered so', () => {
    const fs = memoryFileSystem();
    fs.hangNext('status');
    expect(seen(fs.status('/a'))).toEqual([]);
    expect(seen(fs.status('/a'))).toEqual([null, 'done']);
  });

  it('gives up the file whose write is unsubscribed from', () => {
    marbles().run(({ expectObservable, flush }) => {
      const fs = memoryFileSystem({ latencyMs: 5 });
      const writer = fs.create('/a');
      expectObservable((writer.write(text('a')) as Observable<unknown>).pipe(ignoreElements()), '--!').toBe('---');
      flush();
      expect(seen(writer.close())).toEqual([expect.objectContaining({ code: 'RXF_FILES_ABORTED' })]);
    });
  });

  it('rejects a second write before the first has answered', () => {
    marbles().run(({ flush }) => {
      const writer = memoryFileSystem({ latencyMs: 5 }).create('/a');
      seen(writer.write(text('a')));
      expect(seen(writer.write(text('b')))).toEqual([
        expect.objectContaining({ message: expect.stringContaining('has not answered') }),
      ]);
      flush();
    });
  });
});
