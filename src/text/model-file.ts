import { createHash } from 'node:crypto';
import { describeError, OptionError } from '../core/errors.js';
import type { ModelHead, ModelParts } from './model-parts.js';

const MAGIC = 'RXFTEXT1';
/** The magic, the length of the head as 4 bytes, little-endian, and the SHA-256 of all that follows. */
const HEAD_AT = 44;
const MAX_HEAD_BYTES = 4 * 1_048_576;
const MAX_LABELS = 1_000;

/** A model as the bytes of one file: what it is as JSON, padded to 4 bytes, then its weights as 32-bit floats, little-endian. */
export function modelBytes({ head, weights }: ModelParts): Uint8Array {
  const json = Buffer.from(JSON.stringify(head));
  const headLength = Math.ceil(json.length / 4) * 4;
  const bytes = Buffer.alloc(HEAD_AT + headLength + weights.length * 4, ' ');
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(headLength, 8);
  json.copy(bytes, HEAD_AT);
  for (let at = 0; at < weights.length; at += 1) {
    bytes.writeFloatLE(weights[at] as number, HEAD_AT + headLength + at * 4);
  }
  createHash('sha256').update(bytes.subarray(HEAD_AT)).digest().copy(bytes, 12);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The first 12 hexadecimal digits of the hash: a model's version is what it holds. */
export function versionOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(12, HEAD_AT)).toString('hex').slice(0, 12);
}

/**
 * The parts of a model from its bytes. Sizes are compared, and the hash, before anything is made of them.
 *
 * Fails: `RXF_TEXT_MODEL` for bytes that are no model, are damaged or cut off, or whose sizes do not fit each other. `what` is in the message.
 */
export function modelParts(bytes: Uint8Array, what: string): ModelParts {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < HEAD_AT || view.toString('latin1', 0, 8) !== MAGIC)
    throw modelError(what, 'is no model of rxflume/text');
  const headLength = view.readUInt32LE(8);
  if (headLength % 4 !== 0 || headLength > MAX_HEAD_BYTES || HEAD_AT + headLength > view.length) {
    throw modelError(what, `says that its head has ${headLength} bytes, of ${view.length} in all`);
  }
  const hash = createHash('sha256').update(view.subarray(HEAD_AT)).digest();
  if (!hash.equals(view.subarray(12, HEAD_AT))) {
    throw modelError(what, 'is damaged or cut off: its hash is another than it says');
  }
  const head = headOf(view.toString('utf8', HEAD_AT, HEAD_AT + headLength), what);
  const count = head.labels.length * 2 ** head.form.bits;
  const weightBytes = view.length - HEAD_AT - headLength;
  if (weightBytes !== count * 4) {
    throw modelError(what, `has ${weightBytes} bytes of weights, but its head needs ${count * 4}`);
  }
  const weights = new Float32Array(count);
  for (let at = 0; at < count; at += 1) weights[at] = view.readFloatLE(HEAD_AT + headLength + at * 4);
  if (!weights.every(Number.isFinite)) throw modelError(what, 'has weights that are no numbers');
  return { head, weights };
}

function headOf(json: string, what: string): ModelHead {
  let head: ModelHead;
  try {
    head = JSON.parse(json) as ModelHead;
  } catch (cause) {
    throw modelError(what, `has a head that is no JSON: ${describeError(cause)}`);
  }
  const { kind, form, labels, biases, calibrations, margin, card } = (head ?? {}) as Partial<ModelHead>;
  const isWhole = (value: unknown, least: number, most: number) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  const areNumbers = (list: unknown, of = labels?.length) =>
    Array.isArray(list) && list.length === of && list.every(Number.isFinite);
  const holds =
    (kind === 'sentiment' || kind === 'topics') &&
    isWhole(form?.bits, 8, 24) &&
    isWhole(form?.maxCharacters, 1, 1_000_000) &&
    Array.isArray(labels) &&
    isWhole(labels.length, 1, kind === 'sentiment' ? 1 : MAX_LABELS) &&
    labels.every((label) => typeof label === 'string') &&
    areNumbers(biases) &&
    Array.isArray(calibrations) &&
    areNumbers(calibrations.map((one) => one?.slope)) &&
    areNumbers(calibrations.map((one) => one?.offset)) &&
    typeof margin === 'number' &&
    typeof card?.source === 'string' &&
    typeof card.evaluation?.texts === 'number';
  if (!holds) throw modelError(what, 'has a head that is incomplete');
  return head;
}

export function modelError(what: string, why: string, cause?: unknown): OptionError {
  return new OptionError(
    'RXF_TEXT_MODEL',
    `${what} ${why}. Train it again, or copy it again from where it was trained.`,
    {
      ...(cause !== undefined && { cause }),
      details: { model: what },
    },
  );
}
