import { concat, defer, EMPTY, from, lastValueFrom, mergeMap, type Observable, type ObservableInput } from 'rxjs';
import { type Fact, type ProbeSetting, probing, rightBy } from '../../delivery/probe.js';
import type { FileSystem } from '../../ports/file-system.js';
import { OWN_FOLDER } from './names.js';
import type { CheckedOptions } from './options.js';

const CONTENT = Buffer.from('Written by `rxflume doctor`, and removed again.\n');

/** Looks at where a file sink writes: what the file system says, and whether a file can be made, moved, read and removed there. */
export function probeOf<T>(fs: FileSystem, { root, roll }: CheckedOptions<T>, setting: ProbeSetting): Observable<Fact> {
  const { bytes, intervalMs } = roll;
  return concat(
    defer(() => fs.probe?.(root, setting) ?? EMPTY),
    probing(async (tell) => {
      tell({ kind: 'roll', bytes, intervalMs });
      await tryWriting(fs, root, setting, tell);
    }),
  );
}

/** Does once what the sink does with each file, in a folder of its own, which is removed at the end. */
async function tryWriting(
  fs: FileSystem,
  root: string,
  setting: ProbeSetting,
  tell: (fact: Fact) => void,
): Promise<void> {
  const on = `${root} of ${fs.name}`;
  const fix = `Make ${root} a folder that this user may write to and list, as \`hdfs dfs -mkdir -p\` and \`-chown\` do, or correct \`root\` and the user.`;
  const tried = async <R>(action: string, work: () => ObservableInput<R>): Promise<R> => {
    try {
      const answer = await lastValueFrom(from(work()));
      tell({ kind: 'right', action, on, fix });
      return answer;
    } catch (error) {
      tell({ kind: 'right', action, on, error, fix: fixOf(error, root, fix) });
      throw error;
    }
  };
  try {
    const folder = `${await tried('look at folders', () => deepestFolder(fs, root))}/${setting.scratch}`;
    setting.atEnd(() => removed(fs, folder, on));
    await tried('make a folder', () => fs.makeFolder(folder));
    await tried('write a file', () => {
      const writer = fs.create(`${folder}/a/file`);
      return concat(
        from(writer.write(CONTENT)),
        defer(() => from(writer.close())),
      );
    });
    await tried('rename a file', async () => {
      const moved = await lastValueFrom(from(fs.rename(`${folder}/a/file`, `${folder}/b/file`)));
      if (moved !== 'renamed') throw new Error(`the move answered \`${moved}\``);
    });
    await tried('read a file', async () => {
      const bytes = await lastValueFrom(from(fs.read(`${folder}/b/file`, CONTENT.length)));
      if (!CONTENT.equals(bytes)) throw new Error('what is read is not what was written');
    });
  } catch {
    // What failed is a fact already; what comes after it would fail as well.
  }
}

/** Removes the folder, of which nothing may be there yet. */
function removed(fs: FileSystem, folder: string, on: string): Observable<Fact> {
  const fix = `Remove ${folder} yourself, and give this user the right to remove what it makes.`;
  const remove = rightBy({ action: 'remove a folder', on, fix }, () => fs.remove(folder));
  return defer(() => from(fs.status(folder))).pipe(mergeMap((status) => (status === null ? EMPTY : remove)));
}

/** The folder closest to where the sink writes that is there: what is made in it can be removed, and nothing else with it. */
export async function deepestFolder(fs: FileSystem, root: string): Promise<string> {
  for (let path = `${root}/${OWN_FOLDER}`; path !== ''; path = path.replace(/\/[^/]*$/, '')) {
    const status = await lastValueFrom(from(fs.status(path)));
    if (status?.kind === 'folder') return path;
    if (status !== null) throw new Error(`${path} is a file`);
  }
  return '';
}

function fixOf(error: unknown, root: string, otherwise: string): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (code === 'RXF_FILES_FULL') return `Make room: remove files, or raise the quota (hdfs dfs -count -q ${root}).`;
  if (/^RXF_FILES_(UNREACHABLE|TIMEOUT|TLS|STANDBY|SAFE_MODE)$/.test(String(code)))
    return 'See what is said of the NameNodes and DataNodes above; a file needs both.';
  return otherwise;
}
