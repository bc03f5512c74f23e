import type { ObservableInput } from 'rxjs';

/** Where text goes for people to read: a terminal, or what the program's output is piped to. */
export interface TextOutput {
  /** For messages and receipts, such as `stdout`. */
  readonly name: string;
  /** Whether a terminal shows the text, which would obey the control characters in it. Default false. */
  readonly isTerminal?: boolean;
  /**
   * Writes at once. Completes when the system has taken all of it, so whoever waits for that keeps no more than one text in
   * memory here. Fails with a `SinkError`: `RXF_CONSOLE_CLOSED` where nobody reads any more.
   */
  write(text: string): ObservableInput<unknown>;
}
