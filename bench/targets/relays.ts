import { join } from 'node:path';
import { BENCH } from '../rig/paths.ts';
import { start, waitForLine } from '../rig/process.ts';
import { pairs } from './people.ts';
import type { LaunchOptions, Running, Target } from './target.ts';

function relay(name: string, title: string, dialect: Target['dialect']): Target {
  return {
    name,
    title,
    dialect,
    tokenPlace: 'none',
    database: null,
    launch: async (options: LaunchOptions): Promise<Running> => {
      const script = join(BENCH, 'baselines', `${name}.ts`);
      const process_ = start(name, options.core, process.execPath, [...(options.nodeArgs ?? []), script]);
      const [, port] = await waitForLine(process_, /^ready (\d+)$/);
      return {
        port: Number(port),
        process: process_,
        seed: async (count) => pairs(count),
        stored: async () => null,
      };
    },
  };
}

export const socketIoRelay = relay('socketio-relay', 'bare socket.io relay', 'socket.io');
export const wsRelay = relay('ws-relay', 'raw ws relay', 'ws');
