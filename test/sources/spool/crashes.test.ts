import { expect, it } from '@jest/globals';
import { Monitor } from '../../../src/core/monitor.js';
import { text } from '../../../src/formats/text.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { lineRecords } from '../../../src/sources/file/line-records.js';
import { spoolSource } from '../../../src/sources/spool/spool-source.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** Numbers in [0, 1), the same for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
}

/** A collector that dies at any moment, with what it asked of the store under way; another begins over the same store. */
function collect(fs: MemoryFileSystem, chance: () => number, isExact: boolean): () => void {
  const lake = fileSink<Buffer>(fs, {
    root: '/lake',
    format: text(),
    roll: { count: 1 + Math.floor(chance() * 5) },
    monitor: new Monitor(),
  });
  const source = spoolSource(fs, {
    name: 'n',
    folder: '/in',
    records: lineRecords(),
    pollIntervalMs: 50,
    unchangedForMs: 50,
    window: { count: 1 + Math.floor(chance() * 8) },
    maxOpenFiles: 1 + Math.floor(chance() * 3),
    monitor: new Monitor(),
    ...(isExact && { resumeFrom: lake.offsetStore }),
  });
  const running = source.pipe(lake.write()).subscribe({ error: () => undefined });
  return () => running.unsubscribe();
}

/** What is stored of 12 lines in 4 files after as many crashes, and what is left in the folder. */
function strike(
  seed: number,
  isExact: boolean,
): { readonly stored: readonly string[]; readonly left: readonly string[] } {
  const chance = chanceOf(seed);
  const fs = memoryFileSystem({ latencyMs: () => Math.floor(chance() * 8) });
  inVirtualTime((at) => {
    for (let file = 0; file < 4; file += 1) {
      const lines = Array.from({ length: file + 1 + Math.floor(chance() * 3) }, (_, line) => `${file}.${line}\n`);
      at(Math.floor(chance() * 300), () => fs.put(`/in/${file}`, lines.join('')));
    }
    let kill = collect(fs, chance, isExact);
    const crashes = 1 + Math.floor(chance() * 6);
    for (let crash = 0, ms = 0; crash < crashes; crash += 1) {
      ms += 20 + Math.floor(chance() * 150);
      at(ms, () => {
        kill();
        kill = collect(fs, chance, isExact);
      });
    }
    at(20_000, () => kill());
  });
  const paths = Object.keys(fs.files());
  return {
    stored: paths
      .filter((path) => path.startsWith('/lake/spool'))
      .flatMap((path) => fs.text(path).trimEnd().split('\n')),
    left: paths.filter((path) => path.startsWith('/in/') && !path.endsWith('.COMPLETED')),
  };
}

/** The lines that the seed puts. */
function expected(seed: number): string[] {
  const chance = chanceOf(seed);
  return Array.from({ length: 4 }, (_, file) => {
    const count = file + 1 + Math.floor(chance() * 3);
    chance();
    return Array.from({ length: count }, (__, line) => `${file}.${line}`);
  }).flat();
}

const SEEDS = Array.from({ length: 24 }, (_, seed) => seed + 1);

it('stores each line of each file once, however often the collector dies, and finishes every file', () => {
  for (const seed of SEEDS) {
    const { stored, left } = strike(seed, true);
    expect([seed, [...stored].sort(), left]).toEqual([seed, expected(seed).sort(), []]);
  }
});

it('would find doubles: without the ledger there are some, and still no line is lost', () => {
  let doubled = 0;
  for (const seed of SEEDS.slice(0, 12)) {
    const { stored } = strike(seed, false);
    expect([seed, [...new Set(stored)].sort()]).toEqual([seed, expected(seed).sort()]);
    doubled += stored.length - new Set(stored).size;
  }
  expect(doubled).toBeGreaterThan(0);
});
