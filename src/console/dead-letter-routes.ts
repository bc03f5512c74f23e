import type { DeadLetterStore } from '../dead-letters/index.js';
import type { RunningFlow } from '../flow/running-flows.js';
import { Denied, jsonAnswer } from './answers.js';
import type { DeadLetterEdit, DeadLetterQuery } from './dead-letter-contract.js';
import { DeadLetterCommands, type DeadLettersOfFlow } from './dead-letters.js';
import { flowNamed, hiddenFields } from './hidden-fields.js';
import { type Fields, field, isFields, isOptional, isText, isTexts, jsonBody } from './json-body.js';
import type { CheckedOptions } from './options.js';

/** Where the dead letters of a flow are stored. */
export function storeOfFlow(
  stores: Readonly<Record<string, DeadLetterStore>>,
  flow: string,
): DeadLetterStore | undefined {
  return Object.hasOwn(stores, flow) ? stores[flow] : stores['*'];
}

/** The requests for dead letters: checks each, and has `DeadLetterCommands` answer it. */
export class DeadLetterRoutes {
  readonly #options: CheckedOptions;
  readonly #running: () => readonly RunningFlow[];
  readonly #expectWritable: (what: string) => void;
  readonly #commands: DeadLetterCommands;

  constructor(options: CheckedOptions, running: () => readonly RunningFlow[], expectWritable: (what: string) => void) {
    this.#options = options;
    this.#running = running;
    this.#expectWritable = expectWritable;
    this.#commands = new DeadLetterCommands(options.monitor);
  }

  async list(name: string, query: URLSearchParams): Promise<Response> {
    const { readOnly } = this.#options;
    return jsonAnswer(await this.#commands.list(this.#of(name), queryOfUrl(query), !readOnly));
  }

  async command(request: Request, name: string, command: string): Promise<Response> {
    this.#expectWritable('dead letters are only counted, and commands are rejected');
    const body = await jsonBody(request);
    const of = this.#of(name);
    const query = queryOf(field(body, 'filter', isFields, 'an object, `{}` for all'));
    const edits = editsOf(body);
    if (command === 'preview') return jsonAnswer(await this.#commands.preview(of, query, edits));
    if (body.confirm !== true) {
      throw new Denied(
        400,
        'RXF_CONSOLE_REQUEST',
        `Send \`"confirm":true\` to ${command} dead letters of flow \`${name}\`.`,
      );
    }
    const message = `The console was asked to ${command} dead letters of flow ${name}.`;
    this.#options.monitor.logEvent('info', 'console.command', message, { flow: name });
    return jsonAnswer(
      await (command === 'drop' ? this.#commands.drop(of, query) : this.#commands.replay(of, query, edits)),
    );
  }

  end(): void {
    this.#commands.end();
  }

  #of(name: string): DeadLettersOfFlow {
    const flow = flowNamed(this.#running(), name)?.flow;
    if (flow === undefined) {
      throw new Denied(404, 'RXF_CONSOLE_REQUEST', `No flow \`${name}\` runs in this process, and a replay needs it.`);
    }
    const store = storeOfFlow(this.#options.deadLetters, name);
    if (store === undefined) {
      throw new Denied(
        404,
        'RXF_CONSOLE_REQUEST',
        `The console does not know where flow \`${name}\` stores its dead letters. Start it with \`--console-dead-letters <root>\` ` +
          '(`deadLetters` of `consoleApp`).',
      );
    }
    return { flow, store, hidden: new Set(hiddenFields(flow, this.#options.redact).map((one) => one.toLowerCase())) };
  }
}

const isTime = (value: unknown): value is number => Number.isFinite(value);

function queryOfUrl(query: URLSearchParams): DeadLetterQuery {
  const given = (name: string) => query.get(name) || undefined;
  const since = given('since');
  const places = query.getAll('place');
  return queryOf({
    ...{ code: given('code'), contains: given('contains'), stream: given('stream') },
    since: since === undefined ? undefined : Number(since),
    places: places.length === 0 ? undefined : places,
  });
}

/** A field of another name would be ignored, and more letters be replayed than were meant. */
function queryOf(fields: Fields): DeadLetterQuery {
  const stranger = Object.keys(fields).find(
    (name) => !['code', 'contains', 'stream', 'since', 'places'].includes(name),
  );
  if (stranger !== undefined) {
    const message = `A filter has no field \`${stranger}\`. Use code, contains, stream, since or places.`;
    throw new Denied(400, 'RXF_CONSOLE_REQUEST', message);
  }
  const code = field(fields, 'code', isOptional(isText), 'a text');
  const contains = field(fields, 'contains', isOptional(isText), 'a text');
  const stream = field(fields, 'stream', isOptional(isText), 'a text');
  const since = field(fields, 'since', isOptional(isTime), 'milliseconds since 1970');
  const places = field(fields, 'places', isOptional(isTexts), 'a list of places');
  return {
    ...(code !== undefined && { code }),
    ...(contains !== undefined && { contains }),
    ...(stream !== undefined && { stream }),
    ...(since !== undefined && { since }),
    ...(places !== undefined && { places }),
  };
}

function editsOf(body: Fields): Readonly<Record<string, DeadLetterEdit>> {
  const edits = field(body, 'edits', isOptional(isFields), 'edited dead letters by place') ?? {};
  const isEdit = (edit: unknown) =>
    isFields(edit) && Object.entries(edit).every(([name, of]) => ['value', 'key'].includes(name) && isText(of));
  for (const [place, edit] of Object.entries(edits)) {
    if (isEdit(edit)) continue;
    throw new Denied(
      400,
      'RXF_CONSOLE_REQUEST',
      `Expected the edit of \`${place}\` to have a \`value\` or a \`key\`, each a text.`,
    );
  }
  return edits as Readonly<Record<string, DeadLetterEdit>>;
}
