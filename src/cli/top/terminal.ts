import type { ReadStream, WriteStream } from 'node:tty';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** A key: what an arrow or a page key sends, or one character. Source: ECMA-48, control sequences. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send them.
const KEY = /\u001b\[[0-9;]*[A-Za-z~]|./gsu;

/** A terminal as a whole screen, in which keys are read as they are pressed. */
export interface Terminal {
  show(lines: readonly string[]): void;
  /** Gives the terminal back as it was; also at each other end of the process. */
  end(): void;
}

/** Takes the terminal over. `onKey` gets each key, `onResize` is called when its size has changed. */
export function takeTerminal(
  input: ReadStream,
  output: WriteStream,
  onKey: (key: string) => void,
  onResize: () => void,
): Terminal {
  let isOver = false;
  // What is typed fast, or pasted, comes at once.
  const read = (chunk: Buffer) => {
    for (const [key] of chunk.toString('utf8').matchAll(KEY)) onKey(key);
  };
  const end = () => {
    if (isOver) return;
    isOver = true;
    process.off('exit', end);
    input.off('data', read).pause();
    output.off('resize', onResize);
    input.setRawMode(false);
    output.write(LEAVE);
  };
  process.on('exit', end);
  input.setRawMode(true);
  input.on('data', read).resume();
  output.on('resize', onResize);
  output.write(ENTER);
  return {
    show: (lines) => {
      // Each line is written over the one before it, so nothing flickers.
      if (!isOver) output.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
    },
    end,
  };
}
