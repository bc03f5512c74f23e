/**
 * JSON Schema, by `ajv`, which you install yourself.
 *
 * @packageDocumentation
 */
export { type JsonSchemaFormat, jsonSchema } from './json-schema.js';
