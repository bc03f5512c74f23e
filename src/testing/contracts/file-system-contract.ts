import { KiB } from '../../core/units.js';
import { equal } from './checking.js';
import {
  bytesOf,
  check,
  expect,
  type FileSystemCheck,
  fails,
  kindOf,
  namesOf,
  once,
  put,
  textOf,
} from './file-system-checks.js';
import { fileNameContract } from './file-system-name-contract.js';

/**
 * What every driver of the `FileSystem` port must do, as named checks for any test runner:
 * `for (const { name, run } of fileSystemContract) it(name, () => run({ fs, root }))`.
 */
export const fileSystemContract: readonly FileSystemCheck[] = [
  check('a closed file has the length and the bytes written, and its folders', async ({ fs, at }) => {
    const path = at('a/b/c.txt');
    const writer = fs.create(path);
    await once(writer.write(bytesOf('one ')));
    await once(writer.write(new Uint8Array(0)));
    await once(writer.write(bytesOf('two')));
    equal((await once(writer.close())).bytes, 7, 'the answer of close');
    equal(await textOf(fs, path), 'one two', 'the content');
    const status = await once(fs.status(path));
    equal([status?.path, status?.kind, status?.bytes], [path, 'file', 7], 'the status');
    const age = Math.abs(Date.now() - (status?.modifiedMs ?? 0));
    expect('`modifiedMs` to be in milliseconds, near now', age < 86_400_000, status?.modifiedMs);
    const folder = await once(fs.status(at('a/b')));
    equal([folder?.path, folder?.kind, folder?.bytes], [at('a/b'), 'folder', 0], 'the folder');
  }),

  check('a file closed without a write is empty', async ({ fs, at }) => {
    equal((await once(fs.create(at('empty')).close())).bytes, 0, 'the answer of close');
    equal((await once(fs.status(at('empty'))))?.bytes, 0, 'the length');
    equal(await textOf(fs, at('empty')), '', 'the content');
  }),

  check('3 MiB in many writes come back intact', async ({ fs, at }) => {
    const whole = new Uint8Array(3 * 1_024 * KiB);
    for (let i = 0; i < whole.length; i++) whole[i] = (i * 2_654_435_761) >>> 24;
    const writer = fs.create(at('large'));
    for (let from = 0, n = 1; from < whole.length; n++) {
      const to = Math.min(whole.length, from + ((n * 7_919) % (64 * KiB)) + 1);
      // A chunk may be overwritten once its write has answered.
      const chunk = whole.slice(from, to);
      await once(writer.write(chunk));
      chunk.fill(0);
      from = to;
    }
    equal((await once(writer.close())).bytes, whole.length, 'the answer of close');
    const read = await once(fs.read(at('large'), whole.length));
    const wrong = read.findIndex((byte, index) => byte !== whole[index]);
    equal([read.length, wrong], [whole.length, -1], 'the length and the first wrong byte');
  }),

  check('create does not touch a file that exists', async ({ fs, at }) => {
    await put(fs, at('taken'), 'first');
    await fails('RXF_FILES_EXISTS', () => put(fs, at('taken'), 'second, and longer'));
    await fails('RXF_FILES_EXISTS', () => once(fs.create(at('taken')).close()));
    equal(await textOf(fs, at('taken')), 'first', 'the content');
  }),

  check('a file given up never counts as closed', async ({ fs, at }) => {
    const writer = fs.create(at('given-up'));
    await once(writer.write(bytesOf('half')));
    writer.abort();
    writer.abort();
    await fails(null, () => once(writer.close()));
    await fails(null, () => once(writer.write(bytesOf('more'))));
    const unused = fs.create(at('never-begun'));
    unused.abort();
    await fails(null, () => once(unused.close()));
    equal(await once(fs.status(at('never-begun'))), null, 'a file given up before its first write');
  }),

  ...(['rename', 'publish'] as const).flatMap((move) => [
    check(`${move} moves, and makes the folders of the target`, async ({ fs, at }) => {
      await put(fs, at('old'), 'text');
      equal(await once(fs[move](at('old'), at('x/y/new'))), 'renamed', 'the answer');
      equal(await once(fs.status(at('old'))), null, 'the source');
      equal(await textOf(fs, at('x/y/new')), 'text', 'the content');
    }),

    check(`${move} onto a file that exists moves nothing`, async ({ fs, at }) => {
      await put(fs, at('one'), 'first');
      await put(fs, at('two'), 'second');
      equal(await once(fs[move](at('one'), at('two'))), 'exists', 'the answer');
      equal([await textOf(fs, at('one')), await textOf(fs, at('two'))], ['first', 'second'], 'both');
      equal(await once(fs[move](at('one'), at('one'))), 'exists', 'the answer onto itself');
      equal(await textOf(fs, at('one')), 'first', 'the content');
    }),

    check(`${move} onto a folder moves nothing`, async ({ fs, at }) => {
      await put(fs, at('one'), 'first');
      await put(fs, at('folder/two'), 'second');
      equal(await once(fs[move](at('one'), at('folder'))), 'exists', 'the answer');
      equal(await namesOf(fs, at('folder')), ['two'], 'the folder');
      equal(await textOf(fs, at('one')), 'first', 'the content');
    }),

    check(`${move} of a file that does not exist says so`, async ({ fs, at }) => {
      await put(fs, at('target'), 'text');
      equal(await once(fs[move](at('nothing'), at('free'))), 'missing', 'to a free name');
      equal(await once(fs[move](at('nothing'), at('target'))), 'missing', 'to a taken name');
      equal(await once(fs.status(at('free'))), null, 'the free name');
    }),

    check(`${move} of one file by several at once comes to an end for each`, async ({ fs, at }) => {
      for (let n = 0; n < 5; n += 1) {
        await put(fs, at(`many/${n}`), 'text');
        const answers = await Promise.all([0, 1, 2].map(() => once(fs[move](at(`many/${n}`), at(`d/${n}`)))));
        expect('one of them to have moved it', answers.includes('renamed'), answers);
        equal([await namesOf(fs, at('many')), await textOf(fs, at(`d/${n}`))], [[], 'text'], 'what is left');
      }
    }),

    check(`${move} of what a reader has taken away from the new name does not bring it back`, async ({ fs, at }) => {
      await put(fs, at('old'), 'text');
      await once(fs[move](at('old'), at('new')));
      await once(fs.rename(at('new'), at('taken')));
      equal(await once(fs[move](at('old'), at('new'))), 'missing', 'the answer');
      equal(await once(fs.status(at('new'))), null, 'the new name');
    }),
  ]),

  check('of two renames to one name, one wins', async ({ fs, at }) => {
    await put(fs, at('one'), 'text');
    await put(fs, at('two'), 'text');
    const answers = await Promise.all([
      once(fs.rename(at('one'), at('d/won'))),
      once(fs.rename(at('two'), at('d/won'))),
    ]);
    equal(answers.sort(), ['exists', 'renamed'], 'the answers');
    const left = [await once(fs.status(at('one'))), await once(fs.status(at('two')))];
    equal(left.filter(Boolean).length, 1, 'what is left');
  }),

  check('list gives what a folder holds, by name', async ({ fs, at }) => {
    for (const name of ['10', '9', 'b/deep', 'a', 'B']) await put(fs, at(`l/${name}`), name);
    const listed = await once(fs.list(at('l')));
    equal(
      listed.map(({ path }) => path),
      ['10', '9', 'B', 'a', 'b'].map((name) => at(`l/${name}`)),
      'the names',
    );
    equal(
      listed.map(({ kind }) => kind),
      ['file', 'file', 'file', 'file', 'folder'],
      'the kinds',
    );
    equal(
      listed.map(({ bytes }) => bytes),
      [2, 1, 1, 1, 0],
      'the lengths',
    );
    equal(await once(fs.list(at('nowhere/at/all'))), [], 'a folder that does not exist');
    equal(await once(fs.list(at('l/a'))), [], 'a file');
  }),

  check('status of what does not exist is null', async ({ fs, at }) => {
    await put(fs, at('file'), 'text');
    equal(await once(fs.status(at('missing'))), null, 'a missing name');
    equal(await once(fs.status(at('missing/name'))), null, 'a missing folder');
    equal(await once(fs.status(at('file/name'))), null, 'below a file');
  }),

  check('read keeps its limit', async ({ fs, at }) => {
    await put(fs, at('ten'), '0123456789');
    equal(await textOf(fs, at('ten'), 10), '0123456789', 'at the limit');
    await fails('RXF_FILES_PROTOCOL', () => once(fs.read(at('ten'), 9)));
    await fails('RXF_FILES_MISSING', () => once(fs.read(at('missing'), 10)));
  }),

  check('remove says whether there was something, and takes all of a folder', async ({ fs, at }) => {
    await put(fs, at('r/file'), 'text');
    await put(fs, at('r/s/deep'), 'text');
    await put(fs, at('rest'), 'text');
    equal(await once(fs.remove(at('r/file'))), true, 'a file');
    equal(await once(fs.remove(at('r/file'))), false, 'the file again');
    equal(await once(fs.remove(at('r'))), true, 'a folder');
    equal(await once(fs.remove(at('r'))), false, 'the folder again');
    equal(await once(fs.status(at('r/s/deep'))), null, 'what was below');
    equal(await textOf(fs, at('rest')), 'text', 'what is beside it');
    await put(fs, at('r/file'), 'again');
    await put(fs, at('moved'), 'text');
    await once(fs.remove(at('r')));
    equal(await once(fs.rename(at('moved'), at('r/file'))), 'renamed', 'a rename into the removed folder');
  }),

  check('makeFolder makes a folder with those above it, also where it exists', async ({ fs, at }) => {
    await once(fs.makeFolder(at('m/n')));
    await once(fs.makeFolder(at('m/n')));
    equal([await kindOf(fs, at('m')), await kindOf(fs, at('m/n'))], ['folder', 'folder'], 'the kinds');
    await put(fs, at('m/n/file'), 'text');
    await Promise.all([once(fs.makeFolder(at('m/n'))), once(fs.makeFolder(at('m/n/o')))]);
    equal(await textOf(fs, at('m/n/file')), 'text', 'what was in it');
  }),

  check('makeFolder in the place of a file, or below one, fails and changes nothing', async ({ fs, at }) => {
    await put(fs, at('file'), 'text');
    await fails('RXF_FILES_EXISTS', () => once(fs.makeFolder(at('file'))));
    await fails('RXF_FILES_EXISTS', () => once(fs.makeFolder(at('file/below/it'))));
    await put(fs, at('other'), 'text');
    await fails('RXF_FILES_EXISTS', () => once(fs.rename(at('other'), at('file/other'))));
    equal(await textOf(fs, at('file')), 'text', 'the file');
    equal(await textOf(fs, at('other')), 'text', 'what was not moved');
  }),

  check('names keep every character', async ({ fs, at }) => {
    const names = [
      'a b',
      '你好',
      'naïve 🎉',
      'x+y',
      'k=v',
      '100%',
      '50%25',
      'a#b',
      'what?',
      'a&b;c',
      "it's(1)~!*",
      '[x]{y}',
      '..a',
    ];
    for (const name of names) {
      await put(fs, at(`n/${name}/${name}`), name);
      const moved = at(`m/${name}`);
      equal(await once(fs.rename(at(`n/${name}/${name}`), moved)), 'renamed', `the rename of ${name}`);
      equal(await textOf(fs, moved), name, `the content of ${name}`);
      equal((await once(fs.status(moved)))?.path, moved, `the status of ${name}`);
    }
    equal(await namesOf(fs, at('m')), [...names].sort(), 'the names listed');
    for (const name of names) equal(await once(fs.remove(at(`m/${name}`))), true, `the removal of ${name}`);
  }),

  ...fileNameContract,
];
