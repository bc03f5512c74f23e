import { describeError } from '../../core/errors.js';
import type { SocketPeer, SocketReader } from '../../ports/socket-server.js';
import type { Frame } from '../listening/frames.js';
import type { Outcome } from '../listening/intake.js';
import type { PartialBytes } from '../listening/partial-bytes.js';
import { type RelpFrame, RelpFrames, relpFrame } from './relp-frames.js';

/** What a reader tells the intake it belongs to. */
export interface RelpReaderHost {
  readonly partial: PartialBytes;
  /** Messages that came at once, to be answered once; false: there is no value among them, so that they need no answer. */
  messages(frames: readonly Frame[], client: string, byteLength: number, reply: (outcome: Outcome) => boolean): boolean;
  rejected(client: string, problem: string): void;
}

/** Transactions that came at once, and what became of them. */
interface Turn {
  readonly transactions: readonly number[];
  outcome: Outcome | undefined;
}

const OFFERS = 'relp_version=0\nrelp_software=rxflume\ncommands=syslog';

/**
 * One client that sends by RELP: answers each message when it is durable, in the order in which they came.
 *
 * At the first message that is not to be durable it answers 500 and closes; the client connects again and sends all that
 * was not answered, some of which may be durable already.
 *
 * Bounds: a number for each message that is not answered.
 */
export class RelpReader implements SocketReader {
  readonly #peer: SocketPeer;
  readonly #frames: RelpFrames;
  readonly #maxBytes: number;
  readonly #host: RelpReaderHost;
  #turns: Turn[] = [];
  #count = 0;
  #isOpen = false;
  #isOver = false;
  /** The transaction in which the client asked to close; −1 where the server closes. */
  #closing: number | undefined;

  constructor(peer: SocketPeer, maxBytes: number, host: RelpReaderHost) {
    this.#peer = peer;
    this.#frames = new RelpFrames(maxBytes);
    this.#maxBytes = maxBytes;
    this.#host = host;
  }

  get unfinished(): number {
    return this.#frames.pending === 0 ? 0 : this.#count + 1;
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver || this.#closing !== undefined) return;
    const messages: RelpFrame[] = [];
    try {
      this.#frames.push(bytes);
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        this.#count += 1;
        if (frame.command === 'syslog' && this.#isOpen) messages.push(frame);
        else this.#command(frame);
      }
      if (!this.#host.partial.set(this, Math.min(this.#frames.pending, this.#maxBytes))) {
        throw new Error('it began a message while too much had begun (maxBufferedBytes)');
      }
    } catch (error) {
      // What was read is answered to nobody: the client sends it again.
      this.#host.rejected(this.#peer.client, describeError(error));
      this.#end();
      return;
    }
    this.#take(messages, bytes.length);
    this.#closeWhenAnswered();
  }

  ended(): void {
    this.#isOver = true;
    this.#turns = [];
    this.#host.partial.set(this, 0);
  }

  closing(): void {
    this.#closing ??= -1;
    this.#closeWhenAnswered();
  }

  #command({ transaction, command }: RelpFrame): void {
    if (command === 'open' && !this.#isOpen) {
      this.#isOpen = true;
      this.#peer.write(relpFrame(transaction, 'rsp', `200 OK\n${OFFERS}`));
    } else if (command === 'close') {
      this.#closing = transaction;
    } else {
      this.#peer.write(relpFrame(transaction, 'rsp', '500 command is not known, or not now'));
      throw new Error(`it sent the command ${JSON.stringify(command)}, which is not known, or not now`);
    }
  }

  #take(messages: readonly RelpFrame[], byteLength: number): void {
    if (messages.length === 0) return;
    const turn: Turn = { transactions: messages.map(({ transaction }) => transaction), outcome: undefined };
    this.#turns.push(turn);
    const frames = messages.map(({ data, isCut }) => ({ bytes: data, isCut }));
    const settle = (outcome: Outcome): boolean => {
      if (this.#isOver) return false;
      turn.outcome = outcome;
      return this.#answer();
    };
    if (!this.#host.messages(frames, this.#peer.client, byteLength, settle)) settle({ isDurable: true });
  }

  /** Answers what can be, in order; false where the client has gone. */
  #answer(): boolean {
    let answers = '';
    for (let turn = this.#turns[0]; turn?.outcome !== undefined; turn = this.#turns[0]) {
      this.#turns.shift();
      if (!turn.outcome.isDurable) {
        answers += `${relpFrame(turn.transactions[0] as number, 'rsp', '500 not stored, send again')}`;
        this.#peer.write(Buffer.from(answers));
        this.#end();
        return true;
      }
      for (const transaction of turn.transactions) answers += `${transaction} rsp 6 200 OK\n`;
    }
    const hasHeard = answers === '' || this.#peer.write(Buffer.from(answers));
    this.#closeWhenAnswered();
    return hasHeard;
  }

  #closeWhenAnswered(): void {
    if (this.#closing === undefined || this.#turns.length > 0 || this.#isOver) return;
    if (this.#closing >= 0) this.#peer.write(relpFrame(this.#closing, 'rsp'));
    this.#peer.write(relpFrame(0, 'serverclose'));
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#turns = [];
    this.#host.partial.set(this, 0);
    this.#peer.end();
  }
}
