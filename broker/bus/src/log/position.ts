/**
 * Where an entry stands in the log. Grows within a topic; says nothing across topics.
 * Positions start at 1; 0 is before everything.
 */
export type Position = number;
