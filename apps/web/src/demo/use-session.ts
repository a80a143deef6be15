import { useCallback, useEffect, useMemo, useState } from 'react';
import { SessionSearch, type SessionState } from './session-search.js';
import { newSession } from './session.js';

/** The demo booking, asked for until there is an answer. */
export function useSession(): { state: SessionState; retryNow: () => void; renew: () => Promise<void> } {
  const [state, setState] = useState<SessionState>({ kind: 'loading' });
  const search = useMemo(() => new SessionSearch(setState), []);
  useEffect(() => {
    search.start();
    return () => search.stop();
  }, [search]);
  const retryNow = useCallback(() => search.start(), [search]);
  const renew = useCallback(async () => setState({ kind: 'ready', session: await newSession() }), []);
  return { state, retryNow, renew };
}
