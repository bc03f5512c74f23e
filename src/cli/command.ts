import type { ConsoleLog } from './console-log.js';
import type { OutputStream } from './guarded-output.js';

/** An option as `parseArgs` has it. */
export interface OptionForm {
  readonly type: 'string' | 'boolean';
  /** What it is without a value, and what a value looks like; where absent, an option of type `string` needs a value. */
  readonly bare?: { readonly value: string; readonly values: RegExp };
}

/** The options that were given, by name. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** What a command works with; a test gives its own. */
export interface CommandContext {
  readonly out: OutputStream;
  readonly err: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The log of a flow that runs, on standard output. */
  readonly log: () => ConsoleLog;
}

/** A command of the command line: what its help says, how its arguments are read, and what it does. */
export interface Command<Asked extends object> {
  readonly name: string;
  /** The lines after `rxflume `; a line that goes on is indented by as much as its text begins. */
  readonly usage: readonly string[];
  /** What it does, from a lower-case verb on, without a full stop. */
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionForm>>;
  /** A line for each option, as the help shows it; several where the text goes on. */
  readonly optionsHelp: readonly string[];
  /** Paragraphs below its options. */
  readonly notes?: string;
  readonly exitCodes: string;
  /** A line that people copy and change. */
  readonly example: string;
  /** Its arguments and options, none of which is another command's. Throws an `Error` that says what is wrong with one. */
  read(given: readonly string[], options: OptionValues): Asked;
  /** Does it, and returns the exit code. */
  run(asked: Asked, context: CommandContext): Promise<number>;
}

/** One of the table, whose arguments only it knows. */
export type AnyCommand = Command<object>;

/** A command for the table. */
export function command<Asked extends object>(one: Command<Asked>): AnyCommand {
  return one;
}

/** The one argument of a command, such as `the file of a flow`. */
export function oneArgument(name: string, what: string, [argument, ...rest]: readonly string[]): string {
  if (argument === undefined) throw new Error(`\`${name}\` needs ${what}`);
  if (rest.length > 0) throw new Error(`\`${name}\` takes one argument, ${what}; also got \`${rest[0]}\``);
  return argument;
}

/** The text of an option; undefined where it was not given. */
export function textOf(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The same for a name, which is not empty. */
export function nameOf(options: OptionValues, name: string): string | undefined {
  const text = textOf(options, name);
  if (text === '') throw new Error(`expected \`--${name}\` to be a name, got an empty string`);
  return text;
}
