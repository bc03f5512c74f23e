/** What a callback source is given to hand its values to. */
export interface CallbackListener<T> {
  /** Takes a value. False where it waits, or was not taken: pause until `resume` is called. */
  next(value: T): boolean;
  /** The source has failed: what is out is settled, and then the flow fails with this. */
  error(error: unknown): void;
  /** No more will come: what is out is settled, and then the flow completes. */
  complete(): void;
}

/** What a callback source answers with; each may be left out. */
export interface CallbackConnection {
  /** Called while values wait here. */
  pause?(): void;
  resume?(): void;
  /** Called when a drain begins: take no more, but stay connected, since what is out is still to be acked. */
  stop?(): unknown;
  /** Called once, at the end. A drain waits for the answer, as long as `drainTimeoutMs`. */
  close?(): unknown;
}

/** Connects what emits by itself. A function as the answer is its `close`. */
export type ConnectCallback<T> = (
  listener: CallbackListener<T>,
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that answers nothing is as good
) => CallbackConnection | (() => unknown) | void;
