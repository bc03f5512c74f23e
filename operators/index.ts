export { type BatchOptions, batch } from './batch.js';
export { type DecodeOptions, decode } from './decode.js';
export { drainOn } from './drain-on.js';
export { filterValue } from './filter-value.js';
export { type InFlightWindowOptions, inFlightWindow } from './in-flight-window.js';
export { mapValue } from './map-value.js';
export { type RetryConnectOptions, retryConnect } from './retry-connect.js';
export { type TransmitOptions, transmit } from './transmit.js';
