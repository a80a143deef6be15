import type { Server } from '../rig/server.ts';
import { bugs } from './list.ts';

/** The part of a bug that lives in the database. */
export async function plantIn(server: Server, name: string): Promise<void> {
  const bug = bugs.find((one) => one.name === name);
  if (bug === undefined)
    throw new Error(`there is no bug ${name}: ${bugs.map((one) => one.name).join(', ')}`);
  for (const sql of bug.sql ?? []) await server.query(sql);
}
