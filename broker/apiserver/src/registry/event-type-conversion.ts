import { attributesMissing, attributesOfFields, fieldsOfAttributes } from '@millrace/resources/event-type-attributes';
import type { EventTypeAttribute } from '@millrace/resources/event-type-attributes';

import type { SpecConversion } from './kind.ts';

/** EventTypes say by attributes in v1beta3 what they have fields for in v1beta2, which is stored (knative.md §1.4). */
export const eventTypeByAttributes: SpecConversion = {
  toStored({ attributes, ...spec }) {
    if (!isList(attributes)) throw new Error('spec.attributes: missing field(s): type, source, specversion, id');
    const missing = attributesMissing(attributes);
    if (missing.length > 0) throw new Error(`spec.attributes: missing field(s): ${missing.join(', ')}`);
    return { ...spec, ...fieldsOfAttributes(attributes) };
  },
  fromStored({ type, source, schema, schemaData, ...spec }) {
    const fields = Object.entries({ type, source, schema, schemaData }).filter(([, value]) => value !== undefined);
    return { ...spec, attributes: attributesOfFields(Object.fromEntries(fields)) };
  },
};

function isList(value: unknown): value is EventTypeAttribute[] {
  return Array.isArray(value) && value.every((it) => typeof it === 'object' && it !== null && !Array.isArray(it));
}
