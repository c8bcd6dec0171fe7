/** Why a text cannot serve as a schema. */
export class SchemaFault extends Error {
  override readonly name = 'SchemaFault';
  readonly expected: string;
  readonly got: string;

  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`);
    this.expected = expected;
    this.got = got;
  }
}
