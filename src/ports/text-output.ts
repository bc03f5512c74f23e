import type { ObservableInput } from 'rxjs';

/** Where text goes for people to read: a terminal, or what the program's output is piped to. */
export interface TextOutput {
  /** For messages and receipts, such as `stdout`. */
  readonly name: string;
  /** Whether a terminal shows the text, which would obey the control characters in it. Default false. */
  readonly isTerminal?: boolean;
  /**
   * Writes at once. Completes when the system has accepted all of it, so a caller that waits keeps at most one text in memory
   * here. Fails with a `SinkError`: `RXF_CONSOLE_CLOSED` if the reader has closed it.
   */
  write(text: string): ObservableInput<unknown>;
}
