import { isUtf8 } from 'node:buffer';

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** The text that bytes are, or their base64 where they are none that an attribute may hold (CloudEvents 1.0 §2). */
export function attributeText(bytes: Buffer): string {
  const text = isUtf8(bytes) ? bytes.toString() : undefined;
  return text === undefined || CONTROL.test(text) ? bytes.toString('base64') : text;
}
