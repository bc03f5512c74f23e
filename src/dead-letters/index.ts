/**
 * Dead letters after they were stored: read them, try them with the flow of today, replay them once, drop them.
 *
 * @packageDocumentation
 */
export type { DeadLetter, DeadLetterCause, DeadLetterHeader } from '../delivery/dead-letter.js';
export type { DeadLetterState, DeadLetterStore, StoredDeadLetter, StoredLine } from './dead-letter-store.js';
export { type DropDeadLettersOptions, dropDeadLetters } from './drop.js';
export type { DeadLetterFilter } from './filter.js';
export { type DeadLetterFolderOptions, deadLetterFolder } from './folder.js';
export {
  PREVIEW_DEAD_LETTERS_DEFAULTS,
  type PreviewDeadLettersOptions,
  type PreviewedDeadLetter,
  previewDeadLetters,
} from './preview.js';
export { DEAD_LETTER_QUEUE_DEFAULTS, type DeadLetterQueueOptions, deadLetterQueue } from './queue.js';
export { type ReadDeadLettersOptions, readDeadLetters } from './read.js';
export { type ReplayDeadLettersOptions, type ReplayedDeadLetters, replayDeadLetters } from './replay.js';
export { replayGuarantee } from './replay-guarantee.js';
export { type DeadLetterTopicOptions, deadLetterTopic } from './topic.js';
