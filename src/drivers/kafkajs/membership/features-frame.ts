import type { ForeignRequest } from '../vendor/internals.js';
import { compactText, NO_TAGS, type Raw, Reader, requestOf } from '../vendor/wire.js';

/** The first version that says what the cluster has finalized (Kafka 2.4, KIP-511 and KIP-584). */
const API_VERSIONS = { apiKey: 18, apiVersion: 3, apiName: 'ApiVersions' };
const FINALIZED_FEATURES = 2;
const SOFTWARE = 'rxflume';

/** The features that all brokers of the cluster have switched on, with their levels. */
export type Features = ReadonlyMap<string, number>;

/** Source: Kafka 4.2, ApiVersionsRequest and -Response. */
export function featuresRequest(raw: Raw): ForeignRequest<Features> {
  const body = Buffer.concat([NO_TAGS, compactText(SOFTWARE), compactText('1'), NO_TAGS]);
  return requestOf(
    raw,
    API_VERSIONS,
    () => body,
    (bytes) => readFeatures(new Reader(bytes)),
  );
}

/** The header of this answer alone has no tagged fields: who asks may not know yet whether the broker can write them. */
export function readFeatures(from: Reader): Features {
  const features = new Map<string, number>();
  if (from.int16() !== 0) return features;
  from.array(() => {
    from.skip(6);
    from.tags();
  });
  from.skip(4);
  from.tags((tag, field) => {
    if (tag !== FINALIZED_FEATURES) return;
    field.array(() => {
      features.set(field.text(), field.int16());
      field.skip(2);
      field.tags();
    });
  });
  return features;
}
