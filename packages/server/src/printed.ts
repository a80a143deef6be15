/** A value whose JSON is there already: what is stored, told and answered is spelled once. */
export class Printed<T> {
  /** Only for the compiler: what `json` says. */
  declare readonly value: T;

  constructor(readonly json: string) {}

  /** As an object, for whoever prints it himself. */
  parsed(): T {
    return JSON.parse(this.json) as T;
  }
}
