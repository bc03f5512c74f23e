/**
 * Protobuf, by `@bufbuild/protobuf`, which you install yourself.
 *
 * @packageDocumentation
 */
export { type ProtobufFormat, protobuf } from './protobuf.js';
