/** Whoever awaits it hears of a failure; whoever does not is not punished by an unhandled rejection, which ends Node. */
export const mayBeLeftAlone = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => undefined);
  return promise;
};
