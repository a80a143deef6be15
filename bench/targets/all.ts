import { curbline } from './curbline.ts';
import { socketIoRelay, wsRelay } from './relays.ts';
import type { Target } from './target.ts';
import { tutorial, tutorialLean } from './tutorial.ts';

export const allTargets: Target[] = [curbline, tutorial, tutorialLean, socketIoRelay, wsRelay];
