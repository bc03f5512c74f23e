import { createTraceState, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { HeaderValue } from '../core/headers.js';
import type { Origin } from '../delivery/delivery.js';

/** `traceparent` of version 00; of later versions what is known of it, with more behind. */
const TRACE_PARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Longer than any that a known version has: what is behind is not looked at. */
const MAX_TRACE_PARENT = 256;
/** What every system must pass on; a longer one may be discarded. */
const MAX_TRACE_STATE = 512;

/**
 * The span that a record or message was sent in, as its headers have it. Undefined where there is none, where it was not sampled, and
 * where `traceparent` is malformed or repeated: a bad header is a fault of its sender, and never one of the record.
 *
 * Source: W3C Trace Context, sections 3.2 and 3.3.
 */
export function spanContextOf(origin: Origin): SpanContext | undefined {
  const parent = headerOf(origin, 'traceparent', MAX_TRACE_PARENT);
  if (parent === undefined) return undefined;
  const [, version, traceId, spanId, flags, more] = TRACE_PARENT.exec(parent) ?? [];
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined)) return undefined;
  const isSampled = (Number.parseInt(flags as string, 16) & TraceFlags.SAMPLED) !== 0;
  if (!isSampled) return undefined;
  const context = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const state = headerOf(origin, 'tracestate', MAX_TRACE_STATE);
  return state === undefined ? context : { ...context, traceState: createTraceState(state) };
}

/** The text of a header that is there once, is not null, and is no longer than that. */
function headerOf({ headerList, headers }: Origin, name: string, maxBytes: number): string | undefined {
  let found: HeaderValue | readonly HeaderValue[] | undefined;
  if (headerList === undefined) found = headers?.[name];
  else {
    for (const [key, value] of headerList) {
      if (key !== name) continue;
      if (found !== undefined) return undefined;
      found = value;
    }
  }
  if (!(found instanceof Uint8Array) || found.length > maxBytes) return undefined;
  return Buffer.from(found.buffer, found.byteOffset, found.length).toString('latin1');
}

/** A span as the headers of what is sent in it. */
export function headersOf({ traceId, spanId, traceFlags, traceState }: SpanContext): Record<string, string> {
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0');
  const parent = { traceparent: `00-${traceId}-${spanId}-${flags}` };
  const state = traceState?.serialize();
  return state ? { ...parent, tracestate: state } : parent;
}
