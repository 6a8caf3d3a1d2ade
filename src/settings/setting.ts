/** One setting of the operator. */
export interface Setting {
  /** The environment variable. */
  env: string;
  default: string | number;
  unit:
    | 'text'
    | 'bits'
    | 'percent'
    | 'bytes'
    | 'ms'
    | 'seconds'
    | 'count'
    | 'per second'
    | 'switch'
    | 'choice'
    | 'list'
    | 'origins'
    | 'hosts';
  /** Inclusive; numbers only. */
  min?: number;
  /** Inclusive; numbers only. */
  max?: number;
  choices?: readonly string[];
  /** A description for operators, in Markdown. */
  about: string;
}
