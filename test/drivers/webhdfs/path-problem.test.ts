import { describe, expect, it } from '@jest/globals';
import { expectHoldable, pathProblem } from '../../../src/drivers/webhdfs/path-problem.js';
import { codeOf, rejected } from '../../../src/drivers/webhdfs/remote-exception.js';

describe('what HDFS can hold by its name', () => {
  it.each(['/', '/lake/chat', `/${'n'.repeat(255)}`, `/${'语'.repeat(85)}`, '/a/.reserved', '/.snapshots', '/ a\n\\'])(
    'it holds %j',
    (path) => expect(pathProblem(path)).toBeNull(),
  );

  it.each([
    ['/lake/\ud800', 'an unpaired surrogate'],
    ['/lake/.snapshot', 'reserved name'],
    ['/lake/.snapshot/x', 'reserved name'],
    ['/.reserved/x', "HDFS's own"],
    ['/lake/a:b', '`:`'],
    [`/lake/${'n'.repeat(256)}`, '256 bytes, and 255 are the most'],
    [`/lake/${'语'.repeat(86)}`, '258 bytes'],
    [`/${'l/'.repeat(1_000)}l`, '1001 levels'],
    [`/${`${'n'.repeat(99)}/`.repeat(80)}n`, '8002 characters'],
    ['/a/../b', '`..`'],
  ])('it rejects %j', (path, why) => {
    expect(pathProblem(path)).toContain(why);
    expect(() => expectHoldable(path)).toThrow(expect.objectContaining({ code: 'RXF_FILES_NAME', retryable: false }));
  });

  // As a NameNode of Hadoop 3.3 answers.
  it.each([
    ['HadoopIllegalArgumentException', '".snapshot" is a reserved name.'],
    ['InvalidPathException', 'Invalid path name Invalid file name: /lake/a:b'],
    ['PathComponentTooLongException', 'The maximum path component name limit of x in directory /lake is exceeded'],
    ['IOException', 'mkdirs: Pathname too long.  Limit 8000 characters, 1000 levels.'],
  ])('a NameNode that rejects it with %s says the same', (name, message) => {
    const attempt = { doing: 'rename', path: '/lake/x', at: 'http://nn1:9870', user: 'flume' };
    expect(codeOf({ name, message })).toBe('RXF_FILES_NAME');
    expect(rejected({ name, message }, attempt)).toMatchObject({ code: 'RXF_FILES_NAME', retryable: false });
  });
});
