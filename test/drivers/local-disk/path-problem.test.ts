import { describe, expect, it } from '@jest/globals';
import { diskError } from '../../../src/drivers/local-disk/disk-error.js';
import { pathProblem } from '../../../src/drivers/local-disk/path-problem.js';

const on = (platform: NodeJS.Platform, path: string) => pathProblem(path, '/srv', platform);

describe('what a local disk can hold by its name', () => {
  it.each(['/lake/a:b', '/lake/.snapshot', `/${'n'.repeat(255)}`, `/${'语'.repeat(85)}`, '/nul/a.'])(
    'on Linux it holds %j',
    (path) => expect(on('linux', path)).toBeNull(),
  );

  it.each([
    ['/lake/\ud800', 'an unpaired surrogate'],
    ['/lake/a\0', 'NUL'],
    [`/${'n'.repeat(256)}`, '256 bytes'],
    [`/${'语'.repeat(86)}`, '258 bytes'],
    [`/${'l/'.repeat(2_050)}`, "with the driver's `root` it has 4105 bytes, and this system takes 4095"],
  ])('on Linux it rejects %j', (path, why) => expect(on('linux', path)).toContain(why));

  it('takes shorter paths on macOS, and fewer names on Windows', () => {
    expect(on('darwin', `/${'l/'.repeat(510)}`)).toContain('1023');
    for (const path of ['/a:b', '/a/NUL', '/com1.txt', '/a.', '/a /b', '/a?']) {
      expect([path, on('win32', path)]).toEqual([path, 'it has a name that Windows does not allow']);
    }
    expect(on('win32', '/null/dt=2026-03-02/.a')).toBeNull();
  });
});

describe('an error of the disk that is of the name', () => {
  const error = (code: string, syscall: string) => Object.assign(new Error(`${code}: no`), { code, syscall });

  it.each([
    ['ENAMETOOLONG', 'link'],
    ['EILSEQ', 'open'],
    ['EINVAL', 'mkdir'],
  ])('%s of %s never passes', (code, syscall) => {
    const reported = diskError(error(code, syscall), 'rename a to b', '/a');
    expect(reported).toMatchObject({ code: 'RXF_FILES_NAME', retryable: false });
    expect(reported.message).toContain(code);
  });

  it('is none where a disk cannot do something, such as fsync of a folder', () => {
    expect(diskError(error('EINVAL', 'fsync'), 'write a', '/a')).toMatchObject({ code: 'RXF_FILES_REMOTE' });
  });
});
