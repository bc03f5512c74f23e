import { from, lastValueFrom } from 'rxjs';
import { type Probe, probing } from '../../delivery/probe.js';
import type { LocalFiles } from '../../ports/local-files.js';
import type { CheckedOptions } from './options.js';
import { Walker } from './walk.js';

/** Looks whether the paths lead to files, the first can be read, and the position file too, or its folder is there. Changes nothing. */
export function tailProbe(files: LocalFiles, { paths, exclude, maxFiles, positionFile }: CheckedOptions): Probe {
  return () =>
    probing(async (tell) => {
      const right = (action: string, on: string, fix: string, error?: unknown) =>
        tell({ kind: 'right', action, on, fix, ...(error !== undefined && { error }) });
      const on = `${paths.join(', ')} of ${files.host}`;
      const fix = 'Give this user the right to read them, and to list their folders (a group such as adm, or setfacl).';
      let doing = 'find files';
      try {
        const { found, unreadable } = await lastValueFrom(new Walker(files, paths, exclude, maxFiles).walk());
        for (const { path, error } of unreadable.slice(0, 5)) right('look at', path, fix, error);
        const [first] = found;
        if (first === undefined) {
          const none = new Error('no file matches yet');
          tell({ kind: 'unknown', what: on, error: none, fix: 'Correct `paths`, if there should be files now.' });
        } else {
          right(doing, on, fix);
          doing = `read ${first.path}`;
          const file = await lastValueFrom(from(files.open(first.path)));
          await lastValueFrom(from(file.close()));
          right('read them', on, fix);
        }
      } catch (error) {
        right(doing, on, fix, error);
      }
      const kept = 'Make the folder of `positionFile`, and give this user the right to write to it.';
      try {
        if ((await lastValueFrom(from(files.readWhole(positionFile)))) === null)
          await lastValueFrom(from(files.list(positionFile.replace(/\/[^/]*$/, '') || '/')));
        right('read the position file', positionFile, kept);
      } catch (error) {
        right('read the position file', positionFile, kept, error);
      }
    });
}
