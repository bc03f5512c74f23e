import type { Observable } from 'rxjs';

/** What stands at a path, as `stat` tells. */
export interface DiskStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly mtimeMs: bigint;
  readonly birthtimeNs: bigint;
  isDirectory(): boolean;
}

export interface DiskFile {
  write(chunk: Uint8Array, from: number): Observable<number>;
  read(into: Uint8Array): Observable<number>;
  sync(): Observable<unknown>;
  stat(): Observable<DiskStats>;
  close(): Observable<unknown>;
}

/** The calls of a system over a disk; errors have a `code` such as `ENOENT`. */
export interface DiskSystem {
  realpath(path: string): Observable<string>;
  stat(path: string): Observable<DiskStats>;
  lstat(path: string): Observable<DiskStats>;
  readdir(path: string): Observable<readonly string[]>;
  open(path: string, flags: 'wx' | 'r'): Observable<DiskFile>;
  link(from: string, to: string): Observable<unknown>;
  rename(from: string, to: string): Observable<unknown>;
  unlink(path: string): Observable<unknown>;
  mkdir(path: string): Observable<unknown>;
  rm(path: string): Observable<unknown>;
  syncFolder(path: string): Observable<unknown>;
}
