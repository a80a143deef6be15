import { useCallback, useEffect, useLayoutEffect, useRef, type RefObject } from 'react';
import type { ChatMessage } from '@curbline/client';

/** Nearer to the end than this, new messages pull the view along. */
const STICKY_PX = 60;

/**
 * Keeps a thread at its end while its reader is there, and where it was while the reader is elsewhere. Says whether
 * the end is before somebody's eyes: scrolled to, on the screen, in a tab that is shown.
 */
export function useThreadEnd(
  messages: readonly ChatMessage[],
  onLooking: (looking: boolean) => void,
): { box: RefObject<HTMLDivElement | null>; onScroll: () => void } {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const inView = useRef(false);
  const before = useRef<{ first: string | undefined; last: string | undefined; height: number; top: number }>(
    undefined,
  );

  const report = useCallback(() => {
    const element = box.current;
    // Hidden, it has no height and no end.
    if (element !== null && element.clientHeight > 0) {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < STICKY_PX;
      if (before.current !== undefined) before.current.top = element.scrollTop;
    }
    onLooking(atEnd.current && inView.current && document.visibilityState === 'visible');
  }, [onLooking]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const [first, last] = [messages[0]?.client_id, messages.at(-1)];
    const was = before.current;
    const wroteNow = last?.mine === true && last.client_id !== was?.last;
    if (atEnd.current || wroteNow) element.scrollTop = element.scrollHeight;
    // Earlier messages came in above: what was read stays where it was.
    else if (was !== undefined && first !== was.first)
      element.scrollTop = was.top + element.scrollHeight - was.height;
    before.current = { first, last: last?.client_id, height: element.scrollHeight, top: element.scrollTop };
    report();
  }, [messages, report]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    const moved = new IntersectionObserver(([entry]) => {
      inView.current = entry?.isIntersecting ?? false;
      report();
    });
    resized.observe(element);
    moved.observe(element);
    document.addEventListener('visibilitychange', report);
    return () => {
      resized.disconnect();
      moved.disconnect();
      document.removeEventListener('visibilitychange', report);
    };
  }, [report]);

  return { box, onScroll: report };
}
