import { concat, defer, EMPTY, from, lastValueFrom, type Observable } from 'rxjs';
import { type Probe, probing } from '../../delivery/probe.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';

/** What a probe looks for. */
export interface FilesLookedFor {
  /** Their disk, or the servers that have them, are looked at by this folder. */
  readonly folder: string;
  /** For messages, such as `/old/chat/*.gz`. */
  readonly on: string;
  readonly find: () => Observable<readonly FoundFile[]>;
  /** Whether it is wrong that there is none. */
  readonly mustExist: boolean;
}

/** Looks at where a source finds its files, and whether the first one can be read. Changes nothing. */
export function filesProbe(input: FileInput, { folder, on, find, mustExist }: FilesLookedFor): Probe {
  const right = (action: string, error?: unknown) => {
    const fix = 'Check the path, and that this user may list the folder and read its files.';
    return { kind: 'right', action, on, fix, ...(error !== undefined && { error }) } as const;
  };
  const looked: Probe = () =>
    probing(async (tell) => {
      let doing = 'find files';
      try {
        const found = await lastValueFrom(find());
        if (mustExist && found.length === 0) throw new Error('no file fits');
        tell(right(doing));
        const file = found.find(({ kind, bytes }) => kind === 'file' && bytes > 0);
        if (file === undefined) return;
        doing = `read ${file.path}`;
        await lastValueFrom(from(input.readAt(file.path, 0, 1)));
        tell(right('read them'));
      } catch (error) {
        tell(right(doing, error));
      }
    });
  return (setting) =>
    concat(
      defer(() => input.probe?.(folder, setting) ?? EMPTY),
      looked(setting),
    );
}
