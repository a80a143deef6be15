interface Kept {
  write: (this: Kept, text: string) => boolean;
  curblineAnswer?: string;
  curblineWrite?: Kept['write'];
}

function keep(this: Kept, text: string): boolean {
  this.curblineAnswer = (this.curblineAnswer ?? '') + text;
  return true;
}

/**
 * What is written next, the answer to a websocket's handshake, is kept for who takes it, to leave with the first packet as one text: nothing has to
 * be gathered for one system call.
 */
export function keepAnswer(socket: Kept): void {
  socket.curblineWrite = socket.write;
  socket.write = keep;
}

/** What was kept; from now on the socket writes. The method is put back, not deleted: that would make the socket slow for as long as it lives. */
export function takeAnswer(socket: Kept): string {
  const { curblineAnswer = '', curblineWrite } = socket;
  if (curblineWrite) socket.write = curblineWrite;
  socket.curblineAnswer = '';
  return curblineAnswer;
}
