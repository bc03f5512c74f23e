/** A file that a flow has committed. */
export interface CommittedFile {
  readonly path: string;
  readonly stream: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly values: number;
  readonly bytes: number;
  /** When its receipt came, in milliseconds since 1970. */
  readonly atMs: number;
}
