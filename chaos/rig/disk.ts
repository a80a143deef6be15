import { chmodSync, closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sh, tried } from './shell.ts';

/** A disk of its own for the data folder, small enough to be filled. */
export interface Disk {
  /** Mount point. */
  readonly dir: string;
  remove(): void;
}

/** A disk in memory. A `kill -9` is survived by it as by any other; only a power loss would not be. */
export function memoryDisk(dir: string, megabytes: number): Disk {
  mkdirSync(dir, { recursive: true });
  sh('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'curbline-chaos', dir);
  return {
    dir,
    remove: () => {
      if (!tried('umount', dir)) tried('umount', '-l', dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** ext4 in a file on a loop device: the only kind whose power can be cut. */
export class LoopDisk implements Disk {
  readonly dir: string;
  readonly #image: string;
  #device: string | undefined;

  private constructor(dir: string, image: string) {
    this.dir = dir;
    this.#image = image;
  }

  static make(dir: string, image: string, megabytes: number): LoopDisk {
    mkdirSync(dir, { recursive: true });
    const file = openSync(image, 'w');
    ftruncateSync(file, megabytes * 1_024 * 1_024);
    closeSync(file);
    sh('mkfs.ext4', '-q', '-F', image);
    const disk = new LoopDisk(dir, image);
    disk.mount();
    return disk;
  }

  mount(): void {
    this.#device = sh('losetup', '--find', '--show', this.#image).trim();
    try {
      sh('mount', '-t', 'ext4', this.#device, this.dir);
    } catch (error) {
      this.#detach();
      throw error;
    }
    chmodSync(this.dir, 0o755);
  }

  /** From this moment no write reaches the disk, not even the journal's: what power loss does. */
  losePower(): void {
    sh('xfs_io', '-x', '-c', 'shutdown', this.dir);
  }

  /** After the processes are gone: unmounts, lets fsck replay the journal, and mounts again. */
  powerBack(): string {
    sh('umount', this.dir);
    const checked = sh('sh', '-c', `e2fsck -p ${this.#device ?? ''} || [ $? -le 1 ]`);
    this.#detach();
    this.mount();
    return checked.trim();
  }

  remove(): void {
    if (!tried('umount', this.dir)) tried('umount', '-l', this.dir);
    this.#detach();
    rmSync(this.#image, { force: true });
    rmSync(this.dir, { recursive: true, force: true });
  }

  #detach(): void {
    if (this.#device !== undefined) tried('losetup', '-d', this.#device);
    this.#device = undefined;
  }
}

const PIECE = Buffer.alloc(64 * 1_024, 'x');

/** Writes a file until the disk takes no more; returns the bytes. */
export function fill(disk: Disk): number {
  const file = openSync(fillerOf(disk), 'w');
  let written = 0;
  try {
    for (const piece of [PIECE, PIECE.subarray(0, 512)]) {
      try {
        for (;;) written += writeSync(file, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    return written;
  } finally {
    closeSync(file);
  }
}

export function unfill(disk: Disk): void {
  rmSync(fillerOf(disk), { force: true });
}

const fillerOf = (disk: Disk): string => join(disk.dir, 'filler');
