/**
 * Models that judge texts in a flow: trained, evaluated and scored without anything but Node.
 *
 * @packageDocumentation
 */
export { classify, type TextClassifier } from './classify.js';
export type { CalibrationBin, LabelEvaluation, TextEvaluation } from './evaluation.js';
export { type DistinctTexts, distinctTexts, type LabelledText, type TextKind } from './labelled-text.js';
export type { DataCard } from './model-parts.js';
export { ModelSlot } from './model-slot.js';
export type { Proportion } from './proportion.js';
export { READ_TEXT_MODEL_DEFAULTS, type ReadTextModelOptions, readTextModel } from './read-text-model.js';
export { type Reason, type ResultOf, type Sentiment, TextModel, type Topics, textModel } from './text-model.js';
export { TRAIN_TEXT_MODEL_DEFAULTS, type TrainTextModelOptions, trainTextModel } from './train.js';
