import { describe, expect, it } from '@jest/globals';
import { throwError } from 'rxjs';
import { deadLetter, mapValue, retryConnect } from '../../../../operators/index.js';
import { SinkError } from '../../../../src/core/errors.js';
import { flow } from '../../../../src/flow/flow.js';
import { jsonLines } from '../../../../src/formats/json-lines.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { fileSink } from '../../../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../../../src/sources/kafka/kafka-source.js';
import { type BuildCollector, proveExactlyOnce } from '../../../../src/testing/index.js';
import { SOURCE_OPTIONS } from '../trial-flows.js';

const CHAT = {
  chat: [
    ['a0', 'a1', 'a2', 'a3'],
    ['b0', 'b1'],
  ],
};
const rejected = (path: string) => throwError(() => new SinkError('RXF_FILES_NAME', `Nothing can stand at ${path}`));

function collector(wrapped: (fs: FileSystem) => FileSystem): BuildCollector {
  return ({ kafka, fs: given, monitor }) => {
    const fs = wrapped(given);
    const lake = fileSink<string>(fs, {
      root: '/lake',
      path: (value) => `odd=${Number(value.slice(1)) % 2}`,
      format: jsonLines(),
      roll: { intervalMs: 60, count: 4 },
      chunk: { maxWaitMs: 10 },
      monitor,
    });
    const bad = fileSink(fs, {
      root: '/bad',
      format: jsonLines(),
      roll: { intervalMs: 100 },
      chunk: { maxWaitMs: 10 },
      monitor,
    });
    return flow(
      'trial',
      kafkaSource(kafka, { ...SOURCE_OPTIONS, resumeFrom: lake.offsetStore, monitor }).pipe(
        retryConnect({ firstDelayMs: 10, monitor }),
      ),
      deadLetter(bad.write()),
      mapValue((value) => String(value)),
      lake.write(),
    );
  };
}

/** Files of odd values cannot be made visible. What is put into quarantine is put where the proof sees it. */
function shelving(fs: FileSystem): FileSystem {
  const shelf = (path: string) =>
    path.includes('/quarantine/') && !path.endsWith('.json') ? `/shelf/odd=1/${path.split('/').at(-1)}` : path;
  return {
    ...fs,
    publish: (from, to) => (to.includes('/odd=1/') ? rejected(to) : fs.publish(from, shelf(to))),
    status: (path) => fs.status(shelf(path)),
  };
}

/** The folder of odd values cannot be made. */
function obstructed(fs: FileSystem): FileSystem {
  return { ...fs, makeFolder: (path) => (path.includes('/odd=1') ? rejected(path) : fs.makeFolder(path)) };
}

describe('whatever dies, sleeps, is late or comes twice', () => {
  it('each value of a file that cannot be made visible is in quarantine once', () => {
    const roots = { root: ['/lake', '/shelf'] };
    expect(proveExactlyOnce(collector(shelving), CHAT, { ...roots, schedules: 60, seed: 3 })).toMatchObject({
      lines: 6,
    });
  });

  it('each value whose folder cannot be made is among the dead letters, and the others are stored once', () => {
    const readLines = (bytes: Uint8Array, path: string) => {
      const lines = Buffer.from(bytes).toString().split('\n').filter(Boolean);
      return path.startsWith('/bad/') ? lines.map((line) => (JSON.parse(line) as { value: string }).value) : lines;
    };
    const roots = { root: '/lake', atLeastOnceRoot: '/bad', readLines };
    expect(proveExactlyOnce(collector(obstructed), CHAT, { ...roots, schedules: 60, seed: 4 })).toMatchObject({
      lines: 6,
    });
  });
});
