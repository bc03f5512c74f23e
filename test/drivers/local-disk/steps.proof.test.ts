import { describe, expect, it } from '@jest/globals';
import { concat, concatMap, from, map, type ObservableInput, of } from 'rxjs';
import { localDiskOn } from '../../../src/drivers/local-disk/local-disk.js';
import type { DiskFile, DiskSystem } from '../../../src/ports/disk-system.js';
import { LEDGER_RULES } from '../../../src/sinks/files/ledger/rules.js';
import { fileSystemContract } from '../../../src/testing/contracts/file-system-contract.js';
import { ProofError, type ProofOptions, proveExactlyOnce } from '../../../src/testing/index.js';
import { MemoryDisk } from '../../../src/testing/memory/memory-disk.js';
import { plain } from '../../sinks/files/trial-flows.js';

const INPUT = { chat: [['a0', 'a1', 'a2', 'a4'], ['b0']] };

/** Runs the driver itself, each of whose calls of the system is a step, over a disk that forgets what was not synced. */
function prove(options: ProofOptions, changed: (system: DiskSystem) => Partial<DiskSystem> = () => ({})) {
  const disk = (system: DiskSystem) => localDiskOn({ ...system, ...changed(system) });
  return proveExactlyOnce(plain(LEDGER_RULES), INPUT, { singleFaults: 'none', schedules: 0, ...options, disk });
}

function findings(options: ProofOptions, changed: (system: DiskSystem) => Partial<DiskSystem>): string {
  try {
    prove({ schedules: 600, ...options }, changed);
  } catch (error) {
    if (error instanceof ProofError) return error.findings.join('\n');
    throw error;
  }
  return 'nothing was found';
}

describe('the local disk, struck at each of its steps', () => {
  it('keeps every value once, whichever process dies between a link, an unlink and each sync, or takes files away', () => {
    const faults = ['crash', 'power', 'take', 'fail'] as const;
    const report = prove({ singleFaults: 'every', faults: ['power'] });
    expect(report.steps).toBeGreaterThan(50);
    expect(report.faults.power).toBeGreaterThan(100);
    const random = prove({ faults, schedules: 60 });
    for (const kind of faults) expect(random.faults[kind]).toBeGreaterThan(5);
    prove({
      schedules: 40,
      seed: 7,
      faults: ['crash', 'orphan', 'lose', 'late', 'stop', 'join', 'take', 'power'],
    });
  }, 120_000);

  it('would not, if files became visible by a link and the removal of the old name', () => {
    const linked = (system: DiskSystem) => ({
      rename: (one: string, other: string) => concat(from(system.link(one, other)), from(system.unlink(one))),
    });
    expect(findings({ faults: ['crash', 'take'], maxFaults: 6, seed: 4 }, linked)).toMatch(
      /^stored twice: "\w\d" of chat/,
    );
  }, 120_000);

  it('would not, if the names in folders were not synced, or the bytes of files', () => {
    const noNames = () => ({ syncFolder: () => of(undefined) });
    expect(findings({ faults: ['power'] }, noNames)).toMatch(/^lost: "\w\d" of chat/);
    const noBytes = (system: DiskSystem): Partial<DiskSystem> => ({
      open: (path, flags) =>
        from(system.open(path, flags)).pipe(map((file): DiskFile => ({ ...file, sync: () => of(undefined) }))),
    });
    expect(findings({ faults: ['power'] }, noBytes)).toMatch(/^lost: "\w\d" of chat/);
  }, 120_000);

  it('would not, if a folder that exists were taken for one whose name is durable', () => {
    // As if each folder were made by another, whose sync of the name above it is still to come.
    const byAnother = (system: DiskSystem): Partial<DiskSystem> => ({
      syncFolder: (path) => (isAbove(path) ? of(undefined) : system.syncFolder(path)),
    });
    const isAbove = (path: string) => ['/', '/lake', '/lake/_rxflume', '/lake/_rxflume/ledger'].includes(path);
    expect(findings({ faults: ['power'] }, byAnother)).toMatch(/^lost: "\w\d" of chat/);
  }, 120_000);
});

describe('file system contract: local disk over a disk in memory', () => {
  const disk = new MemoryDisk({ latencyMs: () => 0 });
  it.each(fileSystemContract)('$name', ({ run }) => run({ fs: localDiskOn(disk), root: '/lake' }));
});

describe('a disk in memory, when the power goes', () => {
  const done = <T>(answer: ObservableInput<T>) => {
    let value: T | undefined;
    from(answer).subscribe((one) => {
      value = one;
    });
    return value as T;
  };
  const put = (disk: MemoryDisk, path: string, text: string, isSynced: boolean) =>
    done(
      disk
        .open(path, 'wx')
        .pipe(
          concatMap((file) =>
            concat(file.write(Buffer.from(text), 0), isSynced ? file.sync() : of(undefined), file.close()),
          ),
        ),
    );
  const left = (disk: MemoryDisk, isWritten = false) => {
    disk.cutPower(() => isWritten);
    return Object.entries(disk.files()).map(([path, bytes]) => `${path}=${Buffer.from(bytes)}`);
  };

  it('forgets names and bytes that were not synced, and keeps those that were', () => {
    const disk = new MemoryDisk({ latencyMs: () => 0 });
    put(disk, '/a', 'synced', true);
    put(disk, '/b', 'not synced', false);
    done(disk.syncFolder('/'));
    put(disk, '/c', 'synced, but not its name', true);
    expect(left(disk)).toEqual(['/a=synced', '/b=']);
  });

  it('may have written all of it, all the same', () => {
    const disk = new MemoryDisk({ latencyMs: () => 0 });
    done(disk.mkdir('/d'));
    put(disk, '/d/a', 'text', false);
    expect(left(disk, true)).toEqual(['/d/a=text']);
  });

  it('has a rename in both folders or in none', () => {
    for (const synced of ['/from', '/to', '']) {
      const disk = new MemoryDisk({ latencyMs: () => 0 });
      for (const folder of ['/from', '/to']) done(disk.mkdir(folder));
      put(disk, '/from/a', 'text', true);
      for (const folder of ['/', '/from', '/to']) done(disk.syncFolder(folder));
      done(disk.rename('/from/a', '/to/a'));
      if (synced !== '') done(disk.syncFolder(synced));
      expect(left(disk)).toEqual([synced === '' ? '/from/a=text' : '/to/a=text']);
    }
  });

  it('may have both names of a link, or one', () => {
    const disk = new MemoryDisk({ latencyMs: () => 0 });
    put(disk, '/a', 'text', true);
    done(disk.syncFolder('/'));
    done(disk.link('/a', '/b'));
    expect(done(disk.stat('/a')).nlink).toBe(2n);
    expect(left(disk)).toEqual(['/a=text']);
    expect(done(disk.stat('/a')).nlink).toBe(1n);
  });
});
