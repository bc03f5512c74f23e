import type { Attempt, RemoteException } from './remote-exception.js';
import type { Answer } from './request.js';

/** One operation for a NameNode. */
export interface Call {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly op: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** For messages, such as `rename /a to /b`. */
  readonly doing: string;
  /** The most the answer may have; default `maxResponseBytes`. */
  readonly maxBytes?: number;
  /** Logs in by Kerberos instead of by a token. */
  readonly isLogin?: boolean;
}

export interface Reply {
  readonly answer: Answer;
  /** Null where the answer is a success. */
  readonly remote: RemoteException | null;
  /** An earlier try got no answer, and may have been carried out. */
  readonly doubted: boolean;
  readonly attempt: Attempt;
}
