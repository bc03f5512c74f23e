import { equal } from './checking.js';
import {
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

/** Every store holds these. */
const HELD = ['k', '.k', '_k', 'k=v', `${'n'.repeat(250)}+~=.x`];
/** No store holds these: an unpaired surrogate has no UTF-8 form. */
const NEVER_HELD = ['a\ud800', '\udfffa', 'a\ud800/b', '..', 'a/../b', 'a\0b'];
/** One store holds them, another does not. */
const NAMES = [
  ...HELD,
  // `..` leads elsewhere, which is another rejection.
  ...NEVER_HELD.filter((name) => !/\0|\.\./.test(name)),
  '.snapshot',
  '.snapshot/s',
  'a/.snapshot',
  '.snapshots',
  '.reserved',
  'a:b',
  ' ',
  'a ',
  '\u2028',
  'n'.repeat(256),
  '语'.repeat(85),
  '语'.repeat(86),
  '🎉'.repeat(64),
  `${'n'.repeat(256)}/n`,
  `${'l/'.repeat(100)}l`,
  `${`${'n'.repeat(99)}/`.repeat(41)}n`,
  `${`${'n'.repeat(99)}/`.repeat(80)}n`,
];

/** How a driver judges names, and that its store agrees. */
export const fileNameContract: readonly FileSystemCheck[] = [
  check('a name is judged as the store does: what is said to be held is, and nothing else', async ({ fs, at }) => {
    await put(fs, at('from'), 'text');
    for (const name of NAMES) {
      const path = at(`judged/${name}`);
      const shown = JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}… (${name.length})` : name);
      if (fs.pathProblem(path) === null) {
        await once(fs.makeFolder(path));
        equal(await kindOf(fs, path), 'folder', `the kind of ${shown}`);
        if (!name.includes('/')) equal(await namesOf(fs, at('judged')), [name], `the folder of ${shown}`);
        await once(fs.remove(at('judged')));
        equal(await once(fs.rename(at('from'), path)), 'renamed', `the rename to ${shown}`);
        equal(await once(fs.rename(path, at('from'))), 'renamed', `the rename from ${shown}`);
        await once(fs.remove(at('judged')));
      } else {
        for (const call of [() => once(fs.makeFolder(path)), () => put(fs, path, shown)])
          await fails('RXF_FILES_NAME', call);
        await fails('RXF_FILES_NAME', () => once(fs.rename(at('from'), path)));
        equal(await once(fs.status(path)), null, `the status of ${shown}`);
        equal(await once(fs.list(path)), [], `the listing of ${shown}`);
      }
    }
    equal(await textOf(fs, at('from')), 'text', 'what was moved to and fro');
    for (const name of HELD) equal(fs.pathProblem(at(name)), null, `the judgement of ${name}`);
    for (const name of NEVER_HELD) {
      expect(`${JSON.stringify(name)} to be rejected`, fs.pathProblem(at(name)) !== null, null);
    }
  }),
];
