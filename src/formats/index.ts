export type { Encoder, Format } from './format.js';
