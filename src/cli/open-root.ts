import type { FileSystem } from '../ports/file-system.js';
import type { RootLocation } from './root-url.js';

/** How the file system of a root is spoken to. */
export interface RootAccess {
  readonly mode: 'webhdfs' | 'httpfs';
  readonly user: string | undefined;
  readonly fsync: 'never' | 'always';
}

/** The file system that a root is on, with the names and secrets of the environment. */
export async function openRoot(
  location: RootLocation,
  { mode, user: named, fsync }: RootAccess,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FileSystem> {
  if (location.kind === 'disk') {
    const { localDisk } = await import('../drivers/local-disk/index.js');
    return localDisk({ fsync });
  }
  const { webhdfs } = await import('../drivers/webhdfs/index.js');
  const user = named ?? env.HADOOP_USER_NAME;
  const delegationToken = env.RXFLUME_DELEGATION_TOKEN;
  return webhdfs({
    nameNodes: location.nameNodes,
    mode,
    ...(user && { user }),
    ...(delegationToken && { delegationToken }),
  });
}
