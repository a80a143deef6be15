/** A change of one built file: `find` must occur in it, or the bug no longer fits what it is planted into. */
export interface Patch {
  /** Below the root of the repository. */
  file: string;
  find: string | RegExp;
  put: string;
}

/** A mistake that the fault suite must notice. */
export interface Bug {
  name: string;
  /** What somebody could have done wrong. */
  says: string;
  patches?: readonly Patch[];
  /** A change of the database, made when the server runs. */
  sql?: readonly string[];
  /** Rules of the checker of which at least one must be broken. */
  breaks: readonly string[];
  /** Faults that bring it out; none: it shows by itself. */
  faults: readonly string[];
  /** Seconds that its run lasts. */
  forS: number;
}
