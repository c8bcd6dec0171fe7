/** A content type without its parameters, in lower case (RFC 9110 §8.3.1: its case means nothing). */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
