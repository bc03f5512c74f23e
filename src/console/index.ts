/**
 * The console of the flows in this process, for an HTTP server of yours.
 *
 * @packageDocumentation
 */

export type { CommittedFile } from '../flow/committed-file.js';
export { type ConsoleApp, consoleApp } from './console-app.js';
export type {
  AlertView,
  CommandDone,
  ConsoleFailure,
  ConsoleHistory,
  ConsoleSnapshot,
  EdgeView,
  FlowCommand,
  FlowHistory,
  FlowView,
  LogLine,
  PartView,
  PeerView,
  ResetPreview,
  ResetRequest,
  SourceLatencies,
  StreamView,
  TapRequest,
  TapStarted,
  TapValue,
  TapValues,
  WhyAnswer,
} from './contract.js';
export type {
  DeadLetterEdit,
  DeadLetterGroup,
  DeadLetterList,
  DeadLetterPreview,
  DeadLetterQuery,
  DeadLetterRequest,
  ShownDeadLetter,
} from './dead-letter-contract.js';
export { type FetchHandler, nodeListener } from './node-listener.js';
export { CONSOLE_APP_DEFAULTS, type ConsoleAppOptions } from './options.js';
