import { expectOption } from '../core/options.js';
import type { TextClassifier } from './classify.js';

/**
 * A place for a model that can be swapped while flows run: values before the swap have the old model's result, those after it the new
 * one's, and none is lost or judged twice.
 *
 * ```ts
 * import { ModelSlot } from 'rxflume/text';
 *
 * const slot = new ModelSlot({ version: 'v1', classify: (text) => text.length });
 * slot.swap({ version: 'v2', classify: (text) => text.split(' ').length });
 * slot.version; // → 'v2'
 * slot.classify('two words'); // → 2
 * ```
 */
export class ModelSlot<C> implements TextClassifier<C> {
  #current: TextClassifier<C>;

  constructor(first: TextClassifier<C>) {
    this.#current = checked(first);
  }

  get version(): string {
    return this.#current.version;
  }

  /** The model that is in it. */
  get current(): TextClassifier<C> {
    return this.#current;
  }

  /** From now on, texts are judged by `next`. Fails: `RXF_OPTION_INVALID` for what is no model; the old one stays. */
  swap(next: TextClassifier<C>): void {
    this.#current = checked(next);
  }

  classify(text: string): C {
    return this.#current.classify(text);
  }
}

function checked<C>(model: TextClassifier<C>): TextClassifier<C> {
  const holds = typeof model?.classify === 'function' && typeof model.version === 'string';
  expectOption('model', model, holds, 'a model with `version` and `classify`');
  return model;
}
